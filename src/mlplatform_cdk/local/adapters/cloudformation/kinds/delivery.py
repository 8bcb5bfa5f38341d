"""What starts other things: rules, schedules, state machines, and the scaling of what runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudformation.api import ApiKind
from mlplatform_cdk.local.adapters.cloudformation.clients import client
from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, gone_is_fine, pairs, parameters
from mlplatform_cdk.local.adapters.cloudformation.resource import CannotProvision

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind, Resource


class RuleKind(CodedKind):
    """A rule and its targets."""

    service = "events"
    name = "Name"
    fixed = frozenset({"EventBusName"})

    def make(self, resource: Resource) -> None:
        """Put the rule, and learn its ARN."""
        arn = self._put(resource)["RuleArn"]
        resource.physical_resource_id = resource.properties["Name"]
        resource.attributes = {"Arn": arn}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Put the rule anew, its targets, and take away those that are gone."""
        if before is not None:
            self._put(resource)
        targets = resource.properties.get("Targets", [])
        api = self.api(resource)
        if targets:
            values = {**self._where(resource), "Targets": targets}
            fit = parameters(api, "put_targets", values, resource.lost)
            failed = api.put_targets(**fit).get("FailedEntries", [])
            if failed:
                raise CannotProvision(f"PutTargets: {failed[0]['ErrorMessage']}")
        kept = {target["Id"] for target in targets}
        old = [] if before is None else before.properties.get("Targets", [])
        gone = [target["Id"] for target in old if target["Id"] not in kept]
        if gone:
            api.remove_targets(**self._where(resource), Ids=gone)

    def unmake(self, resource: Resource) -> None:
        """Take its targets away, then delete it."""
        api, where = self.api(resource), self._where(resource)
        ids = [target["Id"] for target in resource.properties.get("Targets", [])]
        if ids:
            api.remove_targets(**where, Ids=ids)
        api.delete_rule(Name=where["Rule"], EventBusName=where["EventBusName"])

    def _put(self, resource: Resource) -> dict[str, Any]:
        api = self.api(resource)
        values = {key: value for key, value in resource.properties.items() if key != "Targets"}
        values.setdefault("EventBusName", "default")
        answer: dict[str, Any] = api.put_rule(**parameters(api, "put_rule", values, resource.lost))
        return answer

    def _where(self, resource: Resource) -> dict[str, str]:
        return {
            "Rule": resource.physical_resource_id,
            "EventBusName": resource.properties.get("EventBusName", "default"),
        }


class StateMachineKind(CodedKind):
    """A state machine; its definition as text, as an object, or as an object in S3."""

    service = "stepfunctions"
    name = "StateMachineName"
    name_limit = 80
    fixed = frozenset({"StateMachineType"})

    def make(self, resource: Resource) -> None:
        """Create it where machines are executed."""
        api, given = self.api(resource), resource.properties
        values = {
            "name": given["StateMachineName"],
            "type": given.get("StateMachineType", "STANDARD"),
            "tags": [{"key": key, "value": value} for key, value in pairs(given.get("Tags")).items()],
            **self._settings(resource),
        }
        answer = api.create_state_machine(**parameters(api, "create_state_machine", values, resource.lost))
        arn = answer["stateMachineArn"]
        resource.physical_resource_id = arn
        resource.attributes = {"Arn": arn, "Name": given["StateMachineName"], "StateMachineRevisionId": "INITIAL"}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Change definition, role and logging in place: executions that run go on."""
        if before is not None:
            api = self.api(resource)
            values = {"stateMachineArn": resource.physical_resource_id, **self._settings(resource)}
            api.update_state_machine(**parameters(api, "update_state_machine", values, resource.lost))

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        self.api(resource).delete_state_machine(stateMachineArn=resource.physical_resource_id)

    def _settings(self, resource: Resource) -> dict[str, Any]:
        given = resource.properties
        settings = {"definition": self._definition(resource), "roleArn": given["RoleArn"]}
        for name in ("LoggingConfiguration", "TracingConfiguration", "EncryptionConfiguration"):
            if name in given:
                settings[name] = given[name]
        return settings

    def _definition(self, resource: Resource) -> str:
        given = resource.properties
        if "DefinitionS3Location" in given:
            where = given["DefinitionS3Location"]
            answer = client("s3", resource.region).get_object(Bucket=where["Bucket"], Key=where["Key"])
            text = answer["Body"].read().decode()
        else:
            text = given.get("DefinitionString") or json.dumps(given["Definition"])
        for name, value in given.get("DefinitionSubstitutions", {}).items():
            text = text.replace("${" + name + "}", str(value))
        return str(text)


class ScheduleKind(CodedKind):
    """A schedule in a group."""

    service = "scheduler"
    name = "Name"
    fixed = frozenset({"GroupName"})

    def make(self, resource: Resource) -> None:
        """Create it."""
        api = self.api(resource)
        answer = api.create_schedule(**self._values(resource, "create_schedule"))
        resource.physical_resource_id = resource.properties["Name"]
        resource.attributes = {"Arn": answer["ScheduleArn"]}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """An update says everything anew."""
        if before is not None:
            self.api(resource).update_schedule(**self._values(resource, "update_schedule"))

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        group = resource.properties.get("GroupName", "default")
        self.api(resource).delete_schedule(Name=resource.physical_resource_id, GroupName=group)

    def _values(self, resource: Resource, operation: str) -> dict[str, Any]:
        values = {"State": "ENABLED", **dict(resource.properties.items())}
        return parameters(self.api(resource), operation, values, resource.lost)


class ScalableTargetKind(CodedKind):
    """What may be scaled, and between which bounds."""

    service = "application-autoscaling"
    fixed = frozenset({"ResourceId", "ScalableDimension", "ServiceNamespace"})

    def make(self, resource: Resource) -> None:
        """A target's id names all three of its parts."""
        given = resource.properties
        parts = (given["ResourceId"], given["ScalableDimension"], given["ServiceNamespace"])
        resource.physical_resource_id = "|".join(parts)
        resource.attributes = {"Id": resource.physical_resource_id}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:  # noqa: ARG002 -- registered anew
        """Register it, or register it anew with other bounds."""
        api = self.api(resource)
        values = {key: value for key, value in resource.properties.items() if key != "ScheduledActions"}
        api.register_scalable_target(**parameters(api, "register_scalable_target", values, resource.lost))
        for action in resource.properties.get("ScheduledActions", []):
            fit = parameters(api, "put_scheduled_action", self._of(resource) | action, resource.lost)
            api.put_scheduled_action(**fit)

    def unmake(self, resource: Resource) -> None:
        """Deregister it."""
        self.api(resource).deregister_scalable_target(**self._of(resource))

    def _of(self, resource: Resource) -> dict[str, Any]:
        return {name: resource.properties[name] for name in sorted(self.fixed)}


