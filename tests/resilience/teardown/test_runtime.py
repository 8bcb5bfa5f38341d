"""Is CloudFormation answered in every case, and is nothing taken away that stays?"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.resilience.teardown.runtime import buckets, door, jobs, machines, releases
from mlplatform_cdk.resilience.teardown.runtime.rounds import DONE, Round, SecondsLeft
from mlplatform_cdk.runtimekit import aws, release_records, stack_answer

STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/Serving/1"
ANSWER = {"StackId": STACK, "RequestId": "request", "LogicalResourceId": "Teardown", "ResponseURL": "https://answer"}
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:releases"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
WAITS = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}})
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 240_000)


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("PATIENCE_S", "3000")
    aws.client.cache_clear()
    with mock_aws():
        yield
    aws.client.cache_clear()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What CloudFormation hears."""
    heard: list[Any] = []
    monkeypatch.setattr(stack_answer, "send", lambda _event, answer: heard.append(answer))
    return heard


@pytest.fixture
def machine() -> str:
    role = boto3.client("iam").create_role(RoleName="machine", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    made = boto3.client("stepfunctions").create_state_machine(name="releases", definition=WAITS, roleArn=role)
    return str(made["stateMachineArn"])


def in_state(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    """Let the stack be in ``status``."""
    stacks = SimpleNamespace(describe_stacks=lambda StackName: {"Stacks": [{"StackStatus": status}]})  # noqa: ARG005, N803
    chosen = SimpleNamespace(client=lambda name: stacks if name == "cloudformation" else aws.client(name))
    monkeypatch.setattr(door, "aws", chosen)


def delete(work: Any, machine: str | None = MACHINE) -> dict[str, Any]:
    properties = {"Machine": machine} if machine else {}
    event = ANSWER | {"RequestType": "Delete", "PhysicalResourceId": "teardown/Teardown"}
    return door.answer_to(event | {"ResourceProperties": properties}, CONTEXT, work)


@pytest.mark.parametrize(
    "status", ["UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "ROLLBACK_IN_PROGRESS"]
)
def test_an_update_that_drops_it_takes_nothing_away(
    monkeypatch: pytest.MonkeyPatch, answers: list[Any], status: str
) -> None:
    in_state(monkeypatch, status)

    delete(lambda _left: pytest.fail("the stack stays"))

    assert [one.reason for one in answers] == [""]


def test_what_one_round_does_is_answered_at_once(monkeypatch: pytest.MonkeyPatch, answers: list[Any]) -> None:
    in_state(monkeypatch, "DELETE_IN_PROGRESS")

    delete(lambda _left: DONE)

    assert [(one.physical_id, one.reason) for one in answers] == [("teardown/Teardown", "")]


def test_what_takes_longer_goes_on_in_the_machine_once(
    monkeypatch: pytest.MonkeyPatch, answers: list[Any], machine: str
) -> None:
    in_state(monkeypatch, "DELETE_IN_PROGRESS")
    for _ in range(2):  # Lambda may deliver a request twice
        delete(lambda _left: Round(waits_for="a job", pause_s=90), machine)

    (started,) = boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    told = boto3.client("stepfunctions").describe_execution(executionArn=started["executionArn"])["input"]
    assert json.loads(told)["round"] == {"pause_s": 90}
    assert answers == []


def test_what_has_no_machine_says_what_is_left(monkeypatch: pytest.MonkeyPatch, answers: list[Any]) -> None:
    in_state(monkeypatch, "DELETE_IN_PROGRESS")

    delete(lambda _left: Round(waits_for="the last objects of the bucket lake"), machine=None)

    (answer,) = answers
    assert answer.reason.endswith(
        "its time was over before the last objects of the bucket lake went; delete the stack again"
    )


def test_a_failure_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch, answers: list[Any]) -> None:
    in_state(monkeypatch, "DELETE_IN_PROGRESS")

    def work(_left: SecondsLeft) -> Round:
        raise buckets.NotEmptied("S3 must delete all objects of lake, got 1 refusals: a (AccessDenied)")

    delete(work)

    (answer,) = answers
    assert answer.reason.startswith("the teardown of Serving failed: S3 must delete all objects of lake")


@pytest.mark.parametrize(("minutes", "late"), [(49, False), (51, True)])
def test_after_fifty_minutes_it_gives_up_and_says_for_what_it_waited(minutes: int, late: bool) -> None:  # noqa: FBT001
    started = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()

    outcome = door.answer_to(
        {"step": "round", "started": started}, CONTEXT, lambda _left: Round(waits_for="the app lab")
    )

    assert outcome["late"] is late
    assert outcome["reason"] == f"it waited {minutes} minutes for the app lab; delete the stack again"


def test_the_answer_says_what_the_machine_caught(answers: list[Any]) -> None:
    caught = json.dumps({"errorMessage": "AccessDenied", "errorType": "ClientError"})
    request = ANSWER | {"PhysicalResourceId": "teardown/Teardown"}

    door.answer_to({"step": "answer", "request": request, "reason": caught}, CONTEXT, lambda _left: DONE)

    assert [one.reason for one in answers] == ["the teardown of Serving did not end: AccessDenied"]


def make_table() -> None:
    keys = ((release_records.PARTITION_KEY, "HASH"), (release_records.SORT_KEY, "RANGE"))
    boto3.client("dynamodb").create_table(
        TableName="records",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
    )


def minutes_from_now(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def lock(owner: str, *, action: str = "release", since_minutes: float = 60, **more: str) -> None:
    values = {
        "endpoint": "lock#churn",
        "at": "lock",
        "owner": owner,
        "version": "v",
        "action": action,
        "since": minutes_from_now(-since_minutes),
    }
    item = release_records.to_item(values | more)
    boto3.client("dynamodb").put_item(TableName="records", Item=item)


def test_a_release_is_stopped_and_loses_its_lock_with_a_record(monkeypatch: pytest.MonkeyPatch, machine: str) -> None:
    states = boto3.client("stepfunctions")
    running = states.start_execution(stateMachineArn=machine, name="run")["executionArn"]
    make_table()
    lock(running)
    targets = {"machines": [machine], "locks": [{"table": "records", "endpoint": "churn"}]}
    monkeypatch.setenv("TAKES_AWAY", json.dumps(targets))

    first, second = releases._work(lambda: 60.0), releases._work(lambda: 60.0)

    assert (first.waits_for, first.pause_s) == ("the last calls of 1 stopped executions", 90)
    assert second == DONE
    assert states.describe_execution(executionArn=running)["status"] == "ABORTED"
    assert releases._rows("records", "churn") == []
    assert [one.decision for one in release_records.history("records", "churn")] == ["ended"]


GONE = "arn:aws:states:eu-west-1:123456789012:execution:gone:one"
ONLY_LOCKS = json.dumps({"machines": [], "locks": [{"table": "records", "endpoint": "churn"}]})


@pytest.fixture
def another(monkeypatch: pytest.MonkeyPatch, machine: str) -> str:
    """A running execution of a machine that is not the teardown's, and a table of records."""
    make_table()
    monkeypatch.setenv("TAKES_AWAY", ONLY_LOCKS)
    arn: str = boto3.client("stepfunctions").start_execution(stateMachineArn=machine, name="another")["executionArn"]
    return arn


def test_for_a_running_execution_of_another_machine_it_waits_and_says_how_to_end_it(another: str) -> None:
    lock(another, action="ab_test_end")

    made = releases._work(lambda: 60.0)

    way_out = f"to end it: aws stepfunctions stop-execution --execution-arn {another}"
    assert made.waits_for == f"the end of {another}, which holds churn ({way_out})"
    assert [row["owner"] for row in releases._rows("records", "churn")] == [another]


def test_for_a_running_ab_test_it_does_not_wait_for_weeks(another: str) -> None:
    lock(another, action="ab_test")

    with pytest.raises(
        releases.EndpointHeld, match=f"no A/B test may run on churn when its releases go, and {another}"
    ):
        releases._work(lambda: 60.0)

    assert [row["owner"] for row in releases._rows("records", "churn")] == [another]


@pytest.mark.parametrize("action", ["ab_test", "ab_test_end", "release"])
def test_whatever_has_ended_holds_no_lock(another: str, action: str) -> None:
    boto3.client("stepfunctions").stop_execution(executionArn=another)
    lock(another, action=action)

    assert releases._work(lambda: 60.0) == DONE
    assert releases._rows("records", "churn") == []


@pytest.mark.parametrize(("since_minutes", "waits"), [(4.0, True), (6.0, False)])
def test_an_execution_that_is_not_found_may_have_just_begun(another: str, since_minutes: float, waits: bool) -> None:  # noqa: FBT001
    lock(GONE, action="ab_test", since_minutes=since_minutes)

    assert bool(releases._work(lambda: 60.0).waits_for) is waits


@pytest.mark.parametrize(("minutes", "waits"), [(1.0, True), (-1.0, False)])
def test_a_drill_holds_the_lock_until_its_time_is_over(another: str, minutes: float, waits: bool) -> None:  # noqa: FBT001
    until = minutes_from_now(minutes)
    lock("drill-1", action="drill", until=until)

    said = releases._work(lambda: 60.0).waits_for

    assert said == (f"the end of drill-1, which holds churn (a drill, over at {until} at the latest)" if waits else "")


def test_a_job_is_of_the_run_in_its_name() -> None:
    assert jobs.run_of("churn-arrived-0a1b-train", "churn") == "arrived-0a1b"


def test_a_machine_that_is_gone_already_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAKES_AWAY", json.dumps({"machines": [MACHINE], "jobs": []}))

    assert machines._work(lambda: 60.0) == DONE


def test_a_bucket_is_shut_and_emptied_version_by_version(monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"1", b"2"):
        s3.put_object(Bucket="lake", Key="a", Body=body)
    s3.delete_object(Bucket="lake", Key="a")
    s3.create_multipart_upload(Bucket="lake", Key="half")
    targets = [{"name": name, "arn": f"arn:aws:s3:::{name}"} for name in ("gone", "lake")]
    monkeypatch.setenv("TAKES_AWAY", json.dumps({"buckets": targets}))

    assert buckets._work(lambda: 60.0) == DONE

    policy = json.loads(s3.get_bucket_policy(Bucket="lake")["Policy"])
    assert [(one["Sid"], one["Effect"], one["Action"]) for one in policy["Statement"]] == [
        (buckets.SHUT, "Deny", "s3:PutObject")
    ]
    s3.delete_bucket(Bucket="lake")
