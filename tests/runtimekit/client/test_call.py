"""What does one call do until it has its answer?"""

import contextlib
import re

import pytest

from mlplatform_cdk.routing.regional_api.methods import _ERRORS, _UNKNOWN
from mlplatform_cdk.runtimekit.client import CallFailed, CallRefused, Limits, Retries
from mlplatform_cdk.runtimekit.client.answers import RETRIED
from mlplatform_cdk.runtimekit.client.wire import Fault, Reply
from tests.runtimekit.client.virtual import (
    CUT,
    DEAD,
    REFUSED,
    SILENT,
    Behaviour,
    always,
    between,
    client,
    reply,
    well,
    world,
)


def outcomes(failed: CallFailed) -> list[tuple[str, str]]:
    return [(one.region, one.outcome) for one in failed.attempts]


def test_the_answer_says_who_gave_it_and_what_was_tried() -> None:
    told = reply(body=b"[3]", content_type="application/json", x_amzn_requestid="r-1")
    wire = world(a=DEAD, b=always(told, 0.2))

    answer = client(wire).invoke("[1, 2]", idempotency_key="order-17")

    assert (answer.body, answer.content_type, answer.region) == (b"[3]", "application/json", "b")
    assert (answer.request_id, answer.idempotency_key) == ("r-1", "order-17")
    assert [(one.region, one.outcome, one.hedge) for one in answer.attempts] == [
        ("a", "refused the connection", False),
        ("b", "answered 200", False),
    ]
    assert answer.attempts[1].seconds == pytest.approx(0.2)


def test_every_attempt_in_every_region_carries_the_same_key_and_body() -> None:
    wire = world(a=DEAD, b=DEAD)

    with pytest.raises(CallFailed) as failed:
        client(wire).invoke(b"[1]", headers={"X-Amzn-SageMaker-Custom-Attributes": "t=1"})

    assert len(wire.sent) == 4
    assert wire.asked() == ["a", "b", "a", "b"]
    assert len(wire.slept) == 1  # from one region to the other it goes at once
    assert {one.request.body for one in wire.sent} == {b"[1]"}
    (headers,) = {tuple(sorted(one.request.headers.items())) for one in wire.sent}
    assert dict(headers) == {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "X-Amzn-SageMaker-Custom-Attributes": "t=1",
        "X-Amzn-SageMaker-Inference-Id": failed.value.idempotency_key,
        "X-Idempotency-Key": failed.value.idempotency_key,
    }


@pytest.mark.parametrize(
    ("key", "headers", "inference_id"),
    [
        ("k-1", {}, "k-1"),
        ("k-1", {"x-amzn-sagemaker-inference-id": "mine"}, "mine"),
        ("k" * 65, {}, None),  # longer than SageMaker takes
    ],
)
def test_the_model_gets_the_key_as_its_inference_id_where_it_may(
    key: str, headers: dict[str, str], inference_id: str | None
) -> None:
    wire = world(a=well())
    client(wire).invoke(b"", idempotency_key=key, headers=headers)

    (sent,) = wire.sent
    names = {name.lower(): value for name, value in sent.request.headers.items()}
    assert (names["x-idempotency-key"], names.get("x-amzn-sagemaker-inference-id")) == (key, inference_id)


def test_each_call_has_a_key_of_its_own() -> None:
    one = client(world(a=well()))

    assert re.fullmatch(r"[0-9a-f]{32}", first := one.invoke(b"").idempotency_key)
    assert one.invoke(b"").idempotency_key != first


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 530])
def test_a_passing_fault_is_tried_elsewhere_at_once(status: int) -> None:
    wire = world(a=always(reply(status)), b=well())

    assert client(wire).invoke(b"").region == "b"
    assert wire.slept == []


def test_a_key_that_still_runs_is_waited_for_and_no_fault_of_the_region() -> None:
    wire = world(a=between(0, 0.001, always(reply(409, retry_after="1")), well()))
    one = client(wire)

    assert one.invoke(b"").region == "a"
    assert wire.asked() == ["a", "a"]
    assert [status.state for status in one.status()] == ["closed"]
    with pytest.raises(CallRefused, match="with 409"):
        client(world(a=always(reply(409)))).invoke(b"")
    with pytest.raises(CallFailed, match="not marked idempotent"):
        client(world(a=always(reply(409, retry_after="1")), b=well())).invoke(b"", idempotent=False)


def test_a_key_that_runs_for_seconds_is_asked_for_where_it_runs_until_it_is_done() -> None:
    runs = always(reply(409, retry_after="1"))
    wire = world(a=between(0, 7, runs, well()), b=well())

    answer = client(wire).invoke(b"")

    assert (answer.region, set(wire.asked())) == ("a", {"a"})
    assert wire.slept[:3] == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("status", [302, 400, 413, 415, 422, 424, 501])
