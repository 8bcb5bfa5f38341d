"""Is what a release did written once, told once, and kept?"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from aws_cdk import App, Environment, RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Match, Template
from moto import mock_aws

from mlplatform_cdk.core import PlatformRole
from mlplatform_cdk.foundation import Keys, PlatformStack
from mlplatform_cdk.release.records import ReleaseRecords, publish_address
from mlplatform_cdk.runtimekit import aws, release_records
from mlplatform_cdk.runtimekit.release_address import AddressError, ReleaseAddress
from mlplatform_cdk.runtimekit.release_records import EventNotTaken, Record

RELEASE = "arn:aws:states:eu-west-1:123456789012:execution:Release:one"
VERSION = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/4"
Write = Callable[..., Record]


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write a record of the endpoint dev-churn to a table of moto's."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    aws.client.cache_clear()

    def make(**changes: Any) -> Record:
        plain = {"endpoint": "dev-churn", "release": RELEASE, "version": VERSION, "step": "Shift", "who": "the machine"}
        return release_records.record("records", **{**plain, "decision": "go on", **changes})

    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName="records",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "endpoint", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "endpoint", "AttributeType": "S"},
                {"AttributeName": "at", "AttributeType": "S"},
            ],
        )
        yield make
    aws.client.cache_clear()


@pytest.fixture
def told(write: Write) -> Callable[[], list[dict[str, Any]]]:
    """The events that reached the bus."""
    queue = boto3.client("sqs").create_queue(QueueName="told")["QueueUrl"]
    arn = boto3.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    pattern = json.dumps({"source": ["mlplatform.release"], "detail-type": ["Release Step"]})
    boto3.client("events").put_rule(Name="told", EventPattern=pattern)
    boto3.client("events").put_targets(Rule="told", Targets=[{"Id": "1", "Arn": arn["QueueArn"]}])

    def read() -> list[dict[str, Any]]:
        messages = boto3.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(one["Body"]) for one in messages]

    return read


def test_a_record_comes_back_as_it_was_written(write: Write) -> None:
    written = write(percent=5, reason="green is well", metrics={"green": {"errors": 0.001, "requests": 4000}})

    assert release_records.history("records", "dev-churn") == [written]
    assert (written.percent, written.metrics["green"]) == (5, {"errors": 0.001, "requests": 4000})
    assert written.moment.microsecond or "." in written.at


def test_the_history_is_in_the_order_of_time_and_of_one_release_where_asked(write: Write) -> None:
    for step, release in (("Plan", "one"), ("Test", "two"), ("Shift", "one")):
        write(step=step, release=release)

    assert [one.step for one in release_records.history("records", "dev-churn")] == ["Plan", "Test", "Shift"]
    assert [one.step for one in release_records.history("records", "dev-churn", "one")] == ["Plan", "Shift"]
    assert [one.step for one in release_records.history("records", "dev-churn", newest=2)] == ["Test", "Shift"]
    assert release_records.history("records", "other") == []


def test_a_step_that_is_repeated_is_recorded_and_told_once(
    write: Write, told: Callable[[], list[dict[str, Any]]]
) -> None:
    first = write(percent=20.5)
    again = write(percent=35)

    assert again == first
    assert release_records.history("records", "dev-churn") == [first]
    (event,) = told()
    assert (event["source"], event["detail-type"], event["resources"]) == (
        "mlplatform.release",
        "Release Step",
        [RELEASE, VERSION],
    )
    assert (event["detail"]["endpoint"], event["detail"]["percent"], event["detail"]["at"]) == (
        "dev-churn",
        20.5,
        first.at,
    )


def test_two_looks_of_one_step_are_two_records(write: Write) -> None:
    write(sequence=1)
    write(sequence=2)

    assert len(release_records.history("records", "dev-churn")) == 2


def test_an_event_that_the_bus_refused_is_sent_by_the_next_try(
    write: Write, told: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}]}
    with monkeypatch.context() as refusing:
        refusing.setattr(aws.client("events"), "put_events", lambda **_: refusal)
        with pytest.raises(EventNotTaken, match="Shift: ThrottlingException: slow down"):
            write()

    write()

    assert len(release_records.history("records", "dev-churn")) == len(told()) == 1


def test_a_decision_is_recorded_when_it_was_made_and_not_when_it_was_written(write: Write) -> None:
    write(step="Shift", decision="shift to 35 percent")
    write(step="Gate", who="alice", decision="approved", moment=datetime.now(UTC) - timedelta(seconds=1))

    assert [one.step for one in release_records.history("records", "dev-churn")] == ["Gate", "Shift"]


def test_what_another_execution_had_to_bring_back_belongs_to_the_release(write: Write) -> None:
    write(release="dead", step="Shift")
    write(release="other", step="Plan")
    write(release="recovery", step="TakeUp", metrics={"left_by": "dead"})
    write(release="recovery", step="WayBack")

    told = release_records.whole("records", "dev-churn", "recovery")

    assert [one.step for one in told] == ["Shift", "TakeUp", "WayBack"]
    assert [one.step for one in release_records.whole("records", "dev-churn", "other")] == ["Plan"]


@pytest.fixture(scope="module")
def stack() -> PlatformStack:
    return PlatformStack(App(), "Serving", env=Environment(account="123456789012", region="eu-west-1"))


@pytest.fixture(scope="module")
def template(stack: PlatformStack) -> Template:
    key = Keys(stack, "Keys").data
    records = ReleaseRecords(stack, "Records", key=key)
    grants = {
        "Writer": records.grant_write,
        "Reader": records.grant_read,
        "Teller": records.grant_record,
        "Asker": records.grant_ask,
        "Decider": records.grant_decide,
        "Historian": records.grant_history,
    }
    for name, grant in grants.items():
        role = PlatformRole(stack, name, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), description=name)
        grant(role)
    return Template.from_stack(stack)


def test_the_table_survives_its_stack_and_goes_back_in_time(template: Template) -> None:
    template.has_resource(
        "AWS::DynamoDB::Table",
        {
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "DeletionProtectionEnabled": True,
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
                "SSESpecification": {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": Match.any_value()},
                "BillingMode": "PAY_PER_REQUEST",
                "TimeToLiveSpecification": {"AttributeName": "remove_at", "Enabled": True},
            },
        },
    )


def test_a_reader_of_the_records_cannot_change_them(template: Template) -> None:
    policies = template.find_resources("AWS::IAM::ManagedPolicy")
    (reader,) = (one for name, one in policies.items() if name.startswith("Reader"))

    text = json.dumps(reader)

    assert "dynamodb:Query" in text
    assert not [word for word in ("PutItem", "UpdateItem", "DeleteItem", "PutEvents", "kms:Encrypt") if word in text]


@pytest.mark.parametrize(
    ("who", "actions"),
    [
        ("Writer", {"GetItem", "Query", "PutItem", "DeleteItem", "PutEvents"}),
        ("Teller", {"GetItem", "PutItem", "PutEvents"}),
        ("Asker", {"GetItem", "PutItem"}),
        ("Decider", {"GetItem", "Query", "PutItem", "UpdateItem", "PutEvents"}),
        ("Reader", {"GetItem", "Query"}),
        ("Historian", {"Query"}),
    ],
)
def test_each_part_of_a_release_may_do_with_the_records_what_it_does(
    template: Template, who: str, actions: set[str]
) -> None:
    policies = template.find_resources("AWS::IAM::ManagedPolicy")
    (policy,) = (json.dumps(one) for name, one in policies.items() if name.startswith(who))

    assert {*re.findall(r"(?:dynamodb|events):([A-Z]\w+)", policy)} == actions


def test_events_go_to_the_bus_that_was_given() -> None:
    stack = PlatformStack(App(), "Serving", env=Environment(account="123456789012", region="eu-west-1"))
    key = Keys(stack, "Keys").data
    bus = events.EventBus.from_event_bus_name(stack, "Bus", "releases")

    records = ReleaseRecords(stack, "Records", key=key, bus=bus, removal_policy=RemovalPolicy.DESTROY)
    borrowed = ReleaseRecords.from_table_name(stack, "Theirs", "their-records", key=key)

    assert records.environment["RELEASE_EVENT_BUS"] == "releases"
    assert borrowed.environment == {"RELEASE_RECORDS_TABLE": "their-records", "RELEASE_EVENT_BUS": "default"}
    Template.from_stack(stack).resource_count_is("AWS::DynamoDB::Table", 1)


def test_the_command_line_finds_the_releases_by_the_endpoints_name() -> None:
    stack = PlatformStack(App(), "Serving", env=Environment(account="123456789012", region="eu-west-1"))
    address = ReleaseAddress(
        endpoint="dev-churn", machine="arn:m", table="t", instance_type="ml.m5.large", minimum=1, maximum=4
    )

    publish_address(stack, address)

    (parameter,) = Template.from_stack(stack).find_resources("AWS::SSM::Parameter").values()
    assert parameter["Properties"]["Name"] == "/mlplatform/releases/dev-churn"
    assert ReleaseAddress.from_json(parameter["Properties"]["Value"]) == address


@pytest.mark.parametrize("text", ["{}", "no JSON", "[]"])
def test_a_parameter_that_is_no_address_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(AddressError, match="an address of releases must hold"):
        ReleaseAddress.from_json(text)
