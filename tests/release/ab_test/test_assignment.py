"""Which variant does a caller get, and which callers move when shares change?"""

import hashlib
import math

import pytest
from scipy import stats

from mlplatform_cdk.runtimekit.ab_test.assignment import assign, draw

KEYS = [f"customer-{number}" for number in range(20_000)]


def divided(shares: dict[str, float], salt: str = "run-1") -> dict[str, str]:
    return {key: assign(salt, key, shares) for key in KEYS}


def moved(before: dict[str, float], after: dict[str, float]) -> set[tuple[str, str]]:
    old, new = divided(before), divided(after)
    return {(old[key], new[key]) for key in KEYS if old[key] != new[key]}


@pytest.mark.parametrize("shares", [{"a": 0.5, "b": 0.5}, {"a": 0.9, "b": 0.07, "c": 0.03}, {"a": 3, "b": 1}])
def test_the_keys_are_divided_as_the_shares_say(shares: dict[str, float]) -> None:
    got = list(divided(shares).values())

    wanted = [len(KEYS) * share / sum(shares.values()) for share in shares.values()]
    assert stats.chisquare([got.count(name) for name in shares], wanted).pvalue > 0.001


def test_a_key_keeps_its_variant_in_whatever_order_the_variants_are_named() -> None:
    assert divided({"a": 0.3, "b": 0.3, "c": 0.4}) == divided({"c": 0.4, "b": 0.3, "a": 0.3})


@pytest.mark.parametrize(
    ("before", "after", "to"),
    [
        pytest.param({"a": 0.95, "b": 0.05}, {"a": 0.5, "b": 0.5}, {("a", "b")}, id="the challenger gets more"),
        pytest.param({"a": 0.5, "b": 0.5}, {"a": 0.8, "b": 0.2}, {("b", "a")}, id="it gets less"),
        pytest.param({"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 0, "c": 1}, {("b", "a"), ("b", "c")}, id="one goes"),
        pytest.param({"a": 1, "b": 1}, {"a": 1, "b": 1, "c": 1}, {("a", "c"), ("b", "c")}, id="one comes"),
        pytest.param({"a": 0.5, "b": 0.5}, {"a": 5, "b": 5}, set(), id="the same in another unit"),
    ],
)
def test_keys_move_only_where_a_share_changed(
    before: dict[str, float], after: dict[str, float], to: set[tuple[str, str]]
) -> None:
    assert moved(before, after) == to


def test_no_more_keys_move_than_the_change_takes() -> None:
    old, new = divided({"a": 0.9, "b": 0.1}), divided({"a": 0.7, "b": 0.3})

    assert sum(old[key] != new[key] for key in KEYS) / len(KEYS) == pytest.approx(0.2, abs=0.01)


def test_another_test_divides_the_same_keys_independently() -> None:
    shares = {"a": 0.5, "b": 0.5}
    first, second = divided(shares, "run-1"), divided(shares, "run-2")
    table = [[sum((first[key], second[key]) == (x, y) for key in KEYS) for x in "ab"] for y in "ab"]

    assert stats.chi2_contingency(table).pvalue > 0.001


def test_a_variant_without_a_share_gets_nobody() -> None:
    assert {*divided({"a": 1.0, "b": 0.0}).values()} == {"a"}


@pytest.mark.parametrize(
    ("key", "variant"), [("customer-0", "a"), ("customer-1", "a"), ("customer-2", "a"), ("Zoë", "a"), ("", "b")]
)
def test_the_documented_examples(key: str, variant: str) -> None:
    assert assign("salt-1", key, {"a": 0.5, "b": 0.5}) == variant


def test_the_documented_algorithm_gives_the_same_numbers() -> None:
    def documented(salt: str, variant: str, key: str, share: float) -> float:
        h = int(hashlib.sha256(f"{salt}\u001f{variant}\u001f{key}".encode()).hexdigest()[:16], 16)
        u = (math.floor(h / 2**11) + 0.5) / 2**53
        return -math.log(u) / share

    assert -math.log(draw("s", "k", "v")) / 0.3 == documented("s", "v", "k", 0.3)
    assert all(0 < draw("s", key, "v") < 1 for key in KEYS[:1000])
