"""Queues, topics, their policies and subscriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, pairs, parameters

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind, Resource

_FIFO = ".fifo"
_NO_ATTRIBUTE = ("DataProtectionPolicy", "DeliveryStatusLogging")


def _attributes(properties: dict[str, Any], left_out: set[str]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key not in left_out}


class QueueKind(CodedKind):
    """A queue; all its settings are attributes."""

    service = "sqs"
    name = "QueueName"
    name_limit = 80
    fixed = frozenset({"FifoQueue"})

    def made_up(self, resource: Resource) -> str:
        """Those that keep order end in ``.fifo``."""
        if str(resource.properties.get("FifoQueue", False)).lower() == "true":
            return resource.generated_name(80 - len(_FIFO)) + _FIFO
        return super().made_up(resource)

    def make(self, resource: Resource) -> None:
        """Create it with its attributes."""
        api, name = self.api(resource), resource.properties["QueueName"]
        values = {"QueueName": name, "Attributes": self._settings(resource)}
        tags = pairs(resource.properties.get("Tags"))
        url = api.create_queue(**parameters(api, "create_queue", values, resource.lost), tags=tags)["QueueUrl"]
        resource.physical_resource_id = url
        resource.attributes = {"Arn": resource.arn("sqs", name), "QueueName": name, "QueueUrl": url}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Set the attributes that an update changed."""
        if before is None:
            return
        api = self.api(resource)
        settings = self._settings(resource)
        settings.pop("FifoQueue", None)
        gone = {name: "" for name in self._settings(before) if name not in settings and name.endswith("Policy")}
        values = {"QueueUrl": resource.physical_resource_id, "Attributes": settings | gone}
        if values["Attributes"]:
            api.set_queue_attributes(**parameters(api, "set_queue_attributes", values, resource.lost))

    def unmake(self, resource: Resource) -> None:
        """Delete it, messages and all."""
        self.api(resource).delete_queue(QueueUrl=resource.physical_resource_id)

    def _settings(self, resource: Resource) -> dict[str, Any]:
        return _attributes(dict(resource.properties.items()), {"QueueName", "Tags"})


class TopicKind(CodedKind):
    """A topic with the subscriptions that stand in it."""

    service = "sns"
    name = "TopicName"
    name_limit = 256
    fixed = frozenset({"FifoTopic"})

    def make(self, resource: Resource) -> None:
        """Create it."""
        api, name = self.api(resource), resource.properties["TopicName"]
        tags = [{"Key": key, "Value": value} for key, value in pairs(resource.properties.get("Tags")).items()]
        values = {"Name": name, "Attributes": self._settings(resource)}
        arn = api.create_topic(**parameters(api, "create_topic", values, resource.lost), Tags=tags)["TopicArn"]
        resource.physical_resource_id = arn
        resource.attributes = {"TopicArn": arn, "TopicName": name}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Attributes one by one, and the subscriptions that are new."""
        api, arn = self.api(resource), resource.physical_resource_id
        old = [] if before is None else before.properties.get("Subscription", [])
        for subscription in resource.properties.get("Subscription", []):
            if subscription not in old:
                api.subscribe(TopicArn=arn, Protocol=subscription["Protocol"], Endpoint=subscription["Endpoint"])
        if before is not None:
            for name, value in self._settings(resource).items():
                values = {"TopicArn": arn, "AttributeName": name, "AttributeValue": value}
                api.set_topic_attributes(**parameters(api, "set_topic_attributes", values, resource.lost))

    def unmake(self, resource: Resource) -> None:
        """Delete it and its subscriptions."""
        self.api(resource).delete_topic(TopicArn=resource.physical_resource_id)

    def _settings(self, resource: Resource) -> dict[str, Any]:
        given = dict(resource.properties.items())
        resource.lost.extend(name for name in _NO_ATTRIBUTE if name in given)
        return _attributes(given, {"TopicName", "Tags", "Subscription", *_NO_ATTRIBUTE})


class SubscriptionKind(CodedKind):
    """A subscription; what it filters and how it delivers may change in place."""

    service = "sns"
    fixed = frozenset({"TopicArn", "Protocol", "Endpoint"})

    def make(self, resource: Resource) -> None:
        """Subscribe."""
        given = resource.properties
        resource.physical_resource_id = self.api(resource).subscribe(
            TopicArn=given["TopicArn"],
            Protocol=given["Protocol"],
            Endpoint=given["Endpoint"],
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]

    def settle(self, resource: Resource, before: Resource | None = None) -> None:  # noqa: ARG002 -- set anew
        """Attributes one by one."""
        api = self.api(resource)
        for name, value in _attributes(dict(resource.properties.items()), {*self.fixed, "Region"}).items():
            values = {
                "SubscriptionArn": resource.physical_resource_id,
                "AttributeName": name,
                "AttributeValue": value,
            }
            api.set_subscription_attributes(**parameters(api, "set_subscription_attributes", values, resource.lost))

    def unmake(self, resource: Resource) -> None:
        """End the subscription."""
        self.api(resource).unsubscribe(SubscriptionArn=resource.physical_resource_id)


class QueuePolicyKind(CodedKind):
    """One policy on one queue or more."""

    service = "sqs"
    fixed = frozenset({"Queues"})

    def make(self, resource: Resource) -> None:
        """A policy has no thing of its own: its id is made up."""
        resource.physical_resource_id = resource.generated_name()
        resource.attributes = {"Id": resource.physical_resource_id}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:  # noqa: ARG002 -- set anew
        """Put it on every queue."""
        api = self.api(resource)
        for queue in resource.properties["Queues"]:
            values = {"QueueUrl": queue, "Attributes": {"Policy": resource.properties["PolicyDocument"]}}
            api.set_queue_attributes(**parameters(api, "set_queue_attributes", values, resource.lost))

    def unmake(self, resource: Resource) -> None:
        """Take it off every queue."""
        for queue in resource.properties["Queues"]:
            self.api(resource).set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})


class TopicPolicyKind(QueuePolicyKind):
    """One policy on one topic or more; it stays on a topic that outlives it, as AWS keeps a default there."""

    service = "sns"
    fixed = frozenset({"Topics"})

    def settle(self, resource: Resource, before: Resource | None = None) -> None:  # noqa: ARG002 -- set anew
        """Put it on every topic."""
        api = self.api(resource)
        for topic in resource.properties["Topics"]:
            values = {
                "TopicArn": topic,
                "AttributeName": "Policy",
                "AttributeValue": resource.properties["PolicyDocument"],
            }
            api.set_topic_attributes(**parameters(api, "set_topic_attributes", values, resource.lost))

    def unmake(self, resource: Resource) -> None:
        """The topic has another policy soon, or is gone."""


KINDS: dict[str, Kind] = {
    "AWS::SQS::Queue": QueueKind(),
    "AWS::SQS::QueuePolicy": QueuePolicyKind(),
    "AWS::SNS::Topic": TopicKind(),
    "AWS::SNS::TopicPolicy": TopicPolicyKind(),
    "AWS::SNS::Subscription": SubscriptionKind(),
}
