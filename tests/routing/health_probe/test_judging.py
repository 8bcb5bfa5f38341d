"""What do answers to golden requests say about a region?"""

import json

import pytest

from mlplatform_cdk.routing.health_probe.runtime.judging import Asked, Judgement, Served, Serving, judge, questions
from mlplatform_cdk.routing.health_probe.runtime.sending import Answer
from mlplatform_cdk.runtimekit.region_health import Golden, LatencyWindow
from tests.routing.health_probe.conftest import manifest_of

BLUE = Served(version="blue", label="churn version 1", manifest=manifest_of(0.5))
GREEN = Served(version="green", label="churn version 2", manifest=manifest_of(0.7))
SERVING = Serving(variants={"a": BLUE, "b": GREEN}, main="a")
MUCH = Answer(status=429, body=b'{"message":"Too Many Requests"}')
RATE = Answer(status=400, body=b'{"message":"Rate exceeded"}')
NULL = Answer(status=400, body=b'{"message":null}')
LOST = Answer(status=0, problem="ReadTimeoutError: late")


def said(value: object, *, variant: str = "a", status: int = 200, took: float = 5.0) -> Answer:
    body = json.dumps({"outputs": {"y": [value]}}).encode()
    return Answer(status=status, body=body, variant=variant, latency_ms=took)


def judged(*answers: Answer) -> Judgement:
    asked = [Asked(one, answer) for one, answer in zip(questions(BLUE.manifest, 0), answers, strict=True)]
    return judge(asked, SERVING, LatencyWindow(), 100)


@pytest.mark.parametrize(
    ("answers", "golden", "reason"),
    [
        pytest.param([said(0.5)] * 3, Golden.RIGHT, "", id="as expected"),
        pytest.param([said(0.5), said(0.6), said(0.5)], Golden.WRONG, "y[0] must be 0.5, got 0.6", id="one is wrong"),
        pytest.param([said(0.5), LOST, said(0.5)], Golden.FAILED, "1 of 3 failed: ReadTimeoutError", id="one is lost"),
        pytest.param([said(0.5, status=503)] * 3, Golden.FAILED, "3 of 3 failed: HTTP 503", id="refused"),
        pytest.param([LOST, said(0.6), LOST], Golden.WRONG, "got 0.6", id="wrong beside lost"),
        pytest.param([MUCH, said(0.5), said(0.5)], Golden.UNKNOWN, "1 of 3 were refused as too many", id="much"),
        pytest.param([MUCH] * 3, Golden.SLOW, "3 of 3 were refused as too many", id="too much"),
        pytest.param([RATE, NULL, MUCH], Golden.SLOW, "3 of 3 were refused as too many", id="too much for SageMaker"),
        pytest.param([said(0.5, status=400)] * 3, Golden.FAILED, "3 of 3 failed: HTTP 400", id="a wrong request"),
        pytest.param([MUCH, said(0.6), MUCH], Golden.WRONG, "got 0.6", id="wrong beside too much"),
        pytest.param([MUCH, LOST, MUCH], Golden.FAILED, "1 of 3 failed: ReadTimeoutError", id="lost beside too much"),
        pytest.param([said(0.5, took=200)] * 3, Golden.SLOW, "must take 100 ms at most", id="all too slow"),
        pytest.param([said(0.5, took=200), said(0.5), said(0.5)], Golden.RIGHT, "", id="one slow answer is luck"),
        pytest.param([said(0.7, variant="b")] * 3, Golden.RIGHT, "", id="green by its own manifest"),
        pytest.param([said(0.5, variant="b")] * 3, Golden.WRONG, "must be 0.7, got 0.5", id="green as blue"),
        pytest.param([said(0.5), said(0.6), said(0.9, variant="c")], Golden.UNKNOWN, "not known to have: c", id="new"),
        pytest.param([said(0.9, variant="c"), LOST, LOST], Golden.FAILED, "2 of 3 failed", id="lost beside new"),
        pytest.param([said(0.5, variant="")] * 3, Golden.RIGHT, "", id="nobody says which variant"),
        pytest.param(
            [Answer(status=200, body=b"<html>")] * 3, Golden.WRONG, "the answer must be JSON, got", id="no JSON"
        ),
    ],
)
def test_a_round_says(answers: list[Answer], golden: Golden, reason: str) -> None:
    judgement = judged(*answers)

    assert judgement.golden is golden
    assert reason in judgement.reason


def test_a_wrong_answer_is_told_of_the_version_that_gave_it() -> None:
    assert judged(said(0.5), said(0.5, variant="b"), said(0.5)).served is GREEN
    assert judged(said(0.5), said(0.1), said(0.5)).served is BLUE


def test_what_the_other_version_was_never_asked_is_judged_by_its_time_alone() -> None:
    stranger = Served(version="green", label="", manifest=manifest_of(0.7))
    other = Asked(BLUE.manifest.golden_requests[0], said(0.1, variant="b"))
    goldens = tuple(one for one in stranger.manifest.golden_requests if one.name == "g2")
    object.__setattr__(stranger.manifest, "golden_requests", goldens)

    serving = Serving(variants={"a": BLUE, "b": stranger}, main="a")

    assert judge([other], serving, LatencyWindow(), 100).golden is Golden.RIGHT


def test_every_golden_request_has_its_turn() -> None:
    names = [[one.name for one in questions(BLUE.manifest, number)] for number in (0, 1, 2)]

    assert names == [["g1", "g2", "g1"], ["g2", "g1", "g2"], ["g1", "g2", "g1"]]
