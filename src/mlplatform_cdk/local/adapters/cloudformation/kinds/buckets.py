"""Buckets with all that a template says of them; moto's own type takes the encryption and the tags alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, parameters
from mlplatform_cdk.local.adapters.cloudformation.kinds import lifecycle

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlplatform_cdk.local.adapters.cloudformation.resource import Resource

_WORD = re.compile(r"(?<!^)(?=[A-Z])")
_NOTIFICATIONS = {
    "LambdaConfigurations": ("LambdaFunctionConfigurations", "Function", "LambdaFunctionArn"),
    "QueueConfigurations": ("QueueConfigurations", "Queue", "QueueArn"),
    "TopicConfigurations": ("TopicConfigurations", "Topic", "TopicArn"),
}


class BucketKind(CodedKind):
    """A bucket."""

    service = "s3"
    name = "BucketName"
    name_limit = 63
    fixed = frozenset({"ObjectLockEnabled"})
    changes_tags = True

    def made_up(self, resource: Resource) -> str:
        """In lower case."""
        return super().made_up(resource).lower()

    def make(self, resource: Resource) -> None:
        """Create it."""
        name = resource.properties["BucketName"]
        more: dict[str, Any] = {}
        if resource.region != "us-east-1":
            more["CreateBucketConfiguration"] = {"LocationConstraint": resource.region}
        if str(resource.properties.get("ObjectLockEnabled", False)).lower() == "true":
            more["ObjectLockEnabledForBucket"] = True
        self.api(resource).create_bucket(Bucket=name, **more)
        resource.physical_resource_id = name
        domain = f"{name}.s3.amazonaws.com"
        resource.attributes = {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": domain,
            "RegionalDomainName": f"{name}.s3.{resource.region}.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{resource.region}.amazonaws.com",
            "WebsiteURL": f"http://{name}.s3-website-{resource.region}.amazonaws.com",
        }

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Set what the template says, and take back what it no longer says."""
        api = self.api(resource)
        for name, setting in _SETTINGS.items():
            if name in resource.properties:
                operation, values = setting(resource.properties[name])
                self._call(api, operation, {"Bucket": resource.physical_resource_id, **values}, resource)
            elif before is not None and name in before.properties and name in _REMOVALS:
                operation, values = _REMOVALS[name]
                self._call(api, operation, {"Bucket": resource.physical_resource_id, **values}, resource)

    def unmake(self, resource: Resource) -> None:
        """Delete it; a bucket with objects cannot be deleted, as in AWS."""
        self.api(resource).delete_bucket(Bucket=resource.physical_resource_id)

    def _call(self, api: Any, operation: str, values: dict[str, Any], resource: Resource) -> None:
        getattr(api, operation)(**parameters(api, operation, values, resource.lost))


class BucketPolicyKind(CodedKind):
    """The one policy of a bucket."""

    service = "s3"
    fixed = frozenset({"Bucket"})

    def make(self, resource: Resource) -> None:
        """A bucket policy has its bucket's name."""
        resource.physical_resource_id = resource.properties["Bucket"]

    def settle(self, resource: Resource, before: Resource | None = None) -> None:  # noqa: ARG002 -- put anew
        """Put the policy."""
        api = self.api(resource)
        values = {"Bucket": resource.physical_resource_id, "Policy": resource.properties["PolicyDocument"]}
        api.put_bucket_policy(**parameters(api, "put_bucket_policy", values, resource.lost))

    def unmake(self, resource: Resource) -> None:
        """Take the policy off the bucket."""
        self.api(resource).delete_bucket_policy(Bucket=resource.physical_resource_id)


def _encryption(value: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    rules = [
        {("Apply" + key if key == "ServerSideEncryptionByDefault" else key): item for key, item in rule.items()}
        for rule in value["ServerSideEncryptionConfiguration"]
    ]
    return "put_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": rules}}


