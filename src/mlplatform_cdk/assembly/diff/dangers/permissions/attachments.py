"""Resources that are nothing but a permission on another: what they are about, and what they allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.canonical import branches, policies
from mlplatform_cdk.assembly.diff.canonical.policies import Permission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplatform_cdk.assembly.diff.canonical import Resource

ATTACHED = {
    "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy",
    "AWS::IAM::GroupPolicy",
}  # fmt: skip
# Type to the property that names what may be called or read.
CALLS = {
    "AWS::ACMPCA::Permission": "CertificateAuthorityArn",
    "AWS::Events::EventBusPolicy": "EventBusName",
    "AWS::Lambda::LayerVersionPermission": "LayerVersionArn",
    "AWS::Lambda::Permission": "FunctionName",
    "AWS::Signer::ProfilePermission": "ProfileName",
}
# What the other types named ...Policy call what they are about; that of a whole account names nothing.
_TARGETS = (
    "Bucket", "ChannelName", "ClusterArn", "EventBusArn", "EventBusName", "FileSystemId", "KnowledgeBaseId", "MrapName",
    "ObjectLambdaAccessPoint", "Queue", "Queues", "RegistryName", "ResourceArn", "ResourceIdentifier", "SecretId",
    "TableARN", "TableBucketARN", "TopicArn", "Topics", "VectorBucketArn", "VectorBucketName", "WorkspaceArn",
)  # fmt: skip
OF_ACCOUNTS = {"AWS::ECR::RegistryPolicy", "AWS::Logs::ResourcePolicy", "AWS::XRay::ResourcePolicy"}
_WAYS_IN = {"AWS::S3::AccessPoint"}  # its policy lets into a bucket
_SOURCES = {
    "SourceArn": "aws:sourcearn",
    "SourceAccount": "aws:sourceaccount",
    "PrincipalOrgID": "aws:principalorgid",
    "OrganizationId": "aws:principalorgid",
}


def targets(resource: Resource) -> list[str]:
    """What a policy is about that is a resource of its own; empty: itself."""
    if not resource.type.endswith("Policy") and resource.type not in _WAYS_IN:
        return []
    if resource.type == "AWS::Events::EventBusPolicy" and "EventBusName" not in resource.properties:
        return ["default"]
    named = (resource.properties.get(name) for name in _TARGETS)
    return list(dict.fromkeys(str(one) for several in named for _, one in branches.members(several)))


def call(resource: Resource) -> Permission:
    """What a permission without a policy document allows."""
    given = resource.properties
    condition = {name: [str(given[key])] for key, name in _SOURCES.items() if key in given}
    return Permission(
        effect="Allow",
        principal=str(given.get("Principal")),
        action=", ".join(str(one).lower() for _, one in branches.members(given.get("Action", given.get("Actions")))),
        resource=str(given.get(CALLS[resource.type], "default")),
        condition=policies.text(every) if (every := _also(given, condition)) else "",
    )


def _also(given: Mapping[str, Any], condition: dict[str, Any]) -> dict[str, Any]:
    """With the condition of an event bus's policy, which has a shape of its own."""
    own, every = given.get("Condition"), {"ArnLike": condition} if condition else {}
    if not isinstance(own, dict) or not {"Type", "Key", "Value"} <= own.keys():
        return every
    return {**every, str(own["Type"]): {str(own["Key"]).lower(): [str(own["Value"])]}}
