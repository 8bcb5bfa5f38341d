"""Which record does Route 53 answer with?"""

from __future__ import annotations

from typing import Any

import pytest

from mlplatform_cdk.local.resolver.records import ALIAS_TTL_S, Alias, Caller, NoLeaf, Record, Zone

NAME = "one.example.com"
HERE, THERE = "eu-west-1", "us-east-1"
NEAR = Caller(nearest=(HERE, THERE), continent="EU", country="DE")


def record(value: str, name: str = NAME, **more: Any) -> Record:
    return Record(name=name, values=(value,), ttl_s=30, identifier=value, **more)


def to(name: str, **more: Any) -> Alias:
    return Alias(name=name, within_zone=True, **more)


def answer(records: list[Record], *sick: str, caller: Caller = NEAR, chance: float = 0.0) -> tuple[str, ...]:
    return Zone.of(records).answer(NAME, caller, lambda check: check not in sick, chance).values


LATENCY = [record("here", region=HERE, check="h"), record("there", region=THERE, check="t")]
FAILOVER = [record("second", failover="SECONDARY", check="s"), record("first", failover="PRIMARY", check="p")]
GEO = [
    record("europe", continent="EU", check="eu"),
    record("germany", country="DE", check="de"),
    record("berlin", country="DE", subdivision="BE", check="be"),
    record("rest", country="*", check="rest"),
]


@pytest.mark.parametrize(
    ("records", "sick", "expected"),
    [
        pytest.param(LATENCY, [], "here", id="the nearest region"),
        pytest.param(LATENCY, ["h"], "there", id="the next nearest where that is sick"),
        pytest.param(LATENCY, ["h", "t"], "here", id="as if all were healthy where none is"),
        pytest.param(FAILOVER, [], "first", id="the primary"),
        pytest.param(FAILOVER, ["s"], "first", id="the primary whatever the secondary is"),
        pytest.param(FAILOVER, ["p"], "second", id="the secondary where the primary is sick"),
        pytest.param(FAILOVER, ["p", "s"], "first", id="the primary where both are"),
        pytest.param(GEO, [], "germany", id="the smallest area that the caller is in"),
        pytest.param(GEO, ["de"], "europe", id="the next larger where that is sick"),
        pytest.param(GEO, ["de", "eu"], "rest", id="the default last"),
        pytest.param(GEO[:1], ["eu"], "europe", id="a sick area where no other fits"),
        pytest.param(LATENCY[:1], ["h"], "here", id="one record is always answered"),
    ],
)
def test_a_record_is_chosen_by_its_policy_among_the_healthy(
    records: list[Record], sick: list[str], expected: str
) -> None:
    assert answer(records, *sick) == (expected,)


def test_who_is_nowhere_gets_the_default_and_without_one_no_answer() -> None:
    assert answer(GEO, caller=Caller()) == ("rest",)
    assert answer(GEO[:3], caller=Caller(continent="AS")) == ()


def test_a_part_of_a_country_comes_before_the_country() -> None:
    assert answer(GEO, caller=Caller(continent="EU", country="DE", subdivision="BE")) == ("berlin",)


def test_a_region_that_the_caller_knows_no_latency_of_comes_last() -> None:
    assert answer(LATENCY, caller=Caller(nearest=(THERE,))) == ("there",)


@pytest.mark.parametrize(
    ("weights", "sick", "chance", "expected"),
    [
        pytest.param((1, 3), [], 0.24, "a", id="a quarter of the questions"),
        pytest.param((1, 3), [], 0.26, "b", id="and three quarters"),
        pytest.param((1, 3), ["b"], 0.99, "a", id="all where the other is sick"),
        pytest.param((0, 1), [], 0.0, "b", id="none with a weight of 0"),
        pytest.param((0, 1), ["b"], 0.5, "a", id="but where no other is left"),
        pytest.param((0, 0), [], 0.6, "b", id="alike where all are 0"),
    ],
)
def test_weights_share_the_questions(weights: tuple[int, int], sick: list[str], chance: float, expected: str) -> None:
    records = [record(name, weight=weight, check=name) for name, weight in zip("ab", weights, strict=True)]

    assert answer(records, *sick, chance=chance) == (expected,)


def test_an_alias_is_followed_to_the_last_record_whose_ttl_counts() -> None:
    zone = Zone.of([Record(name=NAME, alias=to("two.example.com")), record("10.0.0.1", "two.example.com")])

    reply = zone.answer(NAME, NEAR, lambda _: True)

    assert (reply.values, reply.ttl_s, reply.path) == (("10.0.0.1",), 30, (NAME, "two.example.com"))


def test_an_alias_of_a_resource_has_its_own_ttl() -> None:
    alias = Alias(name="d-1.execute-api.eu-west-1.amazonaws.com", within_zone=False, evaluate=True)

    reply = Zone.of([Record(name=NAME, alias=alias)]).answer(NAME, NEAR, lambda _: True)

    assert (reply.values, reply.ttl_s) == ((alias.name,), ALIAS_TTL_S)


def aliases(**how: Any) -> list[Record]:
    """Two regions by latency; the near one stands for two records, which have checks of their own."""
    return [
        Record(name=NAME, region=HERE, alias=to("near.example.com", **how)),
        record("far", region=THERE),
        record("a", "near.example.com", weight=1, check="a"),
        record("b", "near.example.com", weight=1, check="b"),
    ]


def test_an_alias_inherits_health_only_where_it_says_so() -> None:
    assert answer(aliases(evaluate=True), "a", "b") == ("far",)
    assert answer(aliases(evaluate=False), "a", "b") == ("a",)
    assert answer(aliases(evaluate=True), "a") == ("b",)


def test_an_alias_with_a_check_needs_both() -> None:
    first, *others = aliases(evaluate=True)
    checked = [Record(name=NAME, region=HERE, alias=first.alias, check="own"), *others]

    assert answer(checked) == ("a",)
    assert answer(checked, "own") == answer(checked, "a", "b") == ("far",)


def test_a_name_without_records_has_no_answer_and_a_circle_is_refused() -> None:
    circle = [Record(name=NAME, alias=to("two.example.com")), Record(name="two.example.com", alias=to(NAME))]

    assert answer([]) == ()
    with pytest.raises(NoLeaf, match=r"aliases must end at a record, got one.example.com → two"):
        answer(circle)
    with pytest.raises(NoLeaf, match=r"a circle"):
        answer([Record(name=NAME, alias=to(NAME, evaluate=True))])
