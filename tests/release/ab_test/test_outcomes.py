"""Is every sample counted once, for the variant that answered it, whoever repeats what?"""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.ab_test import ABClient, OutcomeRefused, items, outcomes, state, tallies
from mlplatform_cdk.runtimekit.ab_test.outcomes import Exposure
from mlplatform_cdk.runtimekit.ab_test.plan import MEAN, Guard, Metric, TestPlan
from mlplatform_cdk.runtimekit.ab_test.state import Arm, TestState
from tests.release.ab_test.conftest import TABLE

PLAN = TestPlan(
    metric=Metric(name="converted", effect=0.01),
    guards=(
        Guard(metric=Metric(name="latency_ms", kind=MEAN, goal="decrease", effect=5.0), margin=10.0),
        Guard(metric=Metric(name="revenue", kind=MEAN, effect=1.0)),
    ),
)
STATE = TestState(
    name="t",
    run="r1",
    status="running",
    arms=(Arm(variant="a", version="", share=0.5), Arm(variant="b", version="", share=0.5)),
    plan=PLAN,
)


def asked(id_: str, key: str = "k", variant: str = "a", test: TestState = STATE, **measured: float) -> bool:
    exposure = Exposure(request_id=id_, key=key, variant=variant, measured=measured)
    return outcomes.record_request(TABLE, test, exposure)


def report(id_: str, test: TestState = STATE, **values: float) -> dict[str, bool]:
    return outcomes.record_outcomes(TABLE, test, id_, values)


def gathered(variant: str = "a") -> dict[str, tuple[int, float]]:
    tally = tallies.read(TABLE, "r1", variant)
    return {"exposed": (tally.exposed, 0.0)} | {
        name: (sums.count, float(sums.total)) for name, sums in sorted(tally.metrics.items())
    }


def test_an_outcome_is_joined_with_its_request_and_counted_for_its_variant(cloud: Any) -> None:
    asked("r-1", "ann", "a")
    asked("r-2", "bob", "b")

    assert report("r-1", converted=1, revenue=12.5) == {"converted": True, "revenue": True}
    assert report("r-2", converted=0) == {"converted": True}

    assert gathered("a") == {"exposed": (1, 0), "converted": (1, 1), "revenue": (1, 12.5)}
    assert gathered("b") == {"exposed": (1, 0), "converted": (1, 0)}


def test_what_is_reported_twice_counts_once_and_the_first_value_stays(cloud: Any) -> None:
    asked("r-1")

    assert [report("r-1", converted=1), report("r-1", converted=0)] == [{"converted": True}, {"converted": False}]
    assert gathered()["converted"] == (1, 1)


def test_a_request_that_is_recorded_twice_counts_once(cloud: Any) -> None:
    assert [asked("r-1"), asked("r-1"), asked("r-1", "another")] == [True, False, False]
    assert gathered() == {"exposed": (1, 0)}


def test_a_key_is_one_sample_by_its_first_outcome(cloud: Any) -> None:
    for id_ in ("r-1", "r-2", "r-3"):
        asked(id_)

    assert [report(id_, converted=int(id_ == "r-2"))["converted"] for id_ in ("r-2", "r-1", "r-3")] == [
        True,
        False,
        False,
    ]
    assert gathered() == {"exposed": (1, 0), "converted": (1, 1)}


def test_every_request_is_a_sample_where_the_plan_says_so(cloud: Any) -> None:
    test = replace(STATE, plan=replace(PLAN, unit="request"))
    for id_ in ("r-1", "r-2"):
        asked(id_, test=test)
        report(id_, test, converted=1)

    assert gathered() == {"exposed": (2, 0), "converted": (2, 2)}


def test_a_key_that_moved_to_another_variant_counts_for_neither_any_more(cloud: Any) -> None:
    asked("r-1", "ann", "a")
    asked("r-2", "ann", "b")

    assert report("r-2", converted=1) == {"converted": False}
    assert gathered("b") == {"exposed": (0, 0)}


def test_what_is_measured_is_counted_with_the_first_request_where_a_guard_wants_it(cloud: Any) -> None:
    asked("r-1", latency_ms=20.25, failed=0.0)
    asked("r-2", latency_ms=999.0)

    assert gathered() == {"exposed": (1, 0), "latency_ms": (1, 20.25)}


def conflict(code: str) -> ClientError:
    reasons = {"CancellationReasons": [{"Code": "None"}, {"Code": code}]}
    error = aws.client("dynamodb").exceptions.TransactionCanceledException
    made: ClientError = error({"Error": {"Code": "TransactionCanceledException"}, **reasons}, "TransactWriteItems")
    return made


