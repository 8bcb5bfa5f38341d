"""The steps of a test's machine: each reads the world, asks a pure decision, and does what that says."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mlplatform_cdk.release.ab_test.runtime import golden, lock, looking, preparation, scaling, world
from mlplatform_cdk.release.ab_test.runtime.errors import TestFailed, TestRefused
from mlplatform_cdk.release.ab_test.runtime.facts import Event, Test, keep, kept, must_hold, preparation_of, record
from mlplatform_cdk.release.ab_test.runtime.preparation import MARK, Preparation
from mlplatform_cdk.release.ab_test.runtime.reach import CONFIGURATION, DONE, WEIGHTS, Target, next_step
from mlplatform_cdk.runtimekit.ab_test import state
from mlplatform_cdk.runtimekit.ab_test.state import ENDED, RUNNING, TestState
from mlplatform_cdk.runtimekit.endpoint_specification import CHALLENGER

STOPPED, FAILED = "stopped", "failed"
_GROUP = ":model-package/"


def begin(event: Event) -> dict[str, Any]:
    """Take the endpoint, and write down how it is and what the test makes of it."""
    test, execution = Test.of(event), event["execution_arn"]
    run = preparation.run_of(test.name, execution)
    lock.take(test.endpoint, execution, run)
    live = world.read_endpoint(test.endpoint)
    if live.status != "InService":
        raise TestRefused(f"the endpoint {test.endpoint} must be in service, got {live.status or 'no endpoint'}")
    configuration = world.read_configuration(live.configuration)
    versions = world.versions_of(configuration)
    if test.variants:
        made = preparation.of_template(test.plan, run, test.variants, live.weights, versions, live.configuration)
    else:
        challengers = [
            world.read_challenger(
                arn,
                variant,
                f"{test.endpoint}--{MARK}{run.rsplit('-', 1)[1]}-{variant}",
                environment=test.environment,
            )
            for variant, arn in ((f"{CHALLENGER}{n}", one) for n, one in enumerate(_challengers(event, test), start=1))
        ]
        made = preparation.of_releases(test.plan, run, live.weights, versions, challengers, configuration, live.counts)
    keep(test, made)
    record(
        test, event, made, "Begin", f"tests {', '.join(arm.variant for arm in made.arms)} by {test.plan.metric.name}"
    )
    return {"run": run}


def inherit(event: Event) -> dict[str, Any]:
    """Take over what a dead execution left, if it left anything."""
    test, dead = Test.of(event), str(event["request"].get("execution_arn", ""))
    run = lock.inherit(test.endpoint, event["execution_arn"], dead)
    if run is not None and kept(test, run) is None:  # it had only just taken the lock
        lock.free(test.endpoint, event["execution_arn"])
        run = None
    return {"run": run or "", "held": run is not None}


def bring_up(event: Event) -> dict[str, Any]:
    """Make the models and the configuration of the challengers."""
    made = preparation_of(event)
    if made.challengers:
        world.make(made)
    return {}


def reach(event: Event) -> dict[str, Any]:
    """Bring the endpoint one change nearer to what it should be."""
    test, made = Test.of(event), preparation_of(event)
    looks = event["reached"]["looks"] + 1
    live = world.read_endpoint(test.endpoint)
    asked = event["reached"]["asked"]
    target = _target(event, made)
    step = next_step(live, target, asked=asked)
    must_hold(test, event)
    if step.what == WEIGHTS:
        world.set_weights(test.endpoint, step.weights)
    elif step.what == CONFIGURATION:
        if event["towards"] == "end" and made.challengers:
            scaling.forget(test.endpoint, made.added)
        world.set_configuration(test.endpoint, target.configuration)
    if step.what != DONE and looks >= event["most_looks"]:
        raise TestFailed(f"the endpoint must be as wanted within {looks} looks, and is {live.status} still")
    return {"settled": step.what == DONE, "asked": asked or step.what == CONFIGURATION, "looks": looks}


def try_out(event: Event) -> dict[str, Any]:
    """Ask each challenger the golden requests of its manifest."""
    test = Test.of(event)
    return {one.variant: golden.try_out(test.endpoint, one) for one in preparation_of(event).challengers}


def open_(event: Event) -> dict[str, Any]:
    """Let the callers in."""
    test, made = Test.of(event), preparation_of(event)
    known = state.read(test.table, test.name)
    if known is None or known.run != made.run:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        known = TestState(name=test.name, run=made.run, status=RUNNING, arms=made.arms, plan=test.plan, started=now)
    must_hold(test, event)
    if made.challengers:
        scaling.follow(test.endpoint, made.arms[0].variant, made.added)
    state.write(test.table, known)
    looking.move(test.endpoint, known)
    shares = ", ".join(f"{arm.variant} {arm.share:.1%}" for arm in known.arms)
    record(test, event, made, "Open", f"shares {shares}")
    return {}


def look(event: Event) -> dict[str, Any]:
    """Decide what becomes of the test now."""
    test, made = Test.of(event), preparation_of(event)
    known = _state(test, made.run)
    number = event["looks"] + 1
    must_hold(test, event)
    if gone := world.rejected(one.version for one in made.challengers):
        reason = f"{', '.join(gone)} must not be rejected while it has traffic"
        return {"ended": True, "looks": number, "outcome": STOPPED, "winner": "", "reason": reason}
    decision, after = looking.look(test.table, known, number, world.in_alarm(test.alarms), test.reports)
    if after.shares != known.shares:
        shares = ", ".join(f"{arm.variant} {arm.share:.1%}" for arm in after.arms)
        record(test, event, made, "Look", f"{decision.outcome}: {shares}", decision.reason, sequence=number)
    if not decision.ended:
        state.write(test.table, after)
        looking.move(test.endpoint, after)
    return {
        "ended": decision.ended,
        "looks": number,
        "outcome": decision.outcome,
        "winner": decision.winner,
        "reason": decision.reason,
    }


def close(event: Event) -> dict[str, Any]:
    """End the test: nobody is assigned any more, and the traffic has a place to go to."""
    test, made = Test.of(event), preparation_of(event)
    outcome, winner, reason = _outcome(event)
    known = state.read(test.table, test.name)
    if known is not None and known.run == made.run:
        known = replace(known, status=ENDED)
        state.write(test.table, known)
        looking.report(test.table, known, test.reports, ended=f"{outcome}: {reason}")
    version = made.versions.get(winner, "")
    record(test, event, made, "End", f"{outcome}{f', {winner} wins' if winner else ''}", reason, version=version)
    return {"outcome": outcome, "winner": winner, "reason": reason, "version": version}


def finish(event: Event) -> dict[str, Any]:
    """Take away what was made, let go of the endpoint, and say what is to be told."""
    test, made, ended = Test.of(event), preparation_of(event), event["ended"]
    world.unmake(made)
    lock.free(test.endpoint, event["execution_arn"])
    control = made.arms[0].variant
    promoted = bool(made.challengers) and ended["winner"] not in {"", control}
    version = ended["version"] or "unknown"
    if promoted and test.releases:
        world.approve(version, f"won the A/B test {test.name}: {ended['reason']}")
    told = {
        "subject": f"A/B test {test.name}: {ended['outcome']}"[:100],
        "message": f"{ended['outcome']}: {ended['reason']}. Winner: {ended['winner'] or 'none'} (version {version}). "
        f"Report: {looking.report_uri(test.reports, made.run)}",
    }
    return {**told, "promoted": promoted, "version": ended["version"], "failed": ended["outcome"] == FAILED}


def give_up(event: Event) -> dict[str, Any]:
    """Let go of the endpoint, as it is."""
    lock.free(Test.of(event).endpoint, event["execution_arn"])
    return {}


def _challengers(event: Event, test: Test) -> list[str]:
    request = event["request"]
    asked = request.get("challengers") if isinstance(request, Mapping) else None
    if not isinstance(asked, list) or not asked or not all(isinstance(one, str) and _GROUP in one for one in asked):
        raise TestRefused(
            f'a test must be started with {{"challengers": ["arn:…:model-package/{test.group}/…"]}}, got {request}'
        )
    for arn in asked:
        group = arn.rpartition(_GROUP)[2].rpartition("/")[0]
        if group != test.group:
            raise TestRefused(f"the challengers must be versions of {test.group}, got {arn}")
    return asked


def _target(event: Event, made: Preparation) -> Target:
    """The endpoint with the test's variants, or as it is left when the test has ended."""
    if event["towards"] == "test":
        return Target(configuration=made.configuration, weights=made.weights)
    winner = event["ended"]["winner"]
    if made.challengers or not winner:
        return Target(configuration=made.before, weights=made.weights)
    return Target(configuration=made.before, weights={winner: 1.0})


def _outcome(event: Event) -> tuple[str, str, str]:
    """How the test ended, who won, why."""
    if "look" in event["context"]:
        found = event["context"]["look"]
        if found["ended"]:
            return found["outcome"], found["winner"], found["reason"]
    if "failure" in event["context"]:
        step, caught = next(iter(event["context"]["failure"].items()))
        return FAILED, "", f"{step}: {_cause(caught)}"
    return STOPPED, "", f"its execution {event['request'].get('execution_arn', '')} was ended from outside"


def _cause(caught: Mapping[str, str]) -> str:
    try:
        told = json.loads(caught.get("Cause", ""))
        return str(told["errorMessage"])
    except (ValueError, TypeError, KeyError):
        return caught.get("Cause") or caught.get("Error", "")


def _state(test: Test, run: str) -> TestState:
    known = state.read(test.table, test.name)
    if known is None or known.run != run:
        raise TestFailed(f"the table must hold the run {run} of {test.name}, got {known.run if known else 'none'}")
    return known
