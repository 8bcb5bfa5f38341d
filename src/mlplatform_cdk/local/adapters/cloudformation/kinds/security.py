"""Who may do what, and with which keys and secrets; roles have a module of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudformation.api import ApiKind, changes
from mlplatform_cdk.local.adapters.cloudformation.clients import client
from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, pairs, parameters
from mlplatform_cdk.local.adapters.cloudformation.kinds.roles import InlinePolicyKind, ManagedPolicyKind, RoleKind
from mlplatform_cdk.local.adapters.cloudformation.resource import MustReplace

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind, Resource

_SETTLED = {"EnableKeyRotation", "RotationPeriodInDays", "PendingWindowInDays", "Enabled", "KeyPolicy", "Tags"}


class KeyKind(CodedKind):
    """A key."""

    service = "kms"
    fixed = frozenset({"KeySpec", "KeyUsage", "MultiRegion", "Origin"})
    changes_tags = True

    def make(self, resource: Resource) -> None:
        """Create it."""
        api, given = self.api(resource), resource.properties
        values = {key: value for key, value in given.items() if key not in _SETTLED}
        if "KeyPolicy" in given:
            values["Policy"] = given["KeyPolicy"]
        values["Tags"] = given.get("Tags", [])
        metadata = api.create_key(**parameters(api, "create_key", values, resource.lost))["KeyMetadata"]
        resource.physical_resource_id = metadata["KeyId"]
        resource.attributes = {"Arn": metadata["Arn"], "KeyId": metadata["KeyId"]}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Rotation; for a changed key its policy and description too."""
        api, given, key = self.api(resource), resource.properties, resource.physical_resource_id
        is_rotated = _is_true(given.get("EnableKeyRotation", False))
        if is_rotated:
            api.enable_key_rotation(KeyId=key, RotationPeriodInDays=int(given.get("RotationPeriodInDays", 365)))
        if _is_true(given.get("Enabled", True)) is False:
            api.disable_key(KeyId=key)
        if before is None:
            return
        if not is_rotated:
            api.disable_key_rotation(KeyId=key)
        values = {"KeyId": key, "PolicyName": "default", "Policy": given["KeyPolicy"]}
        api.put_key_policy(**parameters(api, "put_key_policy", values, resource.lost))
        api.update_key_description(KeyId=key, Description=given.get("Description", ""))
        tags = [{"TagKey": name, "TagValue": value} for name, value in pairs(given.get("Tags")).items()]
        if tags:
            api.tag_resource(KeyId=key, Tags=tags)

    def unmake(self, resource: Resource) -> None:
        """Schedule its deletion, as AWS does."""
        days = int(resource.properties.get("PendingWindowInDays", 30))
        self.api(resource).schedule_key_deletion(KeyId=resource.physical_resource_id, PendingWindowInDays=days)


class ReplicaKeyKind(KeyKind):
    """A key of another region, in this one."""

    fixed = frozenset({"PrimaryKeyArn"})

    def make(self, resource: Resource) -> None:
        """Ask the primary's region for a replica here."""
        primary = resource.properties["PrimaryKeyArn"]
        client("kms", primary.split(":")[3]).replicate_key(KeyId=primary, ReplicaRegion=resource.region)
        resource.physical_resource_id = primary.rpartition("/")[2]
        resource.attributes = {
            "Arn": resource.arn("kms", f"key/{resource.physical_resource_id}"),
            "KeyId": resource.physical_resource_id,
        }


