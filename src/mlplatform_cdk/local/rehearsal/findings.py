"""What a scenario came to: counted from the requests, read from the execution, and held against what must be."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.rehearsal.report import Counts, Outcome, Second

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlplatform_cdk.local.rehearsal.ledger import Request
    from mlplatform_cdk.local.rehearsal.scenarios import Scenario
    from mlplatform_cdk.local.rehearsal.watching import Release

MOST_SECONDS_BACK = 10.0
WAY_BACK = "FindWayBack"
_SHOWN = 200
_NUMBERS = re.compile(r"\b[0-9a-f]{32}\b|\b\d+(?= ms)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known when a release is over.

    :param scenario: what had to happen.
    :param release: what was seen.
    :param requests: what callers asked.
    :param right: the answer that each of them should have got.
    :param execution: the execution, as Step Functions describes it.
    :param history: its events.
    :param package: the version, as the registry describes it.
    :param live: the version that has all the traffic now, by its ARN; None: no single one.
    :param held_still: the variants whose scaling is still suspended.
    :param ended: when it was over, in seconds since 1970.
    """

    scenario: Scenario
    release: Release
    requests: Sequence[Request]
    right: str
    execution: dict[str, Any]
    history: Sequence[dict[str, Any]]
    package: dict[str, Any]
    live: str | None
    held_still: Sequence[str]
    ended: float

    @property
    def greens(self) -> list[Request]:
        """The requests that reached green."""
        return [one for one in self.requests if one.variant == self.release.green]

    def verdict(self) -> float | None:
        """When the release decided to go back, or somebody else decided for it."""
        turned = [
            event["timestamp"].timestamp()
            for event in self.history
            if event.get("stateEnteredEventDetails", {}).get("name") == WAY_BACK
            or event["type"] in ("ExecutionAborted", "ExecutionTimedOut", "ExecutionFailed")
        ]
        return None if self.scenario.is_released else min(turned, default=None)

    def fault(self) -> float | None:
        """When the fault showed itself to a caller, or was done."""
        if self.release.disturbed is not None:
            return self.release.disturbed
        if self.scenario.act in ("ignore", "reject"):
            return self.verdict()  # a gate that closes is both
        fault = self.scenario.fault
        if fault.shows == "nothing":
            return None
        slow = fault.shows == "latency"
        shown = [one.sent for one in self.greens if not one.answered or (slow and one.seconds >= fault.takes_s)]
        return min(shown, default=None)

    def proof(self) -> int | None:
        """How many requests green got from the fault to the verdict; None: there was no fault, or no verdict."""
        fault, verdict = self.fault(), self.verdict()
        if fault is None or verdict is None:
            return None
        return sum(fault <= one.sent <= verdict for one in self.greens)


def judge(facts: Facts) -> Outcome:
    """The outcome of a scenario that has ended."""
    began, greens = facts.release.began, facts.greens
    counts = _counts(facts)
    shares = [share for _, share in facts.release.shares]
    made = Outcome(
        name=facts.scenario.name,
        title=facts.scenario.title,
        version=facts.scenario.fault.sentence,
        held=True,
        seconds=facts.ended - began,
        ending=_ending(facts.execution),
        counts=counts,
        highest_share=max(shares, default=0.0),
        fault_s=_since(began, facts.fault()),
        verdict_s=_since(began, facts.verdict()),
        last_green_s=_since(began, max((one.ended for one in greens), default=None)),
        counts_from=facts.scenario.counts_from,
        proof_requests=facts.proof(),
        timeline=_timeline(facts),
        shares=tuple((at - began, share) for at, share in facts.release.shares),
        moments=tuple((at - began, what) for at, what in facts.release.moments),
        failures=dict(Counter(_said(one.text) for one in facts.requests if not one.answered)),
    )
    problems = tuple(_problems(facts, made, counts))
    return replace(made, held=not problems, problems=problems)


