"""Resources about the deployment itself and its bill."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudformation.api import changes
from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, pairs, parameters
from mlplatform_cdk.local.adapters.cloudformation.resource import CannotProvision, Resource
from mlplatform_cdk.local.adapters.cloudformation.stand_ins import RecordedKind

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind

NESTED_PATIENCE_SECONDS = 600.0


class MetadataKind(CodedKind):
    """What CDK says of itself; AWS does nothing with it either."""

    service = "cloudformation"

    def make(self, resource: Resource) -> None:
        """Take note of it."""
        resource.properties.items()
        resource.physical_resource_id = resource.logical_resource_id

    def unmake(self, resource: Resource) -> None:
        """Nothing stands."""


class NestedStackKind(CodedKind):
    """A stack inside a stack; its outputs are its attributes."""

    service = "cloudformation"

    def make(self, resource: Resource) -> None:
        """Create it and wait."""
        given = resource.properties
        resource.physical_resource_id = self.api(resource).create_stack(
            StackName=resource.generated_name(128),
            TemplateURL=given["TemplateURL"],
            Parameters=_entries(given.get("Parameters", {})),
            Tags=[{"Key": key, "Value": value} for key, value in pairs(given.get("Tags")).items()],
        )["StackId"]
        self._wait(resource)

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Update it when its template or its parameters changed."""
        if before is not None and changes(resource, before) & {"TemplateURL", "Parameters"}:
            self.api(resource).update_stack(
                StackName=resource.physical_resource_id,
                TemplateURL=resource.properties["TemplateURL"],
                Parameters=_entries(resource.properties.get("Parameters", {})),
            )
            self._wait(resource)

    def unmake(self, resource: Resource) -> None:
        """Delete it and wait."""
        self.api(resource).delete_stack(StackName=resource.physical_resource_id)
        self._wait(resource)

    def _wait(self, resource: Resource) -> None:
        deadline = time.monotonic() + NESTED_PATIENCE_SECONDS
        while True:
            stack = self.api(resource).describe_stacks(StackName=resource.physical_resource_id)["Stacks"][0]
            status = stack["StackStatus"]
            if not status.endswith("_IN_PROGRESS"):
                break
            if time.monotonic() > deadline:
                raise CannotProvision(f"nested stack is still {status}")
            time.sleep(0.05)
        if "ROLLBACK" in status or "FAILED" in status:
            raise CannotProvision(f"nested stack is {status}: {stack.get('StackStatusReason', '')}")
        outputs = stack.get("Outputs", [])
        resource.attributes = {f"Outputs.{output['OutputKey']}": output["OutputValue"] for output in outputs}


class BudgetKind(CodedKind):
    """A budget, which nothing is charged to."""

    service = "budgets"
    fixed = frozenset({"Budget", "NotificationsWithSubscribers"})

    def make(self, resource: Resource) -> None:
        """Create it."""
        api, given = self.api(resource), resource.properties
        budget = dict(given["Budget"])
        budget.setdefault("BudgetName", resource.generated_name(100))
        values = {"AccountId": resource.account, "Budget": budget}
        if "NotificationsWithSubscribers" in given:
            values["NotificationsWithSubscribers"] = given["NotificationsWithSubscribers"]
        api.create_budget(**parameters(api, "create_budget", values, resource.lost))
        resource.physical_resource_id = budget["BudgetName"]

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        self.api(resource).delete_budget(AccountId=resource.account, BudgetName=resource.physical_resource_id)


def _entries(parameters_by_name: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {
            "ParameterKey": name,
            "ParameterValue": ",".join(map(str, value)) if isinstance(value, list) else str(value),
        }
        for name, value in parameters_by_name.items()
    ]


KINDS: dict[str, Kind] = {
    "AWS::CDK::Metadata": MetadataKind(),
    "AWS::CloudFormation::Stack": NestedStackKind(),
    "AWS::CloudFormation::WaitConditionHandle": RecordedKind(why="nothing signals it in a rehearsal"),
    "AWS::Budgets::Budget": BudgetKind(),
}