def _logging(value: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    if "DestinationBucketName" not in value:
        return "put_bucket_logging", {"BucketLoggingStatus": {}}
    target = {"TargetBucket": value["DestinationBucketName"], "TargetPrefix": value.get("LogFilePrefix", "")}
    return "put_bucket_logging", {"BucketLoggingStatus": {"LoggingEnabled": target}}


def _notification(value: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    configuration: dict[str, Any] = {}
    if "EventBridgeConfiguration" in value:
        switch = value["EventBridgeConfiguration"].get("EventBridgeEnabled", True)
        if str(switch).lower() == "true":
            configuration["EventBridgeConfiguration"] = {}
    for name, (parameter, key, arn) in _NOTIFICATIONS.items():
        if name in value:
            configuration[parameter] = [_delivery(item, key, arn) for item in value[name]]
    return "put_bucket_notification_configuration", {"NotificationConfiguration": configuration}


def _delivery(item: dict[str, Any], key: str, arn: str) -> dict[str, Any]:
    rules = item.get("Filter", {}).get("S3Key", {}).get("Rules", [])
    filtered = {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
    return {arn: item[key], "Events": [item["Event"]], **filtered}


def _plain(operation: str, parameter: str, inner: str = "") -> Callable[[Any], tuple[str, dict[str, Any]]]:
    return lambda value: (operation, {parameter: {inner: value} if inner else value})


_SETTINGS: dict[str, Callable[[Any], tuple[str, dict[str, Any]]]] = {
    "OwnershipControls": _plain("put_bucket_ownership_controls", "OwnershipControls"),
    "PublicAccessBlockConfiguration": _plain("put_public_access_block", "PublicAccessBlockConfiguration"),
    "BucketEncryption": _encryption,
    "VersioningConfiguration": _plain("put_bucket_versioning", "VersioningConfiguration"),
    "LifecycleConfiguration": lambda value: (
        "put_bucket_lifecycle_configuration",
        {"LifecycleConfiguration": {"Rules": [lifecycle.rule(rule) for rule in value["Rules"]]}},
    ),
    "LoggingConfiguration": _logging,
    "NotificationConfiguration": _notification,
    "CorsConfiguration": lambda value: (
        "put_bucket_cors",
        {"CORSConfiguration": {"CORSRules": [lifecycle.cors(rule) for rule in value["CorsRules"]]}},
    ),
    "AccelerateConfiguration": lambda value: (
        "put_bucket_accelerate_configuration",
        {"AccelerateConfiguration": {"Status": value["AccelerationStatus"]}},
    ),
    "ObjectLockConfiguration": _plain("put_object_lock_configuration", "ObjectLockConfiguration"),
    "ReplicationConfiguration": _plain("put_bucket_replication", "ReplicationConfiguration"),
    "AccessControl": lambda value: ("put_bucket_acl", {"ACL": _WORD.sub("-", value).lower()}),
    "Tags": _plain("put_bucket_tagging", "Tagging", "TagSet"),
}

_REMOVALS: dict[str, tuple[str, dict[str, Any]]] = {
    "OwnershipControls": ("delete_bucket_ownership_controls", {}),
    "PublicAccessBlockConfiguration": ("delete_public_access_block", {}),
    "BucketEncryption": ("delete_bucket_encryption", {}),
    "VersioningConfiguration": ("put_bucket_versioning", {"VersioningConfiguration": {"Status": "Suspended"}}),
    "LifecycleConfiguration": ("delete_bucket_lifecycle", {}),
    "LoggingConfiguration": ("put_bucket_logging", {"BucketLoggingStatus": {}}),
    "NotificationConfiguration": ("put_bucket_notification_configuration", {"NotificationConfiguration": {}}),
    "CorsConfiguration": ("delete_bucket_cors", {}),
    "ReplicationConfiguration": ("delete_bucket_replication", {}),
    "Tags": ("delete_bucket_tagging", {}),
}