class ScalingPolicyKind(CodedKind):
    """When a target is scaled; the target is named by its id or by its parts."""

    service = "application-autoscaling"
    fixed = frozenset({"PolicyName", "ResourceId", "ScalableDimension", "ServiceNamespace", "ScalingTargetId"})

    def make(self, resource: Resource) -> None:
        """Put it and learn its ARN."""
        resource.physical_resource_id = self._put(resource)
        resource.attributes = {"Arn": resource.physical_resource_id, "PolicyName": resource.properties["PolicyName"]}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Put it anew."""
        if before is not None:
            self._put(resource)

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        with gone_is_fine():
            self.api(resource).delete_scaling_policy(
                PolicyName=resource.properties["PolicyName"], **self._target(resource)
            )

    def _put(self, resource: Resource) -> str:
        api = self.api(resource)
        given = {key: value for key, value in resource.properties.items() if key != "ScalingTargetId"}
        values = given | self._target(resource)
        answer = api.put_scaling_policy(**parameters(api, "put_scaling_policy", values, resource.lost))
        return str(answer["PolicyARN"])

    def _target(self, resource: Resource) -> dict[str, str]:
        given = resource.properties
        names = ("ResourceId", "ScalableDimension", "ServiceNamespace")
        if "ScalingTargetId" in given:
            return dict(zip(names, str(given["ScalingTargetId"]).split("|"), strict=True))
        return {name: given[name] for name in names}


KINDS: dict[str, Kind] = {
    "AWS::Events::Rule": RuleKind(),
    "AWS::Events::Connection": ApiKind(
        type="AWS::Events::Connection",
        service="events",
        create_operation="create_connection",
        update_operation="update_connection",
        delete_operation="delete_connection",
        physical_id="=Name",
        name="Name",
        key={"Name": "=Name"},
        describe="describe_connection",
        attributes={"Arn": "ConnectionArn"},
    ),
    # Experiments that start documents are run (adapters/experiments); what others break is for AWS alone.
    "AWS::FIS::ExperimentTemplate": ApiKind(
        type="AWS::FIS::ExperimentTemplate",
        service="fis",
        create_operation="create_experiment_template",
        update_operation="update_experiment_template",
        delete_operation="delete_experiment_template",
        physical_id="experimentTemplate.id",
        key={"id": "#"},
        attributes={"Id": "#"},
    ),
    "AWS::StepFunctions::StateMachine": StateMachineKind(),
    "AWS::Scheduler::Schedule": ScheduleKind(),
    "AWS::Scheduler::ScheduleGroup": ApiKind(
        type="AWS::Scheduler::ScheduleGroup",
        service="scheduler",
        create_operation="create_schedule_group",
        delete_operation="delete_schedule_group",
        physical_id="=Name",
        name="Name",
        key={"Name": "=Name"},
        describe="get_schedule_group",
    ),
    "AWS::ApplicationAutoScaling::ScalableTarget": ScalableTargetKind(),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ScalingPolicyKind(),
}
