"""When is a health check healthy?"""

from __future__ import annotations

from typing import Any

import pytest

from mlplatform_cdk.local.resolver.checks import Check, Streak, is_healthy, of_alarm, passes
from mlplatform_cdk.local.resolver.deployed import check_of, record_of
from mlplatform_cdk.local.resolver.records import Alias, Record

WORD = '"in-service"'


def states(answers: str, failures: int) -> str:
    """``+`` is a good answer, ``-`` a bad one; what the check is after each."""
    streak, seen = Streak(), ""
    for one in answers:
        streak = streak.after(passed=one == "+", failures=failures)
        seen += "+" if streak.healthy else "-"
    return seen


@pytest.mark.parametrize(
    ("answers", "failures", "expected"),
    [
        pytest.param("++", 3, "++", id="a new check is healthy"),
        pytest.param("-+-", 1, "-+-", id="one answer counts with a threshold of one"),
        pytest.param("---", 3, "++-", id="three in a row take it out"),
        pytest.param("--+--", 3, "+++++", id="a good one between begins anew"),
        pytest.param("---++-+++", 3, "++------+", id="and three in a row bring it back"),
    ],
)
def test_answers_in_a_row_change_the_state(answers: str, failures: int, expected: str) -> None:
    assert states(answers, failures) == expected


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        pytest.param(200, b'{"status": "in-service"}', True, id="the word"),
        pytest.param(301, b'"in-service"', True, id="any status below 400"),
        pytest.param(503, b'"in-service"', False, id="not with an error"),
        pytest.param(200, b'{"status": "out-of-service"}', False, id="not another word"),
        pytest.param(200, b'"In-Service"', False, id="by case"),
        pytest.param(200, b" " * 5108 + b'"in-service"', True, id="within the first 5,120 bytes"),
        pytest.param(200, b" " * 5109 + b'"in-service"', False, id="not beyond"),
        pytest.param(0, b"", False, id="not without an answer"),
    ],
)
def test_an_answer_is_good_by_its_status_and_its_word(status: int, body: bytes, *, expected: bool) -> None:
    assert passes(Check(id="a", kind="HTTPS_STR_MATCH", word=WORD), status, body) is expected
    assert passes(Check(id="a", kind="HTTPS"), status, b"") is (200 <= status < 400)


@pytest.mark.parametrize(
    ("alarm", "before", "rule", "expected"),
    [
        ("OK", False, "Unhealthy", True),
        ("ALARM", True, "Healthy", False),
        ("INSUFFICIENT_DATA", False, "Healthy", True),
        ("INSUFFICIENT_DATA", True, "Unhealthy", False),
        ("INSUFFICIENT_DATA", True, "LastKnownStatus", True),
        ("INSUFFICIENT_DATA", False, "LastKnownStatus", False),
    ],
)
def test_an_alarm_counts_by_its_state_and_without_data_by_the_check(
    alarm: str, rule: str, *, before: bool, expected: bool
) -> None:
    assert of_alarm(alarm, before, rule) is expected


def calculated(threshold: int, **more: Any) -> dict[str, Check]:
    all_ = Check(id="all", kind="CALCULATED", children=("a", "b"), threshold=threshold, **more)
    return {"all": all_} | {one: Check(id=one, kind="HTTPS") for one in "ab"}


@pytest.mark.parametrize(
    ("threshold", "sick", "expected"),
    [
        pytest.param(2, "", True, id="all of them"),
        pytest.param(2, "b", False, id="one is missing"),
        pytest.param(1, "b", True, id="one is enough"),
        pytest.param(0, "ab", True, id="none is needed"),
        pytest.param(3, "", False, id="more than there are"),
    ],
)
def test_a_calculated_check_counts_its_children(threshold: int, sick: str, *, expected: bool) -> None:
    seen = dict.fromkeys(sick, False)

    assert is_healthy("all", calculated(threshold), seen) is expected
    assert is_healthy("all", calculated(threshold, inverted=True), seen) is not expected


def test_a_disabled_check_is_healthy_but_for_its_inversion() -> None:
    assert is_healthy("all", calculated(3, disabled=True), {})
    assert not is_healthy("all", calculated(0, disabled=True, inverted=True), {})


def test_a_child_is_counted_as_it_is_turned_round() -> None:
    known = calculated(2) | {"b": Check(id="b", kind="HTTPS", inverted=True)}

    assert not is_healthy("all", known, {})
    assert is_healthy("all", known, {"b": False})


def test_calculated_checks_in_a_circle_are_refused() -> None:
    with pytest.raises(ValueError, match=r"calculated checks must end at others"):
        is_healthy("a", {"a": Check(id="a", kind="CALCULATED", children=("a",), threshold=1)}, {})


def test_checks_and_records_are_read_as_route_53_gives_them() -> None:
    config = {
        "Type": "CLOUDWATCH_METRIC",
        "AlarmIdentifier": {"Name": "out", "Region": "eu-west-1"},
        "InsufficientDataHealthStatus": "Unhealthy",
    }
    given = {
        "Name": "One.example.com.",
        "Type": "A",
        "SetIdentifier": "eu",
        "GeoLocation": {"ContinentCode": "EU"},
        "HealthCheckId": "a",
        "AliasTarget": {"DNSName": "two.example.com.", "HostedZoneId": "Z1", "EvaluateTargetHealth": True},
    }

    assert check_of("a", config) == Check(
        id="a", kind="CLOUDWATCH_METRIC", alarm="out", alarm_region="eu-west-1", without_data="Unhealthy"
    )
    alias = Alias(name="two.example.com", within_zone=True, evaluate=True)
    assert record_of(given, "Z1") == Record(
        name="one.example.com", identifier="eu", continent="EU", check="a", alias=alias
    )
    assert record_of(given, "Z2").alias == Alias(name="two.example.com", within_zone=False, evaluate=True)
