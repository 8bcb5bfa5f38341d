"""The table of the records in moto, and a Step Functions whose executions are as a test says."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.runtimekit import aws

ENDPOINT, TABLE = "dev-churn", "records"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:Release"
RELEASE = "arn:aws:states:eu-west-1:123456789012:execution:Release"
ONE, TWO, THREE = f"{RELEASE}:one", f"{RELEASE}:two", f"{RELEASE}:three"
EARLY, LATER, LAST = "2026-11-22T10:00:00.000Z", "2026-11-22T10:00:01.000Z", "2026-11-22T10:00:02.000Z"


class States:
    """Step Functions, as far as a release asks it."""

    class exceptions:  # noqa: N801 - boto3's name
        """The errors that boto3 makes of its model."""

        ExecutionDoesNotExist = type("ExecutionDoesNotExist", (Exception,), {})
        ExecutionAlreadyExists = type("ExecutionAlreadyExists", (Exception,), {})

    def __init__(self) -> None:
        self.executions: dict[str, dict[str, Any]] = {name: {"status": "RUNNING"} for name in (ONE, TWO, THREE)}
        self.started: list[dict[str, Any]] = []

    def describe_execution(self, *, executionArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's name
        if executionArn not in self.executions:
            raise self.exceptions.ExecutionDoesNotExist
        return self.executions[executionArn]

    def stop_execution(self, *, executionArn: str, **end: str) -> None:  # noqa: N803 - boto3's name
        if self.describe_execution(executionArn=executionArn)["status"] == "RUNNING":
            self.executions[executionArn] = {"status": "ABORTED", **end}

    def start_execution(self, **request: Any) -> None:
        if request["name"] in {one["name"] for one in self.started}:
            raise self.exceptions.ExecutionAlreadyExists
        self.started.append(request)

    def end(self, execution: str, status: str = "ABORTED", **end: str) -> None:
        self.executions[execution] = {"status": status, **end}


@contextmanager
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[States]:
    """The table, and the executions."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("RELEASE_RECORDS_TABLE", TABLE)
    fake, client = States(), aws.client
    client.cache_clear()
    monkeypatch.setattr(aws, "client", lambda service: fake if service == "stepfunctions" else client(service))
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("endpoint", "at")],
            KeySchema=[
                {"AttributeName": "endpoint", "KeyType": "HASH"},
                {"AttributeName": "at", "KeyType": "RANGE"},
            ],
        )
        yield fake
    client.cache_clear()
