"""One look: reads what the variants have gathered, decides, remembers the look for the report, and writes that."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlplatform_cdk.release.ab_test.runtime import balance, compare, report_page, world
from mlplatform_cdk.release.ab_test.runtime.decision import Decision, Look, decide
from mlplatform_cdk.release.ab_test.runtime.errors import TestFailed
from mlplatform_cdk.release.ab_test.runtime.report_page import Seen
from mlplatform_cdk.runtimekit import logs, s3
from mlplatform_cdk.runtimekit.ab_test import items, tallies
from mlplatform_cdk.runtimekit.ab_test.state import TestState

_LOG = logs.logger("ab-test")
_SAME = 0.0005  # weights are floats of 32 bits


def look(
    table: str, known: TestState, number: int, alarms: tuple[str, ...], reports: str
) -> tuple[Decision, TestState]:
    """The decision at this look, and the test as it goes on.

    :param table: of the test's outcomes.
    :param known: the test before.
    :param number: of the look, from 1.
    :param alarms: those in alarm.
    :param reports: where the report goes, a URI.
    """
    gathered = tuple(tallies.read(table, known.run, arm.variant) for arm in known.arms)
    seen = Look(
        plan=known.plan,
        arms=known.arms,
        tallies=gathered,
        number=number,
        run=known.run,
        alarms=alarms,
        changes=_changes(table, known, number),
        given=_given(table, known, number, gathered),
    )
    decision = decide(seen)
    after = replace(known, arms=decision.arms, looks=number)
    if after.shares != known.shares:
        gathered_then = json.dumps([tallies.to_mapping(one) for one in gathered])
        items.put(table, {"pk": f"changes#{known.run}", "sk": f"{number:06}", "gathered": gathered_then})
    _remember(table, seen, decision)
    report(table, after, reports, ended=f"{decision.outcome}: {decision.reason}" if decision.ended else "")
    _LOG.info("looked", extra={"look": number, "outcome": decision.outcome, "reason": decision.reason})
    return decision, after


def move(endpoint: str, known: TestState) -> None:
    """Give the endpoint's variants the test's shares, for the callers that name no variant; later, if it is changing.

    :raises TestFailed: when a variant of the test is gone.
    """
    live = world.read_endpoint(endpoint)
    wanted = {name: known.shares.get(name, 0.0) for name in live.weights}
    missing = [arm.variant for arm in known.arms if arm.share > 0 and arm.variant not in live.weights]
    if live.status != "InService":
        _LOG.warning("weights not moved now", extra={"status": live.status})
        return
    if missing:
        raise TestFailed(f"the endpoint must have the variants of the test, and lacks {', '.join(missing)}")
    total = sum(live.weights.values()) or 1.0
    if any(abs(wanted[name] - weight / total) > _SAME for name, weight in live.weights.items()):
        world.set_weights(endpoint, wanted)


def report(table: str, known: TestState, reports: str, *, ended: str) -> None:
    """Write the report of a test.

    :param table: of the test's outcomes.
    :param known: the test.
    :param reports: where the report goes, a URI.
    :param ended: how it ended; empty: it goes on.
    """
    looks = [Seen.from_mapping(json.loads(item["look"])) for item in items.query(table, f"looks#{known.run}")]
    page = report_page.page(known, looks, ended=ended)
    s3.write_bytes(report_uri(reports, known.run), page.encode(), content_type="text/html; charset=utf-8")


def report_uri(reports: str, run: str) -> str:
    """Where the report of a run lies."""
    return f"{reports}{run}/report.html"


def _changes(table: str, known: TestState, number: int) -> tuple[tuple[tallies.Tally, ...], ...]:
    """What the variants had gathered when the shares changed, before this look; one that is made again is the same."""
    found = [item for item in items.query(table, f"changes#{known.run}") if int(item["sk"]) < number]
    return tuple(tuple(tallies.from_mapping(one) for one in json.loads(item["gathered"])) for item in found)


def _given(table: str, known: TestState, number: int, gathered: tuple[tallies.Tally, ...]) -> tuple[balance.Given, ...]:
    """The keys that came from look to look, up to this one, by the shares that gave them their variants.

    A caller may hold the shares from before the last look a little longer: its keys are in the other one's part.
    """
    looks = [Seen.from_mapping(json.loads(item["look"])) for item in items.query(table, f"looks#{known.run}")]
    in_force = {one.number: one.shares for one in looks}
    in_force.setdefault(number, tuple(arm.share for arm in known.arms))
    parts: dict[int, tuple[tuple[int, ...], ...]] = {
        one.number: one.parts for one in looks if one.number < number and one.parts
    }
    parts[number] = tuple(one.parts for one in gathered)
    before: tuple[tuple[int, ...], ...] = ((0, 0),) * len(gathered)
    given = []
    for at, now in sorted(parts.items()):
        # Until look 1 all callers hold what was so from the first; a look's number tells which part is the late one's.
        for held_since in (at - 2, at - 1):
            shares = in_force.get(held_since + 1)
            part = held_since % 2
            if shares is not None:
                counts = [one[part] - other[part] for one, other in zip(now, before, strict=True)]
                given.append(balance.Given(counts=counts, shares=shares))
        before = now
    return tuple(given)


def _remember(table: str, seen: Look, decision: Decision) -> None:
    value = {"pk": f"looks#{seen.run}", "sk": f"{seen.number:06}", "look": json.dumps(_looked(seen, decision))}
    items.put(table, value)


def _looked(seen: Look, decision: Decision) -> Mapping[str, Any]:
    """A look as the report draws it."""
    samples = seen.samples(seen.plan.metric)
    return Seen(
        number=seen.number,
        shares=tuple(arm.share for arm in seen.arms),
        exposed=tuple(tally.exposed for tally in seen.tallies),
        parts=tuple(tally.parts for tally in seen.tallies),
        samples=tuple((one.count, one.mean if one.count else None) for one in samples),
        intervals=tuple(compare.finite(compare.interval_of(seen.plan, one, len(samples))) for one in samples),
        comparisons=tuple(compare.to_mapping(one) for one in decision.comparisons),
        chances=decision.chances,
        reason=decision.reason,
    ).to_mapping()