def test_a_request_that_is_wrong_is_tried_nowhere_else(status: int) -> None:
    wire = world(a=always(reply(status, b'{"message":\n "no"}', x_amzn_requestid="r-9")), b=well())

    with pytest.raises(CallRefused) as refused:
        client(wire).invoke(b"")

    assert str(refused.value) == f'a refused the request with {status}: {{"message": "no"}} (request r-9)'
    assert (refused.value.status, refused.value.region, refused.value.request_id) == (status, "a", "r-9")
    assert refused.value.body == b'{"message":\n "no"}'
    assert wire.asked() == ["a"]


GONE = reply(400, b'{"Message": "Endpoint churn of account 777788889999 not found."}')


@pytest.mark.parametrize("own", [GONE, reply(400, b'{"message":null}'), reply(400, b'{"message": "Rate exceeded"}')])
def test_a_400_of_an_endpoint_that_is_gone_or_throttled_is_its_regions_fault(own: Reply) -> None:
    wire = world(a=always(own), b=well())
    one = client(wire, prefer=["a"])

    answers = [one.invoke(b"", idempotent=False) for _ in range(8)]

    assert {answer.region for answer in answers} == {"b"}
    assert wire.asked() == ["a", "b"] * 5 + ["b"] * 3


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"message": 1}', b'{"message": "no: Endpoint a of account 1 not found"}']
)
def test_a_400_that_says_nothing_of_the_region_is_the_callers(body: bytes) -> None:
    with pytest.raises(CallRefused):
        client(world(a=always(reply(400, body)), b=well())).invoke(b"")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_who_may_ask_and_what_there_is_is_asked_of_every_region_before_it_is_believed(status: int) -> None:
    refusal = always(reply(status, b'{"message": "Forbidden"}'))
    wire = world(a=refusal, b=refusal, c=refusal)
    one = client(wire, prefer=["a"])

    for _ in range(8):
        with pytest.raises(CallRefused, match=f"c refused the request with {status}") as refused:
            one.invoke(b"", idempotent=False)

    assert [attempt.region for attempt in refused.value.attempts] == ["a", "b", "c"]
    assert (wire.slept, {status.state for status in one.status()}) == ([], {"closed"})


@pytest.mark.parametrize("other", [well(), always(reply(400)), always(reply(424))])
def test_a_region_that_alone_lets_nobody_in_is_left(other: Behaviour) -> None:
    wire = world(a=always(reply(403), 0.01), b=other)
    one = client(wire, prefer=["a"])

    for _ in range(8):
        with contextlib.suppress(CallRefused):
            assert one.invoke(b"", idempotent=False).region == "b"

    assert wire.asked() == ["a", "b"] * 5 + ["b"] * 3
    assert {status.region: status.state for status in one.status()} == {"a": "open", "b": "closed"}


@pytest.mark.parametrize(("other", "state"), [(always(reply(403)), "closed"), (DEAD, "open")])
def test_a_region_that_is_tried_and_refuses_is_back_only_if_the_others_say_the_same(
    other: Behaviour, state: str
) -> None:
    wire = world(a=between(0, 50, DEAD, always(reply(403))), b=between(0, 50, well(), other))
    one = client(wire, prefer=["a"])
    for _ in range(5):
        one.invoke(b"")

    wire.time = 50
    with pytest.raises((CallRefused, CallFailed)):
        one.invoke(b"", idempotency_key="k")

    assert wire.asked(50)[:2] == ["a", "b"]
    assert {status.region: status.state for status in one.status()}["a"].replace("returning", "closed") == state


def test_a_refusal_that_nobody_can_judge_blames_no_region_and_is_no_refusal_of_all() -> None:
    wire = world(a=always(reply(403)), b=DEAD)
    one = client(wire)

    for _ in range(8):
        with pytest.raises(CallFailed, match="a answered 403"):
            one.invoke(b"")

    assert {status.region: status.state for status in one.status()} == {"a": "closed", "b": "open"}


@pytest.mark.parametrize("retries", [Retries(attempts=1), Retries(reserve=0, share=0)])
def test_a_call_that_may_not_ask_further_says_what_was_refused(retries: Retries) -> None:
    with pytest.raises(CallRefused, match="a refused the request with 403"):
        client(world(a=always(reply(403)), b=well()), retries=retries).invoke(b"")


def test_a_model_that_failed_is_tried_elsewhere_and_one_that_refused_is_not() -> None:
    failed, refused = (reply(424, b'{"OriginalStatusCode": %d, "Message": "m"}' % status) for status in (503, 400))
    wire = world(a=always(failed), b=well())

    assert client(wire).invoke(b"").region == "b"
    for body in (refused, reply(424, b"[503]"), reply(424, b"OriginalStatusCode 503"), reply(424)):
        with pytest.raises(CallRefused, match="a refused the request with 424"):
            client(world(a=always(body), b=well())).invoke(b"")


def test_every_error_of_the_platforms_api_is_known() -> None:
    ours = {*_ERRORS, _UNKNOWN}

    assert ours - RETRIED == {400, 403, 424}


def test_refusals_do_not_take_a_region_out() -> None:
    wire = world(a=always(reply(400)), b=well())
    one = client(wire, prefer=["a"])

    for _ in range(30):
        with pytest.raises(CallRefused):
            one.invoke(b"")

    assert {status.state for status in one.status()} == {"closed"}