class SecretKind(CodedKind):
    """A secret, given or made up."""

    service = "secretsmanager"
    name = "Name"
    name_limit = 256

    def make(self, resource: Resource) -> None:
        """Create it, with a made-up value where the template asks for one."""
        api, given = self.api(resource), resource.properties
        values = {key: value for key, value in given.items() if key not in {"GenerateSecretString", "ReplicaRegions"}}
        if "GenerateSecretString" in given:
            values["SecretString"] = self._made_up_value(resource, dict(given["GenerateSecretString"]))
        if "ReplicaRegions" in given:
            resource.lost.append("ReplicaRegions")
        values.setdefault("SecretString", "")
        answer = api.create_secret(**parameters(api, "create_secret", values, resource.lost))
        resource.physical_resource_id = answer["ARN"]
        resource.attributes = {"Id": answer["ARN"]}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """A changed value or description; a made-up value stays."""
        given = resource.properties
        if before is not None:
            values = {key: given[key] for key in ("SecretString", "Description", "KmsKeyId") if key in given}
            self.api(resource).update_secret(SecretId=resource.physical_resource_id, **values)

    def unmake(self, resource: Resource) -> None:
        """Delete it for good, so that its name is free."""
        self.api(resource).delete_secret(SecretId=resource.physical_resource_id, ForceDeleteWithoutRecovery=True)

    def _made_up_value(self, resource: Resource, wanted: dict[str, Any]) -> str:

        api = self.api(resource)
        key, template = wanted.pop("GenerateStringKey", None), wanted.pop("SecretStringTemplate", None)
        password = str(
            api.get_random_password(**parameters(api, "get_random_password", wanted, resource.lost))["RandomPassword"]
        )
        return json.dumps(json.loads(template) | {key: password}) if key and template else password


class ParameterKind(CodedKind):
    """A parameter of Systems Manager."""

    service = "ssm"
    name = "Name"
    name_limit = 1024
    fixed = frozenset({"Type", "DataType"})

    def make(self, resource: Resource) -> None:
        """Put it; one that exists is somebody else's."""
        self._put(resource, is_new=True)
        given = resource.properties
        resource.physical_resource_id = given["Name"]
        resource.attributes = {"Type": given["Type"], "Value": given["Value"]}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Put the new value over the old one."""
        if before is not None:
            self._put(resource, is_new=False)
            resource.attributes = {"Type": resource.properties["Type"], "Value": resource.properties["Value"]}

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        self.api(resource).delete_parameter(Name=resource.physical_resource_id)

    def _put(self, resource: Resource, *, is_new: bool) -> None:
        api = self.api(resource)
        values = dict(resource.properties.items())
        tags = pairs(values.pop("Tags", None))
        fit = parameters(api, "put_parameter", values, resource.lost) | {"Overwrite": not is_new}
        if tags and is_new:
            fit["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        api.put_parameter(**fit)


class DocumentKind(CodedKind):
    """A document of Systems Manager; a change of its content is a new version, which is then the default."""

    service = "ssm"
    name = "Name"
    name_limit = 128
    fixed = frozenset({"DocumentFormat", "DocumentType", "TargetType"})

    def make(self, resource: Resource) -> None:
        """Create it."""
        api, given = self.api(resource), resource.properties
        values = {**dict(given.items()), "Content": _text(given["Content"])}
        values.pop("UpdateMethod", None)
        api.create_document(**parameters(api, "create_document", values, resource.lost))
        resource.physical_resource_id = given["Name"]

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Add a version, or replace the document where the template says so."""
        given = resource.properties
        if before is None or "Content" not in changes(resource, before):
            return
        if given.get("UpdateMethod") != "NewVersion":
            raise MustReplace
        api, name = self.api(resource), given["Name"]
        update = api.update_document(Name=name, Content=_text(given["Content"]), DocumentVersion="$LATEST")
        version = update["DocumentDescription"]["DocumentVersion"]
        api.update_document_default_version(Name=name, DocumentVersion=version)

    def unmake(self, resource: Resource) -> None:
        """Delete it with all its versions."""
        self.api(resource).delete_document(Name=resource.physical_resource_id)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content)


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


KINDS: dict[str, Kind] = {
    "AWS::IAM::Role": RoleKind(),
    "AWS::IAM::ManagedPolicy": ManagedPolicyKind(),
    "AWS::IAM::Policy": InlinePolicyKind(),
    "AWS::KMS::Key": KeyKind(),
    "AWS::KMS::ReplicaKey": ReplicaKeyKind(),
    "AWS::KMS::Alias": ApiKind(
        type="AWS::KMS::Alias",
        service="kms",
        create_operation="create_alias",
        update_operation="update_alias",
        delete_operation="delete_alias",
        physical_id="=AliasName",
        key={"AliasName": "=AliasName"},
    ),
    "AWS::SecretsManager::Secret": SecretKind(),
    "AWS::SSM::Document": DocumentKind(),
    "AWS::SSM::Parameter": ParameterKind(),
}
