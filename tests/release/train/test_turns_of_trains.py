"""Which of several trains goes, and what the others do?"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlplatform_cdk.cli.release import place
from mlplatform_cdk.release.train.runtime import steps
from mlplatform_cdk.release.train.runtime.errors import TrackTaken
from mlplatform_cdk.runtimekit.release_address import ReleaseAddress

MACHINE = "arn:aws:states:eu-west-1:111111111111:stateMachine:churn-train"
BEGIN = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
ARN = "arn:aws:sagemaker:eu-west-1:111111111111:model-package/churn/4"


class Cloud:
    """Step Functions with trains that run, in pages, and a registry in which all is approved."""

    def __init__(self, *names: str) -> None:
        self.running = [
            {"executionArn": name, "startDate": BEGIN + timedelta(minutes=place)} for place, name in enumerate(names)
        ]

    def client(self, _service: str) -> "Cloud":
        return self

    def get_paginator(self, _operation: str) -> "Cloud":
        return self

    def paginate(self, **asked: str) -> Iterator[dict[str, Any]]:
        assert asked == {"stateMachineArn": MACHINE, "statusFilter": "RUNNING"}
        return iter([{"executions": [one]} for one in reversed(self.running)])

    def describe_model_package(self, *, ModelPackageName: str) -> dict[str, str]:  # noqa: N803 - boto3's name
        assert ModelPackageName == ARN
        return {"ModelApprovalStatus": "Approved"}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The records that the steps write."""
    records: list[dict[str, Any]] = []
    monkeypatch.setattr(steps, "_record", lambda *_, **said: records.append(said))
    return records


def prepared(monkeypatch: pytest.MonkeyPatch, cloud: Cloud, train: str) -> dict[str, Any]:
    monkeypatch.setattr(steps, "aws", cloud)
    return steps.prepare(
        {"machine_arn": MACHINE, "execution_arn": train, "request": {"model_package_arn": ARN, "who": "Ada"}}
    )


def test_a_train_waits_for_the_one_before_it_and_goes_when_that_has_ended(
    monkeypatch: pytest.MonkeyPatch, told: list[dict[str, Any]]
) -> None:
    cloud = Cloud("first", "second", "third")

    with pytest.raises(TrackTaken, match="one train goes at a time, and first is on its way"):
        prepared(monkeypatch, cloud, "third")
    assert [(one["decision"], one["sequence"]) for one in told] == [("wait", "wait")]

    del cloud.running[:2]
    assert prepared(monkeypatch, cloud, "third")["package_arn"] == ARN


def test_the_train_that_was_started_first_waits_for_none(
    monkeypatch: pytest.MonkeyPatch, told: list[dict[str, Any]]
) -> None:
    assert prepared(monkeypatch, Cloud("first", "second"), "first")["who"] == "Ada"
    assert [one["decision"] for one in told] == ["churn version 4 goes by train"]


def test_people_see_and_abort_the_train_that_is_on_its_way_not_one_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "aws", Cloud("first", "second"))
    train = ReleaseAddress(
        endpoint="churn-train", machine=MACHINE, table="t", bus="b", instance_type="", minimum=0, maximum=0
    )

    running = place.running(train)

    assert running is not None
    assert running.arn == "first"
