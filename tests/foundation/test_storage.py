"""Who can read and write what the platform stores, and who knows of it?"""

from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk import App, Environment, RemovalPolicy
from aws_cdk.assertions import Match, Template

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import (
    AccessLogs,
    ArtifactStore,
    Keys,
    Notifications,
    PlatformBucket,
    PlatformStack,
    publish,
    published,
    published_list,
)


@pytest.fixture
def stack() -> PlatformStack:
    return PlatformStack(
        App(context={"@aws-cdk/core:enablePartitionLiterals": True}),
        "Foundation",
        env=Environment(account="123456789012", region="us-east-1"),
    )


def statement(stack: PlatformStack, sid: str) -> Mapping[str, Any]:
    (key,) = Template.from_stack(stack).find_resources("AWS::KMS::Key").values()
    (found,) = (one for one in key["Properties"]["KeyPolicy"]["Statement"] if one.get("Sid") == sid)
    return found


def test_the_key_rotates_and_is_kept(stack: PlatformStack) -> None:
    Keys(stack, "Keys")

    Template.from_stack(stack).has_resource(
        "AWS::KMS::Key", {"DeletionPolicy": "Retain", "Properties": {"EnableKeyRotation": True}}
    )


def test_only_aws_services_get_grants_on_the_key(stack: PlatformStack) -> None:
    Keys(stack, "Keys")

    refused = statement(stack, "GrantsAreForServices")
    assert (refused["Effect"], refused["Action"]) == ("Deny", "kms:CreateGrant")
    assert refused["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "false"}}


def test_services_use_the_key_for_this_account_only(stack: PlatformStack) -> None:
    Keys(stack, "Keys")

    assert statement(stack, "PublishersOfThisAccount")["Condition"] == {
        "StringEquals": {"aws:SourceAccount": "123456789012"}
    }
    assert statement(stack, "LogGroupsOfThisAccount")["Condition"] == {
        "ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:us-east-1:123456789012:log-group:*"}
    }


def test_artifacts_are_encrypted_versioned_private_logged_and_kept(stack: PlatformStack) -> None:
    ArtifactStore(stack, "Artifacts", key=Keys(stack, "Keys").data, access_logs=AccessLogs(stack, "Logs"))

    Template.from_stack(stack).has_resource(
        "AWS::S3::Bucket",
        {
            "DeletionPolicy": "Retain",
            "Properties": {
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [
                        Match.object_like(
                            {"ServerSideEncryptionByDefault": Match.object_like({"SSEAlgorithm": "aws:kms"})}
                        )
                    ]
                },
                "VersioningConfiguration": {"Status": "Enabled"},
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
                "LoggingConfiguration": {"LogFilePrefix": "Artifacts/"},
            },
        },
    )


def test_buckets_answer_over_tls_only(stack: PlatformStack) -> None:
    ArtifactStore(stack, "Artifacts", key=Keys(stack, "Keys").data)

    Template.from_stack(stack).has_resource_properties(
        "AWS::S3::BucketPolicy",
        {
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {
                                "Effect": "Deny",
                                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                                "Action": "s3:*",
                            }
                        )
                    ]
                )
            }
        },
    )


@pytest.mark.parametrize("enabled", [True, False])
def test_arrivals_are_told_to_event_bridge_without_a_custom_resource(stack: PlatformStack, enabled: bool) -> None:  # noqa: FBT001
    PlatformBucket(stack, "Lake", key=Keys(stack, "Keys").data, event_bridge_enabled=enabled)

    template = Template.from_stack(stack)
    told = {"NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}}
    template.resource_properties_count_is("AWS::S3::Bucket", told, int(enabled))
    template.resource_count_is("AWS::Lambda::Function", 0)


def test_a_bucket_may_go_with_its_stack_where_asked(stack: PlatformStack) -> None:
    AccessLogs(stack, "Logs", removal_policy=RemovalPolicy.DESTROY)

    Template.from_stack(stack).has_resource("AWS::S3::Bucket", {"DeletionPolicy": "Delete"})


def test_notifications_are_encrypted_and_reach_the_people_named(stack: PlatformStack) -> None:
    Notifications(stack, "Notifications", key=Keys(stack, "Keys").data, emails=["team@example.com"])

    template = Template.from_stack(stack)
    template.has_resource_properties("AWS::SNS::Topic", {"KmsMasterKeyId": Match.any_value()})
    template.has_resource_properties("AWS::SNS::Subscription", {"Protocol": "email", "Endpoint": "team@example.com"})


def test_people_named_in_one_text_are_refused(stack: PlatformStack) -> None:
    with pytest.raises(ConfigurationError, match=r"emails must be a list, got 'a@b\.org'; try \['a@b\.org'\]"):
        Notifications(stack, "Notifications", key=Keys(stack, "Keys").data, emails="a@b.org")


def test_a_published_value_is_read_by_its_name_when_deployed(stack: PlatformStack) -> None:
    publish(stack, "/mlplatform/dev/foundation/vpc-id", "vpc-1")
    reader = PlatformStack(stack.node.root, "Reader")
    publish(reader, "/mlplatform/dev/reader/vpc-id", published(reader, "/mlplatform/dev/foundation/vpc-id"))

    Template.from_stack(stack).has_resource_properties(
        "AWS::SSM::Parameter", {"Name": "/mlplatform/dev/foundation/vpc-id", "Value": "vpc-1"}
    )
    Template.from_stack(reader).has_parameter(
        "*", {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/mlplatform/dev/foundation/vpc-id"}
    )


def test_a_list_is_published_as_one_value_and_read_as_many(stack: PlatformStack) -> None:
    subnets = published_list(stack, "/mlplatform/dev/foundation/job-subnet-ids", 3)

    assert [stack.resolve(subnet)["Fn::Select"][0] for subnet in subnets] == [0, 1, 2]


def test_a_published_name_is_a_path(stack: PlatformStack) -> None:
    with pytest.raises(ConfigurationError, match=r"a published name must start with '/', got 'vpc-id'; try '/vpc-id'"):
        publish(stack, "vpc-id", "vpc-1")
