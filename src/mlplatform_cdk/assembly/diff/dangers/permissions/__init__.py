"""Who may do more than before: IAM policies per identity, and the policies of resources, statement by statement."""

from mlplatform_cdk.assembly.diff.dangers.permissions.judge import permissions

__all__ = ["permissions"]
