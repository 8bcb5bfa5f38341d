"""``mlplatform ab-test``: how a test stands, and how a person ends it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from mlplatform_cdk.cli.console import OUT, CommandFailed
from mlplatform_cdk.cli.main import app
from mlplatform_cdk.runtimekit import aws, release_records
from mlplatform_cdk.runtimekit.ab_test import Metric, TestPlan, items, outcomes, state
from mlplatform_cdk.runtimekit.ab_test.address import TestAddress
from mlplatform_cdk.runtimekit.ab_test.outcomes import Exposure
from mlplatform_cdk.runtimekit.ab_test.state import Arm, TestState

TABLE, RECORDS = "outcomes", "records"
VERSION = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/offers/7"
WAIT = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 900, "End": True}}})


class World:
    """A test that is published, and its machine."""

    def __init__(self) -> None:
        for table, keys in {TABLE: ("pk", "sk"), RECORDS: ("endpoint", "at")}.items():
            boto3.client("dynamodb").create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[
                    {"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=True)
                ],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
            )
        self.states = boto3.client("stepfunctions")
        role = "arn:aws:iam::123456789012:role/machine"
        self.machine = self.states.create_state_machine(name="Test", definition=WAIT, roleArn=role)["stateMachineArn"]
        self.publish("offers")

    def publish(self, name: str) -> None:
        address = TestAddress(
            name=name,
            endpoint="churn",
            machine=self.machine,
            table=TABLE,
            records=RECORDS,
            bus="",
            reports="s3://artifacts/ab-tests/",
        )
        text = json.dumps(address.to_mapping())
        boto3.client("ssm").put_parameter(Name=address.parameter, Value=text, Type="String")

    def run(self) -> str:
        """A test that has looked once."""
        arn: str = self.states.start_execution(stateMachineArn=self.machine)["executionArn"]
        arms = (Arm(variant="a", version="", share=0.5), Arm(variant="t1", version=VERSION, share=0.5))
        plan = TestPlan(metric=Metric(name="accepted", effect=0.1))
        known = TestState(name="offers", run="offers-1", status="running", arms=arms, plan=plan, looks=1, started="now")
        state.write(TABLE, known)
        for number in range(10):
            exposure = Exposure(request_id=str(number), key=str(number), variant="t1" if number % 2 else "a")
            outcomes.record_request(TABLE, known, exposure)
            outcomes.record_outcomes(TABLE, known, str(number), {"accepted": number % 2})
        items.put(TABLE, {"pk": "looks#offers-1", "sk": "000001", "look": json.dumps({"reason": "nothing is proven"})})
        return arn


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": "",
        "RELEASE_EVENT_BUS": "",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(OUT, "_width", 120)
    aws.client.cache_clear()
    with mock_aws():
        yield World()
    aws.client.cache_clear()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["ab-test", *arguments])


def test_the_status_shows_variants_shares_samples_and_the_last_look(world: World) -> None:
    world.run()

    out = run("status", "offers").stdout

    assert "offers on churn  running  1 of at most" in out
    assert "offers version 7" in out
    assert "50.0%" in out
    assert "1 of 5" in out
    assert "nothing is proven" in out
    assert "s3://artifacts/ab-tests/offers-1/report.html" in out


def test_a_program_reads_the_status(world: World) -> None:
    execution = world.run()

    found = json.loads(run("status", "--json").stdout)

    assert (found["execution"], found["status"], found["looks"]) == (execution, "running", 1)
    assert found["variants"][1]["metrics"] == {"accepted": {"samples": 5, "mean": 1.0}}
    assert [one["keys"] for one in found["variants"]] == [5, 5]


def test_a_test_that_has_never_run_is_told_as_one(world: World) -> None:
    assert "offers on churn  has never run" in run("status").stdout


def test_a_stop_ends_the_execution_and_says_who_and_why(world: World) -> None:
    execution = world.run()

    result = run("stop", "offers", "--reason", "the season is over")

    assert result.exit_code == 0, result.output
    ended = world.states.describe_execution(executionArn=execution)
    assert ended["status"] == "ABORTED"
    (record,) = release_records.history(RECORDS, "churn")
    assert (record.step, record.decision, record.reason) == ("ABTestStop", "stopped by hand", "the season is over")
    assert record.who


def test_a_test_that_does_not_run_is_not_to_be_stopped(world: World) -> None:
    result = run("stop", "offers")

    assert result.exit_code == 1
    assert "the A/B test offers does not run" in result.output


def test_a_test_is_named_where_there_are_two_and_an_unknown_one_is_told(world: World) -> None:
    world.publish("prices")

    for arguments, sentence in (
        (("status",), "name the A/B test: offers, prices"),
        (("status", "fruit"), "no A/B test fruit is published in this account and region"),
    ):
        result = run(*arguments)
        assert isinstance(result.exception, CommandFailed)
        assert str(result.exception) == sentence
