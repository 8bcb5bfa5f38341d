"""When does data that has arrived start a run?"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from mlplatform_cdk.data.ingest.runtime import handler
from mlplatform_cdk.data.ingest.runtime.decision import Decision, decide, run_name
from mlplatform_cdk.runtimekit.s3 import Location, StoredObject

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def lying(*seconds: int) -> list[StoredObject]:
    return [StoredObject(Location("lake", f"raw/churn/{n}.csv"), 9, "e", NOON + timedelta(seconds=n)) for n in seconds]


@pytest.mark.parametrize(
    ("objects", "running", "expected"),
    [
        pytest.param(lying(0), [], Decision.START, id="the only arrival starts a run"),
        pytest.param(lying(-60, 0), [], Decision.START, id="the last of many starts it"),
        pytest.param(lying(0, 30), [], Decision.SUPERSEDED, id="a later arrival will"),
        pytest.param([], [], Decision.SUPERSEDED, id="what was deleted again starts nothing"),
        pytest.param(lying(0), ["other"], Decision.BUSY, id="one run at a time"),
        pytest.param(lying(0), ["ours"], Decision.DONE, id="the run for this very data is in progress"),
    ],
)
def test_one_run_starts_after_the_last_arrival(
    objects: list[StoredObject], running: list[str], expected: Decision
) -> None:
    assert decide(NOON, objects, name="ours", running=running) is expected


def test_a_runs_name_fits_a_job_and_differs_by_data_and_pipeline() -> None:
    names = {
        run_name(f"s3://lake/raw/{folder}/", version, pipeline)
        for folder in ("Customer_Churn of the whole year 2026", "x")
        for version in ("0123456789abcdef", "fedcba9876543210")
        for pipeline in ("arn:a", "arn:b")
    }

    assert len(names) == 8
    assert all(len(name) <= 37 and name.replace("-", "").isalnum() for name in names)


@pytest.fixture
def pipeline(s3: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    role = boto3.client("iam").create_role(RoleName="machine", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    definition = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})
    arn: str = boto3.client("stepfunctions").create_state_machine(name="pipeline", definition=definition, roleArn=role)[
        "stateMachineArn"
    ]
    monkeypatch.setenv("STATE_MACHINE_ARN", arn)
    return arn


def arrival(key: str, message: str, moment: datetime, etag: str = "of another upload") -> dict[str, Any]:
    body = {"time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "detail": {"object": {"key": key, "etag": etag}}}
    return {"messageId": message, "body": json.dumps(body)}


def started(pipeline: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = boto3.client("stepfunctions").list_executions(stateMachineArn=pipeline)["executions"]
    return found


def test_many_arrivals_start_one_run_named_after_their_data(s3: Any, pipeline: str) -> None:
    for name in ("a", "b"):
        s3.put_object(Bucket="lake", Key=f"raw/churn/{name}.csv", Body="age,left\n1,no\n")
    later = datetime.now(UTC) + timedelta(seconds=5)
    records = [arrival("raw/churn/a.csv", "1", NOON - timedelta(days=9999)), arrival("raw/churn/b.csv", "2", later)]

    first = handler.handle({"Records": records}, None)
    boto3.client("stepfunctions").stop_execution(executionArn=started(pipeline)[0]["executionArn"])
    second = handler.handle({"Records": [arrival("raw/churn/b.csv", "3", later)]}, None)

    assert first == second == {"batchItemFailures": []}
    (run,) = started(pipeline)
    assert run["name"].startswith("churn-")
    described = boto3.client("stepfunctions").describe_execution(executionArn=run["executionArn"])
    assert json.loads(described["input"]) == {"dataset_uri": "s3://lake/raw/churn/"}


def test_an_arrival_that_the_listing_dates_after_its_own_event_is_not_superseded_by_itself(
    s3: Any, pipeline: str
) -> None:
    put = s3.put_object(Bucket="lake", Key="raw/churn/a.csv", Body="age,left\n1,no\n")
    before = datetime.now(UTC) - timedelta(seconds=5)
    key, etag = "raw/churn/a.csv", put["ETag"].strip('"')

    handler.handle({"Records": [arrival(key, "1", before)]}, None)
    assert not started(pipeline)  # the object was written again since: that upload has an event of its own
    handler.handle({"Records": [arrival(key, "2", before, etag)]}, None)

    assert len(started(pipeline)) == 1


def test_an_arrival_waits_in_the_queue_while_another_run_is_in_progress(s3: Any, pipeline: str) -> None:
    s3.put_object(Bucket="lake", Key="raw/churn/a.csv", Body="age,left\n1,no\n")
    boto3.client("stepfunctions").start_execution(stateMachineArn=pipeline, name="by-hand")
    records = [arrival("raw/churn/a.csv", "7", datetime.now(UTC) + timedelta(seconds=5))]

    assert handler.handle({"Records": records}, None) == {"batchItemFailures": [{"itemIdentifier": "7"}]}
    assert [run["name"] for run in started(pipeline)] == ["by-hand"]