def test_writers_that_meet_on_one_sum_try_again(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    met = [conflict("TransactionConflict"), conflict("TransactionConflict")]
    real = aws.client("dynamodb").transact_write_items

    def write(**request: Any) -> Any:
        if met:
            raise met.pop()
        return real(**request)

    monkeypatch.setattr(aws.client("dynamodb"), "transact_write_items", write)

    assert asked("r-1")
    assert met == []
    assert gathered() == {"exposed": (1, 0)}


def test_a_transaction_that_fails_for_another_reason_is_not_tried_again(
    cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [conflict("ItemCollectionSizeLimitExceeded")]

    def write(**_: Any) -> Any:
        raise failures.pop()

    monkeypatch.setattr(aws.client("dynamodb"), "transact_write_items", write)

    with pytest.raises(ClientError, match="TransactionCanceled"):
        asked("r-1")


def test_two_first_requests_of_a_key_at_the_same_moment_are_one_sample(
    cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked("r-1")
    monkeypatch.setattr(items, "get", lambda *_, **__: None)  # as a read that is a moment old

    assert asked("r-2")
    assert gathered() == {"exposed": (1, 0)}


def test_small_and_negative_values_are_summed_exactly(cloud: Any) -> None:
    for number, value in enumerate((0.000001, -0.000002, -1e8, 1e8)):
        asked(f"r-{number}", f"key-{number}")
        report(f"r-{number}", revenue=value)

    sums = tallies.read(TABLE, "r1", "a").metrics["revenue"]
    assert (sums.count, sums.total) == (4, Decimal("-0.000001"))
    assert sums.squares == Decimal("20000000000000000.000000000005")


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"clicked": 1}, "an outcome must be one of converted, latency_ms, revenue, got 'clicked'"),
        ({"converted": 0.5}, "converted must be 0 or 1, got 0.5"),
        ({"revenue": float("nan")}, "revenue must be a number from -100000000 to 100000000, got nan"),
        ({"revenue": 2e8}, "revenue must be a number from -100000000 to 100000000"),
        ({"revenue": "12"}, "revenue must be a number from -100000000 to 100000000, got '12'"),
    ],
)
def test_what_is_no_outcome_of_the_test_is_refused_and_nothing_is_counted(
    cloud: Any, values: dict[str, Any], problem: str
) -> None:
    asked("r-1")

    with pytest.raises(OutcomeRefused) as refused:
        report("r-1", **values)

    assert problem in str(refused.value)
    assert gathered() == {"exposed": (1, 0)}


def test_an_outcome_of_no_request_or_of_another_run_is_refused(cloud: Any) -> None:
    asked("r-1")

    with pytest.raises(OutcomeRefused, match="'r-9' must be one of this run of t, and is not known"):
        report("r-9", converted=1)
    with pytest.raises(OutcomeRefused, match="'r-1' must be one of this run"):
        report("r-1", replace(STATE, run="r2"), converted=1)


def test_no_key_is_stored(cloud: Any) -> None:
    asked("r-1", "ann@example.com")
    report("r-1", converted=1)

    assert "ann@" not in str(cloud.client("dynamodb").scan(TableName=TABLE)["Items"])


def test_requests_and_samples_expire_and_sums_do_not(cloud: Any) -> None:
    asked("r-1")
    report("r-1", converted=1)

    expiring = {
        item["pk"]["S"].split("#")[0]: "expires" in item
        for item in cloud.client("dynamodb").scan(TableName=TABLE)["Items"]
    }
    assert expiring == {"request": True, "unit": True, "tally": False}


def test_a_key_is_remembered_as_long_as_its_test_runs_however_soon_its_requests_expire(
    cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    brief = replace(STATE, plan=replace(PLAN, keep_requests=timedelta(hours=1), duration=timedelta(days=7)))
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)

    asked("r-1", test=brief)

    expires = {
        item["pk"]["S"].split("#")[0]: int(item["expires"]["N"]) - 1_000_000
        for item in cloud.client("dynamodb").scan(TableName=TABLE)["Items"]
        if "expires" in item
    }
    assert expires == {"request": 3600, "unit": 3600 + 7 * 24 * 3600}


