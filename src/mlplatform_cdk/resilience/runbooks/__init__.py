"""What to do when an alarm rings, as documents that do it."""

from mlplatform_cdk.resilience.runbooks.construct import Runbooks
from mlplatform_cdk.resilience.runbooks.parts import Approval
from mlplatform_cdk.resilience.runbooks.restore import RestorableTable
from mlplatform_cdk.runtimekit.runbook_names import Runbook

__all__ = ["Approval", "RestorableTable", "Runbook", "Runbooks"]