def _problems(facts: Facts, outcome: Outcome, counts: Counts) -> list[str]:
    """What is not as it must be."""
    scenario, problems = facts.scenario, []
    if not counts.sent:
        problems.append("there must be requests, got none")
    if counts.failed_otherwise:
        problems.append(f"no request may fail but by green's own errors, got {counts.failed_otherwise}")
    if facts.held_still:
        problems.append(f"scaling must go on, and is suspended for {', '.join(facts.held_still)}")
    problems += _released(facts, counts) if scenario.is_released else _rolled_back(facts, outcome)
    if scenario.reaches_callers is not None and scenario.reaches_callers != bool(facts.greens):
        wanted, got = ("must", "none") if scenario.reaches_callers else ("must not", f"{len(facts.greens)} requests")
        problems.append(f"green {wanted} meet callers, got {got}")
    return problems


def _released(facts: Facts, counts: Counts) -> list[str]:
    problems = []
    if facts.execution["status"] != "SUCCEEDED":
        problems.append(f"the release must succeed, got {_ending(facts.execution)}")
    if facts.live != facts.release.version:
        problems.append("the version must have all the traffic, and has not")
    if counts.failed_by_green:
        problems.append(f"a good version must fail no request, got {counts.failed_by_green}")
    return problems


def _rolled_back(facts: Facts, outcome: Outcome) -> list[str]:
    problems = []
    if facts.execution["status"] == "SUCCEEDED":
        problems.append("the release must not succeed, and did")
    if facts.live is None or facts.live == facts.release.version:
        problems.append("the version before must have all the traffic again, and has not")
    approval, wanted = facts.package["ModelApprovalStatus"], "Rejected" if facts.scenario.is_rejected else "Approved"
    if approval != wanted:
        problems.append(f"the version must be {wanted} in the registry, got {approval}")
    elif facts.scenario.is_rejected and not facts.package.get("ApprovalDescription"):
        problems.append("the registry must say why the version is rejected, got nothing")
    if outcome.back_s is not None and outcome.back_s > MOST_SECONDS_BACK:
        problems.append(
            f"green must have its last request within {MOST_SECONDS_BACK:.0f} s of the {outcome.counts_from}, got "
            f"{outcome.back_s:.1f}"
        )
    most, proof = facts.scenario.proof_within, outcome.proof_requests
    if most is not None and proof is not None and proof > most:
        problems.append(f"the fault must be proved within {most:,} of green's requests, got {proof:,}")
    return problems


def _counts(facts: Facts) -> Counts:
    answered = [one for one in facts.requests if one.answered]
    failed = [one for one in facts.requests if not one.answered]
    by_green = sum(one.variant == facts.release.green for one in failed)
    return Counts(
        sent=len(facts.requests),
        answered=len(answered),
        by_green=sum(one.variant == facts.release.green for one in answered),
        wrong=sum(one.text != facts.right for one in answered),
        failed=len(failed),
        failed_by_green=by_green,
        failed_otherwise=len(failed) - by_green,
    )


def _said(text: str) -> str:
    """An error's message without what is different each time."""
    return _NUMBERS.sub("#", text)[:_SHOWN]


def _timeline(facts: Facts) -> tuple[Second, ...]:
    began, green = facts.release.began, facts.release.green
    counted = Counter(
        (
            int(max(one.ended - began, 0.0)),
            "failed" if not one.answered else "green" if one.variant == green else "blue",
        )
        for one in facts.requests
    )
    last = max((at for at, _ in counted), default=-1)
    return tuple(
        Second(at=at, **{kind: counted[at, kind] for kind in ("blue", "green", "failed")}) for at in range(last + 1)
    )


def _ending(execution: dict[str, Any]) -> str:
    said = [execution["status"], execution.get("error"), execution.get("cause")]
    return ": ".join(str(one) for one in said if one)


def _since(began: float, moment: float | None) -> float | None:
    return None if moment is None else moment - began
