"""What is watched: logs, alarms, dashboards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudformation.api import PutKind
from mlplatform_cdk.local.adapters.cloudformation.clients import client
from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, pairs
from mlplatform_cdk.local.adapters.cloudformation.stand_ins import RecordedKind

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind, Resource

_OBSERVED = "nothing evaluates it in a rehearsal"


class LogGroupKind(CodedKind):
    """A log group."""

    service = "logs"
    name = "LogGroupName"
    name_limit = 512

    def make(self, resource: Resource) -> None:
        """Create it."""
        given = resource.properties
        more = {"kmsKeyId": given["KmsKeyId"]} if "KmsKeyId" in given else {}
        tags = pairs(given.get("Tags"))
        self.api(resource).create_log_group(
            logGroupName=given["LogGroupName"], **more, **({"tags": tags} if tags else {})
        )
        resource.physical_resource_id = given["LogGroupName"]
        resource.attributes = {"Arn": resource.arn("logs", f"log-group:{given['LogGroupName']}:*")}
        if given.get("LogGroupClass", "STANDARD") != "STANDARD":
            resource.lost.append("LogGroupClass")

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """How long it keeps."""
        api, name = self.api(resource), resource.physical_resource_id
        if "RetentionInDays" in resource.properties:
            api.put_retention_policy(logGroupName=name, retentionInDays=int(resource.properties["RetentionInDays"]))
        elif before is not None and "RetentionInDays" in before.properties:
            api.delete_retention_policy(logGroupName=name)

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        self.api(resource).delete_log_group(logGroupName=resource.physical_resource_id)


class AlarmKind(PutKind):
    """An alarm, of metrics or of other alarms; deletion takes a list."""

    def attribute(self, resource: Resource, name: str) -> Any:
        """Its ARN is all that it has."""
        if name == "Arn":
            return resource.arn("cloudwatch", f"alarm:{resource.physical_resource_id}")
        return super().attribute(resource, name)

    def delete(self, resource: Resource) -> None:
        """Delete it."""
        client("cloudwatch", resource.region).delete_alarms(AlarmNames=[resource.physical_resource_id])


KINDS: dict[str, Kind] = {
    "AWS::Logs::LogGroup": LogGroupKind(),
    "AWS::Logs::MetricFilter": PutKind(
        type="AWS::Logs::MetricFilter",
        service="logs",
        create_operation="put_metric_filter",
        delete_operation="delete_metric_filter",
        physical_id="=FilterName",
        name="FilterName",
        key={"logGroupName": "=LogGroupName", "filterName": "=FilterName"},
    ),
    "AWS::Logs::SubscriptionFilter": PutKind(
        type="AWS::Logs::SubscriptionFilter",
        service="logs",
        create_operation="put_subscription_filter",
        delete_operation="delete_subscription_filter",
        physical_id="=FilterName",
        name="FilterName",
        key={"logGroupName": "=LogGroupName", "filterName": "=FilterName"},
    ),
    "AWS::Logs::QueryDefinition": RecordedKind(why=_OBSERVED),
    "AWS::CloudWatch::Alarm": AlarmKind(
        type="AWS::CloudWatch::Alarm",
        service="cloudwatch",
        create_operation="put_metric_alarm",
        physical_id="=AlarmName",
        name="AlarmName",
        name_limit=255,
        key={"AlarmName": "=AlarmName"},
    ),
    "AWS::CloudWatch::CompositeAlarm": AlarmKind(
        type="AWS::CloudWatch::CompositeAlarm",
        service="cloudwatch",
        create_operation="put_composite_alarm",
        physical_id="=AlarmName",
        name="AlarmName",
        name_limit=255,
        key={"AlarmName": "=AlarmName"},
    ),
    "AWS::CloudWatch::AnomalyDetector": RecordedKind(why=_OBSERVED),
    "AWS::XRay::Group": RecordedKind(why=_OBSERVED, name="GroupName"),
    "AWS::XRay::SamplingRule": RecordedKind(why=_OBSERVED),
}
