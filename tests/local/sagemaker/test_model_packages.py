"""What does the registry of the embedded AWS remember, and whom does it tell?"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.sagemaker.conftest import Client, name, wait_for

SPECIFICATION = {
    "Containers": [{"Image": "img:1", "ModelDataUrl": "s3://models/model.tar.gz"}],
    "SupportedContentTypes": ["application/json"],
    "SupportedResponseMIMETypes": ["application/json"],
}


@pytest.fixture
def group(client: Client) -> str:
    made = name("group")
    client("sagemaker").create_model_package_group(ModelPackageGroupName=made)
    return made


@pytest.fixture
def register(client: Client, group: str) -> Callable[..., str]:
    def run(**more: Any) -> str:
        request = {"ModelPackageGroupName": group, "InferenceSpecification": SPECIFICATION} | more
        return client("sagemaker").create_model_package(**request)["ModelPackageArn"]  # type: ignore[no-any-return]

    return run


@pytest.fixture
def describe(client: Client) -> Callable[[str], dict[str, Any]]:
    return lambda arn: client("sagemaker").describe_model_package(ModelPackageName=arn)


@pytest.fixture
def told(client: Client) -> Callable[[str], list[dict[str, Any]]]:
    """What a queue behind a rule for a detail type has received so far."""
    seen: list[dict[str, Any]] = []
    queues: dict[str, str] = {}

    def receive(detail_type: str) -> list[dict[str, Any]]:
        if detail_type not in queues:
            queues[detail_type] = _listen(client, detail_type)
        answer = client("sqs").receive_message(QueueUrl=queues[detail_type], MaxNumberOfMessages=10)
        seen.extend(json.loads(message["Body"]) for message in answer.get("Messages", []))
        return seen

    return receive


def _listen(client: Client, detail_type: str) -> str:
    sqs, events, rule = client("sqs"), client("events"), name("rule")
    queue = str(sqs.create_queue(QueueName=name("queue"))["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
        ]
    }
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    events.put_rule(Name=rule, EventPattern=json.dumps({"detail-type": [detail_type]}))
    events.put_targets(Rule=rule, Targets=[{"Id": "1", "Arn": arn}])
    return queue


def test_all_that_is_said_of_a_version_is_kept(
    register: Callable[..., str], describe: Callable[[str], dict[str, Any]], group: str
) -> None:
    said = {
        "CustomerMetadataProperties": {"run_id": "r1", "metric_roc_auc": "0.99"},
        "ModelLifeCycle": {"Stage": "Development", "StageStatus": "Registered"},
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://m/evaluation.json"}}
        },
        "SourceUri": "s3://models/source",
        "ModelCard": {"ModelCardContent": "{}", "ModelCardStatus": "Draft"},
        "ModelPackageDescription": "the first",
        "SkipModelValidation": "All",
        "Domain": "MACHINE_LEARNING",
    }

    seen = describe(register(**said))

    assert {key: seen[key] for key in said} == said
    assert seen["InferenceSpecification"] == SPECIFICATION
    assert seen["ModelPackageGroupName"] == group
    assert (seen["ModelPackageVersion"], seen["ModelPackageStatus"]) == (1, "Completed")
    assert seen["ModelApprovalStatus"] == "PendingManualApproval"


def test_an_update_changes_what_it_names_and_nothing_else(
    register: Callable[..., str], describe: Callable[[str], dict[str, Any]], client: Client
) -> None:
    arn = register(CustomerMetadataProperties={"run_id": "r1", "old": "1"})
    update = client("sagemaker").update_model_package
    update(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="roc_auc is 0.99")

    update(ModelPackageArn=arn, ModelLifeCycle={"Stage": "Production", "StageStatus": "InService"})
    update(
        ModelPackageArn=arn,
        CustomerMetadataProperties={"execution": "e1"},
        CustomerMetadataPropertiesToRemove=["old"],
    )

    seen = describe(arn)
    assert (seen["ModelApprovalStatus"], seen["ApprovalDescription"]) == ("Approved", "roc_auc is 0.99")
    assert seen["ModelLifeCycle"] == {"Stage": "Production", "StageStatus": "InService"}
    assert seen["CustomerMetadataProperties"] == {"run_id": "r1", "execution": "e1"}


def test_the_same_token_registers_once(register: Callable[..., str]) -> None:
    assert register(ClientToken="run-1") == register(ClientToken="run-1")
    assert register(ClientToken="run-2").endswith("/2")


def test_versions_are_listed_by_approval_with_their_life_cycle(
    register: Callable[..., str], client: Client, group: str
) -> None:
    first, second = register(), register()
    sagemaker = client("sagemaker")
    sagemaker.update_model_package(
        ModelPackageArn=second,
        ModelApprovalStatus="Approved",
        ModelLifeCycle={"Stage": "Production", "StageStatus": "InService"},
    )

    def listed(**more: Any) -> list[dict[str, Any]]:
        return sagemaker.list_model_packages(  # type: ignore[no-any-return]
            ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending", **more
        )["ModelPackageSummaryList"]

    assert [each["ModelPackageArn"] for each in listed()] == [second, first]
    approved = listed(ModelApprovalStatus="Approved")
    assert [each["ModelLifeCycle"]["Stage"] for each in approved] == ["Production"]


def test_a_deleted_version_s_number_is_not_used_again(register: Callable[..., str], client: Client) -> None:
    client("sagemaker").delete_model_package(ModelPackageName=register())

    assert register().endswith("/2")


def test_a_version_is_tagged(register: Callable[..., str], client: Client) -> None:
    arn = register(Tags=[{"Key": "run", "Value": "r1"}])

    client("sagemaker").add_tags(ResourceArn=arn, Tags=[{"Key": "by", "Value": "me"}])

    tags = client("sagemaker").list_tags(ResourceArn=arn)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"run": "r1", "by": "me"}


def test_a_version_of_no_group_is_refused(client: Client) -> None:
    with pytest.raises(ClientError, match="does not exist"):
        client("sagemaker").create_model_package(ModelPackageGroupName=name("nowhere"))


def test_registration_and_approval_are_events(
    register: Callable[..., str], client: Client, group: str, told: Callable[[str], list[dict[str, Any]]]
) -> None:
    def mine() -> list[dict[str, Any]]:
        events = told("SageMaker Model Package State Change")
        return [event for event in events if event["detail"]["ModelPackageGroupName"] == group]

    assert mine() == []
    arn = register()
    client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")

    registered, approved = wait_for(mine, lambda seen: len(seen) == 2)
    assert registered["source"] == "aws.sagemaker"
    assert registered["resources"] == [arn]
    assert registered["detail"]["ModelApprovalStatus"] == "PendingManualApproval"
    assert approved["detail"]["ModelApprovalStatus"] == "Approved"
    assert approved["detail"]["UpdatedModelPackageFields"] == ["ModelApprovalStatus"]
    assert approved["time"].endswith("Z")


def test_an_object_in_a_switched_on_bucket_is_an_event(
    client: Client, bucket: str, told: Callable[[str], list[dict[str, Any]]]
) -> None:
    s3 = client("s3")
    told("Object Created")
    s3.put_object(Bucket=bucket, Key="raw/silent.csv", Body=b"1")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    s3.put_object(Bucket=bucket, Key="raw/a.csv", Body=b"12")

    def mine() -> list[dict[str, Any]]:
        return [event for event in told("Object Created") if event["detail"]["bucket"]["name"] == bucket]

    (event,) = wait_for(mine, bool)
    assert event["source"] == "aws.s3"
    assert event["detail"]["reason"] == "PutObject"
    assert (event["detail"]["object"]["key"], event["detail"]["object"]["size"]) == ("raw/a.csv", 2)