def test_before_a_region_is_asked_again_the_call_sleeps_a_random_time_that_may_grow() -> None:
    slept = []
    for seed in range(200):
        wire = world(seed, a=DEAD)
        with pytest.raises(CallFailed):
            client(wire, retries=Retries(attempts=6, base_s=0.1, cap_s=0.4)).invoke(b"")
        slept.append(wire.slept)

    for round_, most in enumerate((0.1, 0.2, 0.4, 0.4, 0.4)):
        those = [one[round_] for one in slept]
        assert 0 <= min(those) < 0.1 * most
        assert 0.9 * most < max(those) <= most


def test_the_error_is_one_sentence_that_says_what_was_tried() -> None:
    wire = world(a=DEAD, b=always(reply(503), 0.25))

    with pytest.raises(CallFailed) as failed:
        client(wire, retries=Retries(attempts=2)).invoke(b"", idempotency_key="k")

    assert str(failed.value) == (
        "no region answered: a refused the connection (0.001 s), b answered 503 (0.25 s); "
        "given up, since a call makes at most 2 attempts (idempotency key k)"
    )


def test_a_region_that_hangs_costs_one_attempts_time() -> None:
    wire = world(a=SILENT, b=well())

    answer = client(wire, limits=Limits(attempt_s=2)).invoke(b"")

    assert [(one.region, one.outcome) for one in answer.attempts] == [("a", "did not answer"), ("b", "answered 200")]
    assert answer.attempts[0].seconds == 2
    assert wire.sent[0].cancelled


@pytest.mark.parametrize("behaviour", [SILENT, DEAD, always(reply(503), 0.4), always(reply(429, retry_after="3"))])
@pytest.mark.parametrize("deadline_s", [0.3, 1.0, 7.0])
def test_no_call_outlives_its_deadline(behaviour: Behaviour, deadline_s: float) -> None:
    wire = world(a=behaviour, b=behaviour)
    one = client(wire, limits=Limits(attempt_s=2), retries=Retries(attempts=100))

    for _ in range(5):
        began = wire.time
        with pytest.raises(CallFailed):
            one.invoke(b"", deadline_s=deadline_s)
        assert wire.time <= began + deadline_s + 1e-9


def test_an_attempt_gets_no_more_than_what_is_left_of_the_deadline() -> None:
    wire = world(a=SILENT, b=SILENT)

    with pytest.raises(CallFailed, match="given up, since the deadline is over") as failed:
        client(wire, limits=Limits(attempt_s=2)).invoke(b"", deadline_s=3)

    assert [one.seconds for one in failed.value.attempts] == [2, 1]


def test_an_impatient_caller_does_not_take_a_region_out() -> None:
    wire = world(a=well(0.5))
    one = client(wire)
    for _ in range(20):
        one.invoke(b"")

    for _ in range(20):
        with pytest.raises(CallFailed):
            one.invoke(b"", deadline_s=0.2)

    assert [status.state for status in one.status()] == ["closed"]


@pytest.mark.parametrize("status", [429, 503])
def test_no_region_is_asked_before_the_time_that_it_named(status: int) -> None:
    busy = always(reply(status, retry_after="2"))
    wire = world(a=between(0, 1, busy, well()), b=between(0, 1, busy, well()))

    answer = client(wire).invoke(b"")

    assert answer.region == "a"
    assert wire.sent[2].at == pytest.approx(2.05)


def test_a_time_beyond_the_deadline_is_not_waited_for() -> None:
    wire = world(a=always(reply(429, retry_after="120")))
    one = client(wire)

    with pytest.raises(
        CallFailed, match="given up, since the deadline comes before the next attempt, and every region"
    ):
        one.invoke(b"")
    with pytest.raises(CallFailed, match="nothing was sent"):
        one.invoke(b"")

    assert len(wire.sent) == 1


def test_what_may_not_be_processed_twice_is_tried_again_only_if_it_was_not_processed() -> None:
    for outcome in (REFUSED, reply(429)):
        assert client(world(a=always(outcome), b=well())).invoke(b"", idempotent=False).region == "b"
    for maybe in (CUT, reply(500), reply(503)):
        wire = world(a=always(maybe), b=well())
        with pytest.raises(CallFailed, match="may have been processed, and is not marked idempotent"):
            client(wire).invoke(b"", idempotent=False)
        assert wire.asked() == ["a"]


def test_a_name_that_is_not_found_is_a_regions_fault_like_any_other() -> None:
    unknown = Fault(what="has no address: [Errno -2] Name or service not known", sent=False)

    answer = client(world(a=always(unknown), b=well())).invoke(b"")

    assert str(answer.attempts[0]).startswith("a has no address")


def test_an_error_of_the_callers_own_blames_no_region() -> None:
    class Broken:
        def headers(self, *_: object) -> dict[str, str]:
            raise RuntimeError("no token")

    wire = world(a=well())
    one = client(wire, authorization=Broken())

    for _ in range(10):
        with pytest.raises(RuntimeError, match="no token"):
            one.invoke(b"")

    assert [status.state for status in one.status()] == ["closed"]
    assert wire.sent == []
