"""Takes what CloudFormation does not know of away before a stack goes."""

from mlplatform_cdk.resilience.teardown.construct import Teardown

__all__ = ["Teardown"]
