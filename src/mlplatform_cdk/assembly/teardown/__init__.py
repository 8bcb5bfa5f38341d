"""What ``cdk destroy`` of an assembly does and leaves, read from its templates alone."""

from mlplatform_cdk.assembly.teardown.kept import Kept, name_of
from mlplatform_cdk.assembly.teardown.plan import Plan, Step, plan
from mlplatform_cdk.assembly.teardown.renderings import as_json, print_plan

__all__ = ["Kept", "Plan", "Step", "as_json", "name_of", "plan", "print_plan"]
