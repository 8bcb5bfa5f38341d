"""Where data lies: DynamoDB and ECR; buckets have a module of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, pairs, parameters
from mlplatform_cdk.local.adapters.cloudformation.kinds.buckets import BucketKind, BucketPolicyKind
from mlplatform_cdk.local.adapters.cloudformation.stand_ins import RecordedKind

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind, Resource

_SEPARATE = {
    "PointInTimeRecoverySpecification",
    "TimeToLiveSpecification",
    "DeletionProtectionEnabled",
    "Replicas",
}
_UNSUPPORTED = {"ResourcePolicy", "ContributorInsightsSpecification"}


class TableKind(CodedKind):
    """A table, and a global table as far as its own region's replica."""

    service = "dynamodb"
    name = "TableName"
    name_limit = 255
    fixed = frozenset({"KeySchema", "LocalSecondaryIndexes"})

    def make(self, resource: Resource) -> None:
        """Create it; the replica in this region says how it is encrypted."""
        values = {key: value for key, value in resource.properties.items() if key not in _SEPARATE | _UNSUPPORTED}
        encryption = dict(values.get("SSESpecification", {}))
        encryption |= self._replica(resource).get("SSESpecification", {})
        if encryption:
            values["SSESpecification"] = {
                "Enabled": encryption.get("SSEEnabled", True),
                "SSEType": encryption.get("SSEType", "KMS"),
                **({"KMSMasterKeyId": encryption["KMSMasterKeyId"]} if "KMSMasterKeyId" in encryption else {}),
            }
        streams = values.get("StreamSpecification")
        if streams:
            values["StreamSpecification"] = {"StreamEnabled": True, **streams}
        api = self.api(resource)
        values.setdefault("BillingMode", "PROVISIONED")
        table = api.create_table(**parameters(api, "create_table", values, resource.lost))["TableDescription"]
        resource.physical_resource_id = resource.properties["TableName"]
        resource.attributes = {"Arn": table["TableArn"], "TableId": table.get("TableId")}
        if "LatestStreamArn" in table:
            resource.attributes["StreamArn"] = table["LatestStreamArn"]
        resource.lost.extend(name for name in _UNSUPPORTED if name in resource.properties)
        others = [r["Region"] for r in resource.properties.get("Replicas", []) if r["Region"] != resource.region]
        resource.lost.extend(f"Replicas.{region}" for region in others)

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Recovery, time to live and throughput."""
        api, table = self.api(resource), resource.physical_resource_id
        replica = self._replica(resource)
        recovery = resource.properties.get("PointInTimeRecoverySpecification") or replica.get(
            "PointInTimeRecoverySpecification"
        )
        if recovery:
            api.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=recovery)
        lifetime = resource.properties.get("TimeToLiveSpecification")
        if lifetime:
            api.update_time_to_live(TableName=table, TimeToLiveSpecification=lifetime)
        protection = resource.properties.get("DeletionProtectionEnabled", replica.get("DeletionProtectionEnabled"))
        if protection is not None:
            api.update_table(TableName=table, DeletionProtectionEnabled=str(protection).lower() == "true")
        if before is not None:
            names = ("BillingMode", "ProvisionedThroughput")
            values = {name: resource.properties[name] for name in names if name in resource.properties}
            if values:
                api.update_table(TableName=table, **parameters(api, "update_table", values, resource.lost))

    def unmake(self, resource: Resource) -> None:
        """Delete it, data and all."""
        self.api(resource).delete_table(TableName=resource.physical_resource_id)

    def _replica(self, resource: Resource) -> dict[str, Any]:
        replicas = resource.properties.get("Replicas", [])
        return next((dict(replica) for replica in replicas if replica["Region"] == resource.region), {})


class RepositoryKind(CodedKind):
    """A repository; a generated name is lower case, as ECR wants it."""

    service = "ecr"
    name = "RepositoryName"
    name_limit = 256
    fixed = frozenset({"EncryptionConfiguration"})

    def made_up(self, resource: Resource) -> str:
        """In lower case."""
        return super().made_up(resource).lower()

    def make(self, resource: Resource) -> None:
        """Create it."""
        api = self.api(resource)
        names = ("RepositoryName", "ImageScanningConfiguration", "ImageTagMutability", "EncryptionConfiguration")
        values = {name: resource.properties[name] for name in names if name in resource.properties}
        values["tags"] = [{"Key": k, "Value": v} for k, v in pairs(resource.properties.get("Tags")).items()]
        answer = api.create_repository(**parameters(api, "create_repository", values, resource.lost))["repository"]
        resource.physical_resource_id = answer["repositoryName"]
        resource.attributes = {"Arn": answer["repositoryArn"], "RepositoryUri": answer["repositoryUri"]}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Policy and lifecycle."""
        api, name = self.api(resource), resource.physical_resource_id
        lifecycle = resource.properties.get("LifecyclePolicy", {}).get("LifecyclePolicyText")
        if lifecycle:
            api.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=lifecycle)
        values = {"repositoryName": name, "policyText": resource.properties.get("RepositoryPolicyText")}
        if values["policyText"]:
            api.set_repository_policy(**parameters(api, "set_repository_policy", values, resource.lost))
        if before is not None and "ImageTagMutability" in resource.properties:
            api.put_image_tag_mutability(
                repositoryName=name, imageTagMutability=resource.properties["ImageTagMutability"]
            )

    def unmake(self, resource: Resource) -> None:
        """Delete it; with its images only where the template says so."""
        force = str(resource.properties.get("EmptyOnDelete", False)).lower() == "true"
        self.api(resource).delete_repository(repositoryName=resource.physical_resource_id, force=force)


_NOT_COPIED = "no image is copied to another region"

KINDS: dict[str, Kind] = {
    "AWS::S3::Bucket": BucketKind(),
    "AWS::S3::BucketPolicy": BucketPolicyKind(),
    "AWS::DynamoDB::Table": TableKind(),
    "AWS::DynamoDB::GlobalTable": TableKind(),
    "AWS::ECR::Repository": RepositoryKind(),
    "AWS::ECR::ReplicationConfiguration": RecordedKind(why=_NOT_COPIED),
    "AWS::ECR::RegistryPolicy": RecordedKind(why=_NOT_COPIED),
    "AWS::ECR::RepositoryCreationTemplate": RecordedKind(why=_NOT_COPIED, name="Prefix", fixed=frozenset({"Prefix"})),
}
