"""When is a change believed, a test passed, an error told?"""

import json

import pytest

from mlplatform_cdk.release.blue_green.runtime.errors import NoInstances, ReleaseFailed
from mlplatform_cdk.release.blue_green.runtime.failure import failure_of
from mlplatform_cdk.release.blue_green.runtime.golden import Trial, verdict
from mlplatform_cdk.release.blue_green.runtime.state import Live
from mlplatform_cdk.release.blue_green.runtime.watch import has_settled
from tests.release.worlds import live, variant

BOTH = live(variant("a", 1, weight=0.0), variant("b", 2, weight=1.0), configuration="asked")


def settled(endpoint: Live, *, looks: int = 1, weights: dict[str, float] | None = None) -> bool:
    return has_settled(endpoint, configuration="asked", weights=weights or {}, looks=looks, most_looks=120)


def trial(*problems: str, latency_ms: float = 10.0) -> Trial:
    return Trial(name="golden", problems=problems, latency_ms=latency_ms)


def test_in_service_on_the_configuration_asked_for_is_success() -> None:
    assert settled(BOTH)


def test_in_service_on_another_configuration_is_a_silent_rollback() -> None:
    endpoint = live(variant("a", 1), configuration="before", reason="The container did not pass the ping health check")

    with pytest.raises(ReleaseFailed, match="rolled back to before instead of serving asked: The container did not"):
        settled(endpoint)


def test_a_fleet_without_instances_is_another_failure_than_one_that_is_sick() -> None:
    # The letters are those of a FailureReason: https://github.com/aws/deep-learning-containers/pull/6673
    reason = "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry"

    for endpoint in (
        live(variant("a", 1), configuration="before", reason=reason),
        Live(status="Failed", reason=reason),
    ):
        with pytest.raises(NoInstances, match="Unable to provision requested ML compute capacity"):
            settled(endpoint)


def test_a_silent_rollback_without_a_reason_says_where_to_look() -> None:
    with pytest.raises(ReleaseFailed, match="SageMaker gave no reason; see the log"):
        settled(live(variant("a", 1), configuration="before"))


def test_an_update_under_way_is_waited_for_within_bounds() -> None:
    assert not settled(Live(status="Updating"))
    with pytest.raises(ReleaseFailed, match="by now, got status Updating after 120 looks"):
        settled(Live(status="Updating"), looks=120)


def test_an_endpoint_that_failed_says_why() -> None:
    with pytest.raises(ReleaseFailed, match="got Failed: no capacity"):
        settled(Live(status="Failed", reason="no capacity"))


def test_weights_count_when_they_are_current() -> None:
    assert settled(BOTH, weights={"a": 0, "b": 1})
    assert not settled(BOTH, weights={"a": 1, "b": 0})
    assert not settled(BOTH, weights={"c": 1})


def test_green_passes_when_every_answer_is_right() -> None:
    record = verdict([trial(latency_ms=8), trial(latency_ms=12), trial(latency_ms=40)], budget_ms=20)

    assert (record["requests"], record["latency_p50_ms"], record["latency_max_ms"]) == (3, 12, 40)
    assert record["within_budget"] is True


def test_every_problem_is_named() -> None:
    with pytest.raises(ReleaseFailed, match=r"label must be 1, got 0; probability must be 0.9, got 0.1"):
        verdict([trial("label must be 1, got 0"), trial(), trial("probability must be 0.9, got 0.1")], budget_ms=20)


def test_a_latency_over_the_budget_is_recorded() -> None:
    assert verdict([trial(latency_ms=150)], budget_ms=20)["within_budget"] is False


def test_a_latency_out_of_all_proportion_fails() -> None:
    with pytest.raises(ReleaseFailed, match=r"must take less than 700 ms .* got 900 ms"):
        verdict([trial(latency_ms=900)], budget_ms=20)


@pytest.mark.parametrize(
    ("error", "cause", "reason"),
    [
        pytest.param(
            "ReleaseFailed",
            json.dumps({"errorMessage": "golden-1: label must be 1,\n got 0", "errorType": "ReleaseFailed"}),
            "golden-1: label must be 1, got 0",
            id="a function's error",
        ),
        pytest.param(
            "SageMaker.ResourceLimitExceededException",
            "The account-level service limit is 0 Instances (Service: SageMaker, Status Code: 400, Request ID: 1-2)",
            "The account-level service limit is 0 Instances",
            id="a service's error",
        ),
        pytest.param("States.Timeout", "", "TestGreen must finish within its time limit, and did not", id="a time-out"),
        pytest.param(
            "States.TaskFailed", "", "TestGreen failed with States.TaskFailed and gave no reason", id="no reason"
        ),
    ],
)
def test_a_failure_is_told_as_its_step_and_one_sentence(error: str, cause: str, reason: str) -> None:
    failure = failure_of({"TestGreen": {"Error": error, "Cause": cause}})

    assert (failure.step, failure.reason) == ("TestGreen", reason)