class Endpoint:
    """The runtime of an endpoint, as a caller sees it."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self.failure = failure
        self.gone: tuple[str, ...] = ()

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        if self.failure is not None:
            raise self.failure
        if request.get("TargetVariant") in self.gone:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "no variant"}}, "InvokeEndpoint")

        class Body:
            def read(self) -> bytes:
                return b"{}"

        return {
            "Body": Body(),
            "InvokedProductionVariant": request.get("TargetVariant", "a"),
            "ContentType": "application/json",
        }


@pytest.fixture
def endpoint(cloud: Any, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    fake, real = Endpoint(), aws.client
    monkeypatch.setattr(aws, "client", lambda service: fake if service == "sagemaker-runtime" else real(service))
    return fake


def client(**more: Any) -> ABClient:
    return ABClient(endpoint="churn", test="t", table=TABLE, **more)


def test_the_client_asks_the_variant_of_the_key_and_reports_by_the_request_id(endpoint: Endpoint) -> None:
    state.write(TABLE, STATE)
    caller = client()

    answers = [caller.invoke(f"key-{number}", b"{}") for number in range(12)]
    again = [caller.variant_of(f"key-{number}") for number in range(12)]

    assert [one.variant for one in answers] == again
    assert {*again} == {"a", "b"}
    assert [one["InferenceId"] for one in endpoint.asked] == [one.request_id for one in answers]
    assert all(one.recorded for one in answers)
    assert caller.report(answers[0].request_id, {"converted": 1}) == {"converted": True}


def test_where_no_test_runs_the_endpoints_weights_decide(endpoint: Endpoint) -> None:
    answer = client().invoke("ann", b"{}")
    state.write(TABLE, replace(STATE, status="ended"))
    ended = client().invoke("ann", b"{}")

    assert (answer.variant, answer.recorded, ended.recorded) == ("a", False, False)
    assert all("TargetVariant" not in one for one in endpoint.asked)
    with pytest.raises(OutcomeRefused, match="of a test that has begun, and other never ran"):
        ABClient(endpoint="churn", test="other", table=TABLE).report("r-1", {"converted": 1})


def test_shares_are_read_again_after_a_while(endpoint: Endpoint) -> None:
    state.write(TABLE, STATE)
    eager, lazy = client(refresh_s=0), client()
    assert eager.variant_of("ann") == lazy.variant_of("ann")

    state.write(TABLE, replace(STATE, status="ended"))

    assert (eager.variant_of("ann"), lazy.variant_of("ann")) == (None, lazy.variant_of("ann"))


def test_a_failure_of_the_table_does_not_fail_the_prediction(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.write(TABLE, STATE)
    caller = client(refresh_s=0)
    expected = caller.variant_of("ann")
    broken = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "GetItem")

    def fail(*_: Any) -> None:
        raise broken

    monkeypatch.setattr(outcomes, "record_request", fail)
    monkeypatch.setattr(state, "read", fail)
    answer = caller.invoke("ann", b"{}")

    assert (answer.body, answer.variant, answer.recorded) == (b"{}", expected, False)


def test_a_failed_request_is_a_sample_too(endpoint: Endpoint) -> None:
    plan = replace(PLAN, guards=(Guard(metric=Metric(name="failed", goal="decrease", effect=0.01)),))
    state.write(TABLE, replace(STATE, plan=plan))
    endpoint.failure = ClientError({"Error": {"Code": "ModelError", "Message": "crash"}}, "InvokeEndpoint")

    with pytest.raises(ClientError, match="crash"):
        client().invoke("ann", b"{}")

    variant = client().variant_of("ann")
    assert variant is not None
    assert gathered(variant) == {"exposed": (1, 0), "failed": (1, 1)}


def test_a_caller_whose_variant_has_gone_with_its_test_is_answered_by_another(endpoint: Endpoint) -> None:
    state.write(TABLE, STATE)
    caller = client()
    caller.variant_of("ann")
    state.write(TABLE, replace(STATE, status="ended"))
    endpoint.gone = ("a", "b")

    answer = caller.invoke("ann", b"{}")

    assert (answer.body, answer.recorded) == (b"{}", False)
    assert ["TargetVariant" in one for one in endpoint.asked] == [True, False]
    assert gathered("a") == gathered("b") == {"exposed": (0, 0)}


def test_a_variant_that_is_gone_while_its_test_runs_is_told(endpoint: Endpoint) -> None:
    state.write(TABLE, STATE)
    endpoint.gone = ("a", "b")

    with pytest.raises(ClientError, match="no variant"):
        client().invoke("ann", b"{}")

    assert len(endpoint.asked) == 1


@pytest.mark.parametrize("id_", ["x" * 65, "ö"])
def test_a_request_id_that_sagemaker_would_refuse_is_refused(endpoint: Endpoint, id_: str) -> None:
    with pytest.raises(OutcomeRefused, match="request_id must be 1 to 64 ASCII characters"):
        client().invoke("ann", b"{}", request_id=id_)
