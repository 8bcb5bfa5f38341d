"""What stays when its stack goes, by the name that it has in the account, or the form of that name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlplatform_cdk.assembly.cost.money import Amount
    from mlplatform_cdk.assembly.diff.sources import Source

KEEPING = ("Retain", "RetainExceptOnCreate", "Snapshot")
_WHY = {
    "AWS::S3::Bucket": "its objects",
    "AWS::DynamoDB::Table": "its items",
    "AWS::DynamoDB::GlobalTable": "its items, in all regions",
    "AWS::KMS::Key": "whatever it encrypts is unreadable without it",
    "AWS::KMS::ReplicaKey": "whatever it encrypts is unreadable without it",
    "AWS::SageMaker::ModelPackageGroup": "the versions of the model, and who approved them",
    "AWS::SageMaker::Domain": "people's work in Studio, with the profiles and spaces that they made themselves",
    "AWS::SageMaker::UserProfile": "people's work in Studio",
    "AWS::SageMaker::Space": "the disk with somebody's work",
    "AWS::Backup::BackupVault": "the backups in it",
    "AWS::ECR::Repository": "its images",
    "AWS::EFS::FileSystem": "its files",
    "AWS::Logs::LogGroup": "its logs",
}
_NAMES = ("BucketName", "TableName", "ModelPackageGroupName", "DomainName", "SpaceName", "UserProfileName")
_MORE_NAMES = ("BackupVaultName", "RepositoryName", "LogGroupName", "Name")
# Types that CloudFormation names after the stack and the logical id, with the longest name that it then gives.
_GENERATED = {
    "AWS::DynamoDB::GlobalTable": 255,
    "AWS::DynamoDB::Table": 255,
    "AWS::ECR::Repository": 256,
    "AWS::S3::Bucket": 63,
}
_LOWER_CASE = ("AWS::ECR::Repository", "AWS::S3::Bucket")
_PROTECTIONS = ("DeletionProtection", "DeletionProtectionEnabled")
_SUFFIX = 13  # a hyphen and twelve characters by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One thing that stays.

    :param stack: the stack's name in CloudFormation; empty: no stack knows of it.
    :param region: where it is; empty: wherever the stack is deployed.
    :param type: the type in CloudFormation, or what it is in words where no template holds it.
    :param name: as in the account; a ``*`` stands for what is made up when it is created.
    :param why: what it holds, and what keeps it.
    :param month: what it costs a month when nobody uses it any more; None: nobody knows from here.
    """

    stack: str
    region: str
    type: str
    name: str
    why: str
    month: Amount | None


def refuses_to_go(source: Source, logical_id: str) -> bool:
    """Would its service refuse to delete it: it is protected, and CloudFormation tries all the same."""
    properties = source.resources[logical_id].get("Properties") or {}
    attributes = properties.get("LoadBalancerAttributes") or []
    switches = [properties.get(name) for name in _PROTECTIONS]
    switches += [one.get("Value") for one in attributes if one.get("Key") == "deletion_protection.enabled"]
    return not why_of(source, logical_id) and any(str(one).lower() == "true" for one in switches)


def why_of(source: Source, logical_id: str) -> str:
    """Why a resource stays; empty: it goes."""
    resource = source.resources[logical_id]
    policy = resource.get("DeletionPolicy")
    if policy not in KEEPING:
        return ""
    holds = _WHY.get(str(resource.get("Type")), "its data")
    properties = resource.get("Properties") or {}
    protected = "; protected from deletion" if properties.get("DeletionProtectionEnabled") else ""
    return f"{holds} (DeletionPolicy {policy}{protected})"


def name_of(source: Source, logical_id: str) -> str:
    """The name in the account: the template's, or the form of what CloudFormation makes up, or the construct's path."""
    resource = source.resources[logical_id]
    properties = resource.get("Properties") or {}
    told = next((properties[name] for name in (*_NAMES, *_MORE_NAMES) if isinstance(properties.get(name), str)), None)
    if told is not None:
        return str(told)
    longest = _GENERATED.get(str(resource.get("Type")), 0)
    made = f"{source.name}-{logical_id}"
    if len(made) + _SUFFIX > longest:
        return f"the one of {source.path_of(logical_id).removesuffix('/Resource') or logical_id}"
    return f"{made.lower() if resource['Type'] in _LOWER_CASE else made}-*"
