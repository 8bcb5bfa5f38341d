"""A table of records and a waiting release, for the tests of gates."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.runtimekit import aws, release_gates
from mlplatform_cdk.runtimekit.release_gates import OpenGate

TABLE, ENDPOINT = "records", "dev-churn"
RELEASE = "arn:aws:states:eu-west-1:123456789012:execution:Release:one"
VERSION = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn/4"
METRICS = {
    "green": {"requests": 12031, "error_share": 0.0002, "latency_p99_ms": 4.25, "gpu_percent": None},
    "blue": {"requests": 48113, "error_share": 0.0001, "latency_p99_ms": 4.0, "gpu_percent": None},
}


class Waiting:
    """The waiting state, as Step Functions would have it: one answer counts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.heard: list[dict[str, Any]] = []
        client = aws.client("stepfunctions")
        self._gone = client.exceptions.TaskTimedOut
        monkeypatch.setattr(client, "send_task_success", self._success)
        monkeypatch.setattr(client, "send_task_failure", self._failure)

    def _success(self, *, taskToken: str, output: str) -> None:  # noqa: N803 - boto3's name
        self._hear({"token": taskToken, **json.loads(output)})

    def _failure(self, *, taskToken: str, error: str, cause: str) -> None:  # noqa: N803 - boto3's name
        self._hear({"token": taskToken, "error": error, "cause": cause})

    def _hear(self, answer: dict[str, Any]) -> None:
        if self.heard:
            raise self._gone({"Error": {"Code": "TaskTimedOut", "Message": "it went on"}}, "SendTask")
        self.heard.append(answer)


@contextmanager
def embedded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiting]:
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "RELEASE_RECORDS_TABLE": TABLE,
        "ENDPOINT_NAME": ENDPOINT,
    }.items():
        monkeypatch.setenv(name, value)
    aws.client.cache_clear()
    with mock_aws():
        make_table()
        yield Waiting(monkeypatch)
    aws.client.cache_clear()


def make_table() -> None:
    boto3.client("dynamodb").create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "endpoint", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "endpoint", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "S"},
        ],
    )


def opened(**changes: Any) -> OpenGate:
    plain = {"endpoint": ENDPOINT, "token": "the-token", "release": RELEASE, "version": VERSION, "percent": 20.0}
    return release_gates.open_gate(TABLE, **{**plain, "timeout_s": 3600, "metrics": METRICS, **changes})
