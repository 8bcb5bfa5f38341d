"""Is a step that AWS had no time for made again, and no other?"""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError, ReadTimeoutError

from mlplatform_cdk.release.blue_green.runtime import handler
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseRefused, Throttled
from mlplatform_cdk.release.blue_green.tasks import Tasks

EVENT = {"step": "watch", "execution_arn": "arn"}


def fail(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def step(_: Any) -> dict[str, Any]:
        raise error

    monkeypatch.setattr(handler, "STEPS", {"watch": step})


@pytest.mark.parametrize("code", ["ThrottlingException", "ProvisionedThroughputExceededException", "SlowDown"])
def test_a_step_that_was_throttled_fails_by_a_name_that_its_state_tries_again(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    fail(monkeypatch, ClientError({"Error": {"Code": code, "Message": "slow down"}}, "DescribeEndpoint"))

    with pytest.raises(Throttled, match="slow down"):
        handler.handle(EVENT, None)

    state = Tasks("aws", "steps", "dev-churn").step("Plan", "plan", {}, answers=(), into="")
    (retry,) = state["Retry"]
    assert Throttled.__name__ in retry["ErrorEquals"]


@pytest.mark.parametrize(
    "error",
    [
        ClientError(
            {"Error": {"Code": "InternalFailure", "Message": "down"}, "ResponseMetadata": {"HTTPStatusCode": 503}},
            "DescribeEndpoint",
        ),
        EndpointConnectionError(endpoint_url="https://down"),
        ReadTimeoutError(endpoint_url="https://down"),
    ],
)
def test_a_step_that_met_a_fault_of_awss_is_made_again_too(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    fail(monkeypatch, error)

    with pytest.raises(Throttled, match="down"):
        handler.handle(EVENT, None)


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeEndpoint"),
        ParamValidationError(report="a number is no name"),
        ReleaseRefused("it must be approved"),
    ],
)
def test_every_other_failure_keeps_its_name(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    fail(monkeypatch, error)

    with pytest.raises(type(error)):
        handler.handle(EVENT, None)
