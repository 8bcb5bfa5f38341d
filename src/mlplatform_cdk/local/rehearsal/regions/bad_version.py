"""A version that becomes wrong in every region at once: nobody leaves, its releases are stopped, and blue is back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.rehearsal.people import LONGEST_SECONDS, until
from mlplatform_cdk.local.rehearsal.regions.findings import IN_SERVICE, INTERVALS, counts, late, told
from mlplatform_cdk.local.rehearsal.regions.report import Outcome

if TYPE_CHECKING:
    from mlplatform_cdk.local.rehearsal.people import People
    from mlplatform_cdk.local.rehearsal.regions.calls import Call, Load
    from mlplatform_cdk.local.rehearsal.regions.faults import Fronts
    from mlplatform_cdk.local.rehearsal.regions.findings import Seen
    from mlplatform_cdk.local.rehearsal.regions.scenarios import Scenario
    from mlplatform_cdk.local.rehearsal.regions.watching import Watch
    from mlplatform_cdk.local.rehearsal.regions.world import Region

STOPPED = "Release.Alarm"
QUIET_SECONDS = 4.0
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What became of the release in one region.

    :param region: which.
    :param error: how it ended; empty: well.
    :param cause: in its own words.
    :param approval: of the version, afterwards.
    """

    region: str
    error: str
    cause: str
    approval: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionFacts:
    """What is known when the scenario is over.

    :param scenario: its name and title.
    :param struck: when the version became wrong, in seconds since 1970.
    :param back: when every region answered by the version before again.
    :param began: when the calls began.
    :param calls: all of them.
    :param right: the answer that each should have got.
    :param seen: what changed, in order.
    :param releases: one for each region.
    :param interval_s: of the probe, as it passes here.
    """

    scenario: Scenario
    struck: float
    back: float | None
    began: float
    calls: Sequence[Call]
    right: str
    seen: Sequence[Seen]
    releases: Sequence[Ended]
    interval_s: float


def run(
    scenario: Scenario,
    regions: Sequence[Region],
    fronts: Fronts,
    watch: Watch,
    load: AbstractContextManager[Load],
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Release a version in all regions at once, let it become wrong, and wait for its end: the facts but for two."""
    before = {one.name: one.version() for one in regions}
    began = time.time()
    with load as callers:
        right = until(lambda: next((one.text for one in callers.so_far() if one.answered), None), "an answer")
        tell(f"{scenario.title}: it is released")
        started = [one.release(fronts.another()) for one in regions]
        until(
            lambda: all(one.version() not in {"", before[one.name]} for one in regions) or None,
            "the new version in every region",
            seconds=LONGEST_SECONDS,
        )
        time.sleep(QUIET_SECONDS)
        struck = time.time()
        fronts.spoil()
        tell(f"{scenario.title}: struck")
        releases = [_end_of(region.name, *one) for region, one in zip(regions, started, strict=True)]
        until(lambda: all(one.version() == before[one.name] for one in regions) or None, "the version before")
        back = time.time()
        time.sleep(QUIET_SECONDS)
    fronts.heal()
    return {
        "struck": struck,
        "back": back,
        "began": began,
        "calls": callers.so_far(),
        "right": right,
        "seen": watch.seen(),
        "releases": releases,
    }


def judge(facts: VersionFacts) -> Outcome:
    """The outcome: seconds count from the moment at which the version became wrong."""
    named = [_first(facts, one.region) for one in facts.releases]
    detect = None if None in named else max(one for one in named if one is not None)
    made = Outcome(
        name=facts.scenario.name,
        title=facts.scenario.title,
        held=True,
        detect_s=detect,
        detect_within_s=INTERVALS * facts.interval_s,
        well_s=None if facts.back is None else facts.back - facts.struck,
        plain=counts("plain", facts.calls, facts.right, facts.struck, facts.back or facts.struck),
        client=counts("client", facts.calls, facts.right, facts.struck, facts.back or facts.struck),
        struck_s=facts.struck - facts.began,
        moments=tuple((one.at - facts.struck, told(one)) for one in facts.seen),
    )
    problems = tuple(_problems(facts, made))
    return replace(made, held=not problems, problems=problems)


def _problems(facts: VersionFacts, made: Outcome) -> Iterable[str]:
    yield from late("every region must name the version", made.detect_s, made.detect_within_s)
    for one in facts.releases:
        yield from _not_stopped(one)
    for seen in facts.seen:
        if seen.at >= facts.struck and _left(seen):
            yield f"no region may leave, got {told(seen)!r} after {seen.at - facts.struck:.1f} s"
    later = sum(one.text != facts.right for one in facts.calls if facts.back and one.sent > facts.back)
    if later:
        yield f"no call may fail or be wrong once the version before is back, got {later}"
    for name, made_by in (("by the client helper", made.client), ("by DNS", made.plain)):
        if not made_by or not made_by.sent or made_by.failed:
            yield f"no call {name} may fail, got {made_by.failed if made_by else 0} of {made_by.sent if made_by else 0}"


def _not_stopped(one: Ended) -> Iterable[str]:
    if one.error != STOPPED or "wrong-everywhere" not in one.cause:
        yield f"the alarm must stop the release in {one.region}, got {one.error or 'its end'}: {one.cause[:200]}"
    if one.approval != "Rejected":
        yield f"the version must be rejected in {one.region}, got {one.approval}"


def _left(seen: Seen) -> bool:
    """Whether a region is no more in service, or the name leads away from it."""
    if seen.what == "verdict":
        return seen.value != IN_SERVICE
    return seen.what == "name" and seen.value != seen.region


def _first(facts: VersionFacts, region: str) -> float | None:
    """Seconds until a region named the version as bad."""
    named = (one.at for one in facts.seen if (one.what, one.region) == ("bad version", region) and one.value)
    return next((at - facts.struck for at in named if at >= facts.struck), None)


def _end_of(region: str, people: People, execution: str) -> Ended:
    """What became of a release, when it has ended."""

    def ended() -> dict[str, Any] | None:
        found = people.execution(execution)
        return None if found["status"] == "RUNNING" else found

    end = until(ended, "the end of a region's release", seconds=LONGEST_SECONDS)
    package, gives_up = people.input_of(execution)["model_package_arn"], time.monotonic() + PATIENCE_SECONDS
    # The way back says it, which is an execution of its own; it may never come, and that is a finding.
    while (approval := people.package(package)["ModelApprovalStatus"]) == "Approved" and time.monotonic() < gives_up:
        time.sleep(0.1)
    return Ended(region=region, error=end.get("error", ""), cause=end.get("cause", ""), approval=approval)
