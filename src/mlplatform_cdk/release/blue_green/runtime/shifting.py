"""The steps of the shift: what is next, and what is seen of green meanwhile."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import audit, core, evidence, live, lock, trials
from mlplatform_cdk.release.blue_green.runtime.core import Move
from mlplatform_cdk.release.blue_green.runtime.errors import (
    ReleaseDisturbed,
    ReleaseFailed,
    ReleaseUnjudged,
    ReleaseWithdrawn,
)
from mlplatform_cdk.release.blue_green.runtime.plan import BESIDE, FIRST, RESUME, SHADOW_VARIANT
from mlplatform_cdk.release.blue_green.runtime.stopping import not_to_blame
from mlplatform_cdk.runtimekit.release_strategy import Strategy

Event = Mapping[str, Any]
_KEEPING_BLUE = "finish, and keep blue without traffic"


def advance(event: Event) -> dict[str, Any]:
    """The next move, and what it takes.

    :param event: ``strategy``, ``plan``, ``next`` (its place in the schedule), ``begun``, ``now``, ``metrics``, and
        ``alarms``: those of the business.
    :raises ReleaseWithdrawn: when the version is not approved any more.
    :raises ReleaseDisturbed: when an alarm of the business rings before callers have met green.
    """
    strategy, plan = Strategy.from_mapping(event["strategy"]), event["plan"]
    moves = _moves(strategy, plan)
    move, kinds = moves[event["next"]], [one.kind for one in moves]
    _must_be_approved(plan)
    if plan["way"] == BESIDE and event["next"] <= kinds.index(core.SHIFT):
        if early := _early(event, event.get("alarms", ())):
            raise ReleaseDisturbed(early)
        if move.kind == core.SHIFT:
            lock.keep(event["endpoint_name"], event["execution_arn"], {**plan, "shifted": True})
    if move.kind == core.FINISH and (strategy.retention or not plan["blue"]["exists"]):
        # From here on an interrupted release is completed, not brought back.
        lock.keep(event["endpoint_name"], event["execution_arn"], {**plan, "finishing": True})
    audit.write(
        event,
        move.kind.capitalize(),
        _said(move, keeps=bool(strategy.retention)),
        percent=None if move.kind in (core.SHADOW, core.BESIDE) else move.percent,
        metrics=event["metrics"],
        sequence=event["next"],
    )
    # Green is measured from here on: as a shadow, and anew when callers reach it, without the tests in between.
    firsts = [kinds.index(kind) for kind in (core.SHADOW, core.SHIFT) if kind in kinds]
    return {
        **move.to_mapping(),
        "next": event["next"] + 1,
        "begun": event["now"] if event["next"] in firsts else event["begun"],
        "weights": core.shares(plan["green"]["variant"], plan["blue"]["variant"], move.percent),
    }


def look(event: Event) -> dict[str, Any]:
    """Whether green holds: look again, or go on.

    :param event: ``strategy``, ``plan``, ``progress``, ``window`` (``looks``, ``since``, ``looked``), ``now``,
        ``alarms`` by variant, ``machine`` and ``budget_ms``.
    :raises ReleaseFailed: when it must go back, and why; of the kinds in ``errors``.
    """
    strategy, move = Strategy.from_mapping(event["strategy"]), Move.from_mapping(event["progress"])
    window, looks = event["window"], event["window"]["looks"] + 1
    verdict = _verdict(event, strategy)
    seen = core.seen(strategy, move, looks=looks, ok=verdict.ok, alarms=())
    objection = _objection(event, verdict, seen)
    what = core.BACK if objection else seen.what
    audit.write(
        event,
        "Look",
        {core.AGAIN: "look again", core.ON: "go on", core.BACK: "go back"}[what],
        reason=str(objection or seen.reason),
        percent=move.percent,
        metrics=verdict.metrics,
        # The same look again, after an answer that was lost, may see more and decide otherwise.
        sequence=f"{event['progress']['next']}-{looks}-{what}",
    )
    if objection:
        raise type(objection)(f"at {move.percent:g} percent: {objection}")
    bakes = move.kind == core.BAKE
    return {
        "what": seen.what,
        "looks": looks,
        # A bake is long: each of its looks judges what came since the look before the last one.
        "since": window["looked"] if bakes else window["since"],
        "looked": event["now"] if bakes else window["looked"],
        "metrics": verdict.metrics,
    }


def _objection(event: Event, verdict: evidence.Verdict, seen: core.Seen) -> ReleaseFailed | None:
    """Why green must go back; None: it need not."""
    plan = event["plan"]
    if lost := live.read_approval(plan["package_arn"]).lost(plan["package_arn"]):
        return ReleaseWithdrawn(lost)
    if not event["tested"] and (early := _early(event, event["alarms"]["business"])):
        return ReleaseDisturbed(early)
    if seen.what != core.BACK:
        return None
    return ReleaseUnjudged(seen.reason) if verdict.ok is None else ReleaseFailed("; ".join(verdict.reasons))


def _must_be_approved(plan: Mapping[str, Any]) -> None:
    if lost := live.read_approval(plan["package_arn"]).lost(plan["package_arn"]):
        raise ReleaseWithdrawn(lost)


def _early(event: Event, business: Sequence[str]) -> str:
    """Which alarms of the business ring before callers have met green, in a sentence; empty: none."""
    names = _business(event, business)
    ringing = evidence.alarms_in_alarm(names) if names else []
    return f"in alarm: {', '.join(ringing)}; {not_to_blame(event['plan']['label'])}" if ringing else ""


def _business(event: Event, names: Sequence[str]) -> Sequence[str]:
    """The alarms of the business that count: those that ring are why people roll back, and hold up no rollback."""
    return () if event["request"].get("action") == lock.ROLLBACK else names


def _moves(strategy: Strategy, plan: Mapping[str, Any]) -> tuple[Move, ...]:
    """The schedule of this release: without blue there is nothing to shift from."""
    moves = core.schedule(strategy)
    if plan["way"] == FIRST or not plan["blue"]["exists"]:
        return moves[-1:]
    if plan["way"] == RESUME:
        kinds = [one.kind for one in moves]
        return moves[kinds.index(core.BESIDE) + 1 :]
    return moves


def _said(move: Move, *, keeps: bool) -> str:
    """The move in words."""
    return {
        core.SHADOW: "green answers copies that nobody sees",
        core.BESIDE: "green comes up beside blue, without traffic",
        core.SHIFT: f"shift to {move.percent:g} percent",
        core.OBSERVE: f"observe at {move.percent:g} percent for {move.looks} looks",
        core.GATE: f"ask a person at {move.percent:g} percent",
        core.BAKE: f"bake with all requests for {move.looks} looks",
        core.FINISH: _KEEPING_BLUE if keeps else "finish, and retire blue",
    }[move.kind]


def _verdict(event: Event, strategy: Strategy) -> evidence.Verdict:
    plan, window = event["plan"], event["window"]
    shadowed = not event["tested"]
    green = SHADOW_VARIANT if shadowed else plan["green"]["variant"]
    blue = plan["blue"]["variant"]
    budget_ms = event["budget_ms"] or trials.budget_ms(plan["manifest"])
    bakes = event["progress"]["kind"] == core.BAKE
    windows = evidence.read_windows(
        event["endpoint_name"],
        [green, blue],
        _moment(window["since"] if bakes else event["progress"]["begun"]),
        _moment(event["now"]),
        ladder_ms=evidence.rungs(strategy.rules, budget_ms),
        machine=evidence.Machine(**event["machine"]),
    )
    names = [*event["alarms"].get(green, ()), *(() if shadowed else _business(event, event["alarms"]["business"]))]
    return evidence.judge(
        strategy.rules,
        windows[green],
        windows[blue],
        budget_ms=budget_ms,
        since=_moment(window["since"]).timestamp(),
        alarms=evidence.alarms_in_alarm(names) if names else (),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
