"""A stack as moto's answers want it, with resources that have states of their own and events that tell them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from moto.cloudformation.models import Event, Export
from moto.cloudformation.models import Stack as MotoStack
from moto.core.utils import utcnow

from mlplatform_cdk.local.adapters.cloudformation import parameters as template_parameters
from mlplatform_cdk.local.adapters.cloudformation.intrinsics import Scope
from mlplatform_cdk.local.adapters.cloudformation.template import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplatform_cdk.local.adapters.cloudformation.resource import Resource


class Stack(MotoStack):
    """Moto's stack in name and attributes; what it holds and how it changes is ours.

    :param shared_exports: the exports of all stacks of the account and region.
    """

    def __init__(
        self,
        *,
        stack_id: str,
        name: str,
        account_id: str,
        region_name: str,
        shared_exports: dict[str, Export],
        tags: dict[str, str] | None = None,
        role_arn: str | None = None,
        notification_arns: list[str] | None = None,
        enable_termination_protection: bool = False,
    ) -> None:
        self.stack_id = stack_id
        self.name = name
        self.account_id = account_id
        self.region_name = region_name
        self.shared_exports = shared_exports
        self.tags = tags or {}
        self.role_arn = role_arn
        self.notification_arns = notification_arns or []
        self.enable_termination_protection = enable_termination_protection
        self.disable_rollback = False
        self.timeout_in_minutes = None
        self.policy = ""
        self.template: str = ""
        self.template_dict: dict[str, Any] = {}
        self.parameters: dict[str, str] = {}
        self.deployed_parameters: dict[str, Any] = {}
        self.description: str | None = None
        self.creation_time = utcnow()
        self.last_updated_time: Any = None
        self.status = "REVIEW_IN_PROGRESS"
        self.stack_status_reason: str | None = None
        self.change_set_id: str | None = None
        self.events: list[Event] = []
        self.resources: dict[str, Resource] = {}
        self.shown_outputs: list[dict[str, Any]] = []
        self.own_exports: list[Export] = []
        self.lock = threading.RLock()

    def take(self, text: str, parameters: Mapping[str, str]) -> None:
        """Make ``text`` the template and ``parameters`` the raw values of its parameters."""
        template = parse(text)
        self.parameters = template_parameters.given_or_default(template, dict(parameters))
        self.template, self.template_dict = text, template
        self.description = template.get("Description")

    def scope(self) -> Scope:
        """What names mean in the present template."""
        return Scope(
            template=self.template_dict,
            pseudo={
                "AWS::AccountId": self.account_id,
                "AWS::Region": self.region_name,
                "AWS::StackId": self.stack_id,
                "AWS::StackName": self.name,
                "AWS::URLSuffix": "amazonaws.com",
                "AWS::Partition": "aws",
                "AWS::NotificationARNs": self.notification_arns,
            },
            parameters=template_parameters.resolved(self.template_dict, self.parameters, self.region_name),
            resources=self.resources,
            exports=self.shared_exports,
        )

    def publish_outputs(self) -> None:
        """Resolve the outputs, and export those that have an export name."""
        scope = self.scope()
        self.deployed_parameters = scope.parameters
        self._forget_exports()
        self.shown_outputs = []
        for key, entry in (self.template_dict.get("Outputs") or {}).items():
            if "Condition" in entry and not scope.holds(entry["Condition"]):
                continue
            value = str(scope.resolve(entry["Value"]))
            output = {"OutputKey": key, "OutputValue": value, "Description": entry.get("Description")}
            if "Export" in entry:
                export = Export(self.stack_id, str(scope.resolve(entry["Export"]["Name"])), value)
                self.own_exports.append(export)
                self.shared_exports[export.name] = export
                output["ExportName"] = export.name
            self.shown_outputs.append(output)

    def withdraw_outputs(self) -> None:
        """The stack is gone, and its exports with it."""
        self._forget_exports()
        self.shown_outputs = []

    def _forget_exports(self) -> None:
        for export in self.own_exports:
            self.shared_exports.pop(export.name, None)
        self.own_exports = []

    def say(self, status: str, reason: str | None = None) -> None:
        """Enter ``status``, with an event."""
        self.status, self.stack_status_reason = status, reason
        self._event(self.name, self.stack_id, "AWS::CloudFormation::Stack", status, reason)

    def say_of(self, resource: Resource, status: str, reason: str | None = None) -> None:
        """Tell what happened to a resource."""
        self._event(
            resource.logical_resource_id, resource.physical_resource_id, resource.cf_resource_type, status, reason
        )

    def _event(self, logical_id: str, physical_id: str, kind: str, status: str, reason: str | None) -> None:
        event = Event(self.stack_id, self.name, logical_id, physical_id, kind, status, reason, None)
        event.sendToSns(self.account_id, self.region_name, self.notification_arns)
        self.events.append(event)

    @property
    def outputs(self) -> list[dict[str, Any]] | None:
        """What DescribeStacks shows."""
        return self.shown_outputs or None

    @property
    def exports(self) -> list[Export]:
        """What ListExports shows of this stack."""
        return self.own_exports

    @property
    def parameter_list(self) -> list[dict[str, Any]]:
        """What DescribeStacks shows; secrets are masked."""
        declared = self.template_dict.get("Parameters", {})
        return [
            {"ParameterKey": name, "ParameterValue": "****" if declared.get(name, {}).get("NoEcho") else value}
            for name, value in self.parameters.items()
        ]

    @property
    def stack_parameters(self) -> dict[str, Any]:
        """Raw values: what UsePreviousValue means."""
        return self.parameters

    @property
    def stack_resources(self) -> list[Any]:
        """What stands now."""
        return list(self.resources.values())
