"""What a scenario came to: counted from the calls and the sightings, and held against what must be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlplatform_cdk.local.rehearsal.regions.report import Capacity, Counts, Outcome, Second

if TYPE_CHECKING:
    from mlplatform_cdk.local.rehearsal.regions.calls import Call, How
    from mlplatform_cdk.local.rehearsal.regions.scenarios import Scenario

INTERVALS = 3
# Between two sightings, and between a caller's question for the name and its request.
SLACK_S = 0.5
IN_SERVICE = "in-service"
_SHOWN = 200
_ONCE = re.compile(r"\b[0-9a-f]{32}\b|\d+(\.\d+)? s\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Something that changed.

    :param at: when, in seconds since 1970.
    :param what: a region's ``verdict``, or its ``instances``, or where the ``name`` leads for callers near it.
    :param region: whose verdict, or near which.
    :param value: the status, or how many, or the region that the name leads to.
    """

    at: float
    what: str
    region: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known when a scenario is over.

    :param scenario: what had to happen.
    :param victim: the region that it happened to.
    :param survivor: the other one.
    :param struck: when the fault began, in seconds since 1970.
    :param restored: when it ended.
    :param began: when the calls began.
    :param calls: all of them.
    :param right: the answer that each should have got.
    :param seen: what changed, in order.
    :param interval_s: of the probe, as it passes here.
    :param ttl_s: of the name, as it passes here.
    """

    scenario: Scenario
    victim: str
    survivor: str
    struck: float
    restored: float
    began: float
    calls: Sequence[Call]
    right: str
    seen: Sequence[Seen]
    interval_s: float
    ttl_s: float

    def first(self, what: str, region: str, after: float, fits: Callable[[str], bool]) -> float | None:
        """Seconds from ``after`` to the first sighting that fits."""
        return next(
            (
                one.at - after
                for one in self.seen
                if (one.what, one.region) == (what, region) and one.at >= after and fits(one.value)
            ),
            None,
        )

    def is_bad(self, call: Call) -> bool:
        """Whether a call failed, or was answered wrongly."""
        return not call.answered or call.text != self.right


def judge(facts: Facts) -> Outcome:
    """The outcome of a scenario that has ended."""
    struck, restored, victim = facts.struck, facts.restored, facts.victim
    shift = facts.first("name", victim, struck, lambda value: value != victim)
    plain = [one for one in facts.calls if one.how == "plain"]
    reached = [one.sent for one in plain if one.region == victim and struck <= one.sent < restored]
    back = [one.sent - restored for one in plain if one.region == victim and one.sent >= restored and one.answered]
    asked = (facts.calls, facts.right, struck, restored)
    made = Outcome(
        name=facts.scenario.name,
        title=facts.scenario.title,
        held=True,
        detect_s=facts.first("verdict", victim, struck, lambda value: value != IN_SERVICE),
        detect_within_s=INTERVALS * facts.interval_s,
        shift_s=shift,
        left_s=max(reached, default=struck) - struck,
        left_within_s=None if shift is None else shift + facts.ttl_s,
        well_s=facts.first("verdict", victim, restored, IN_SERVICE.__eq__),
        return_s=facts.first("name", victim, restored, victim.__eq__),
        back_s=min(back, default=None),
        plain=counts("plain", *asked),
        client=counts("client", *asked),
        capacity=_capacity(facts, shift),
        moments=tuple((one.at - struck, told(one)) for one in facts.seen),
        struck_s=struck - facts.began,
        plain_by_second=_by_second(facts, "plain"),
        client_by_second=_by_second(facts, "client"),
        failures=dict(Counter(_ONCE.sub("#", one.text)[:_SHOWN] for one in facts.calls if not one.answered)),
    )
    problems = tuple(_problems(facts, made))
    return replace(made, held=not problems, problems=problems)


def _problems(facts: Facts, made: Outcome) -> Iterable[str]:
    """What is not as it must be."""
    yield from late("the region's verdict must turn", made.detect_s, made.detect_within_s)
    yield from _left(made)
    if made.return_s is None or made.back_s is None:
        yield "the region must answer callers by DNS again after the fault, and did not"
    yield from _called(made)
    if made.capacity is None or made.capacity.scaled_s is None:
        yield f"{facts.survivor} must have more instances for twice the load, and had not"
    turned = (one for one in facts.seen if (one.what, one.region) == ("verdict", facts.survivor))
    if any(one.at >= facts.struck and one.value != IN_SERVICE for one in turned):
        yield f"{facts.survivor} must stay in service, and did not"
    bad = sum(facts.is_bad(one) for one in facts.calls if one.near == facts.survivor)
    if bad:
        yield f"no caller near {facts.survivor} may notice, got {bad} failed or wrong"


def _left(made: Outcome) -> Iterable[str]:
    """Whether callers by DNS have left in time."""
    most = made.left_within_s
    if most is None:
        yield "the name must lead elsewhere while the region is out, and did not"
        return
    yield from late("the last call by DNS must leave the region", made.left_s, most + SLACK_S)
    last = made.plain.last_bad_s if made.plain else None
    if last is not None and last > most + SLACK_S:
        yield f"no call by DNS may fail or be wrong after {most:.1f} s, got one after {last:.1f} s"


def _called(made: Outcome) -> Iterable[str]:
    for name, counts in (("by the client helper", made.client), ("by DNS", made.plain)):
        if not counts or not counts.sent:
            yield f"there must be calls {name}, got none"
    if made.client and made.client.failed:
        yield f"no call by the client helper may fail, got {made.client.failed} of {made.client.sent}"


def late(what: str, took: float | None, most: float) -> Iterable[str]:
    """What is to be said of something that must happen in time: nothing, or one sentence."""
    if took is None:
        yield f"{what} within {most:.1f} s, and did not at all"
    elif took > most:
        yield f"{what} within {most:.1f} s, got {took:.1f}"


def counts(how: How, calls: Sequence[Call], right: str, struck: float, restored: float) -> Counts:
    """The calls of one kind of caller.

    :param how: which kind.
    :param calls: all.
    :param right: the answer that each should have got.
    :param struck: when the fault began, in seconds since 1970.
    :param restored: when it ended.
    """
    made = [one for one in calls if one.how == how]
    bad = [one.sent - struck for one in made if not one.answered or one.text != right]
    return Counts(
        sent=len(made),
        failed=sum(not one.answered for one in made),
        wrong=sum(one.answered and one.text != right for one in made),
        last_bad_s=max(bad, default=None),
        p99_ms=_p99([one for one in made if struck <= one.sent < restored]),
    )


def _by_second(facts: Facts, how: How) -> tuple[Second, ...]:
    counted: Counter[tuple[int, str]] = Counter()
    for one in facts.calls:
        if one.how == how:
            kind = "bad" if facts.is_bad(one) else "struck" if one.region == facts.victim else "other"
            counted[int(max(one.sent - facts.began, 0.0)), kind] += 1
    last = max((at for at, _ in counted), default=-1)
    return tuple(
        Second(at=at, struck=counted[at, "struck"], other=counted[at, "other"], bad=counted[at, "bad"])
        for at in range(last + 1)
    )


def _capacity(facts: Facts, shift: float | None) -> Capacity:
    """Rates by the moment of sending."""
    moved = min(facts.struck + (shift or 0.0) + facts.ttl_s, facts.restored)
    during = [one for one in facts.calls if facts.struck <= one.sent < facts.restored]
    before = [one for one in facts.calls if one.sent < facts.struck and one.region == facts.survivor]
    after = [one for one in during if one.sent >= moved and one.region == facts.survivor]
    lasted = facts.restored - facts.struck
    return Capacity(
        asked=_rate(len(during), lasted),
        right=_rate(sum(not facts.is_bad(one) for one in during), lasted),
        survivor_before=_rate(len(before), facts.struck - facts.began),
        survivor_during=_rate(len(after), facts.restored - moved),
        p99_before_ms=_p99(before),
        p99_during_ms=_p99(after),
        scaled_s=_scaled(facts),
        instances={
            region: tuple((one.at - facts.struck, int(one.value)) for one in _instances(facts, region))
            for region in (facts.victim, facts.survivor)
        },
    )


def _instances(facts: Facts, region: str) -> list[Seen]:
    return [one for one in facts.seen if (one.what, one.region) == ("instances", region)]


def _scaled(facts: Facts) -> float | None:
    """Seconds from the fault until the other region had more instances than at its beginning; not after its end."""
    counts = _instances(facts, facts.survivor)
    before = [int(one.value) for one in counts if one.at <= facts.struck]
    during = [one for one in counts if facts.struck < one.at <= facts.restored]
    return next((one.at - facts.struck for one in during if before and int(one.value) > before[-1]), None)


def _rate(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0


def _p99(calls: Sequence[Call]) -> float:
    """The nearest rank, in milliseconds."""
    times = sorted(one.seconds for one in calls)
    return 1000 * times[min(len(times) - 1, int(0.99 * len(times)))] if times else 0.0


def told(seen: Seen) -> str:
    """A sighting, for people."""
    if seen.what == "verdict":
        return f"{seen.region} is {seen.value}"
    if seen.what == "bad version":
        return f"{seen.region} says that {seen.value or 'no version'} is wrong everywhere"
    if seen.what == "instances":
        return f"{seen.region} has {seen.value} {'instance' if seen.value == '1' else 'instances'}"
    return f"near {seen.region} the name leads to {seen.value or 'nowhere'}"
