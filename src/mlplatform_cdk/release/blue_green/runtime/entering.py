"""The turn of an execution: it waits, brings back what a dead one left, or begins what it was started for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import audit, live, lock, production, recovery, stopping
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseRefused
from mlplatform_cdk.release.blue_green.runtime.lock_rows import Row
from mlplatform_cdk.release.blue_green.runtime.plan import BESIDE, FINISH, FIRST, RESUME
from mlplatform_cdk.release.blue_green.runtime.rolling_back import (
    Listed,
    has_traffic,
    is_rejected,
    is_still_kept,
    previous,
    rollback_plan,
    serving,
    taken_back_before,
    was_in_production,
)
from mlplatform_cdk.release.blue_green.runtime.state import APPROVED, CHANGING, Live, label_of
from mlplatform_cdk.release.blue_green.runtime.taking_up import take_up
from mlplatform_cdk.release.blue_green.runtime.turns import (
    DONE,
    GO,
    PREVIOUS,
    RETIRE,
    TAKE_BACK,
    URGENT,
    WAIT,
    Answer,
    Event,
    answer,
    named,
    rolled_back,
    wait,
)
from mlplatform_cdk.runtimekit.endpoint_specification import SEPARATOR

# What an execution has written that began: its plan, by its way (an older machine's has none), or what it did without.
_BEGINNINGS = (
    *(("Plan", way) for way in (FIRST, BESIDE, RESUME, FINISH, 0)),
    *((step, 0) for step in ("RollBack", "Retire", "TakeUp")),
)
_TESTS, _LATER_S = (lock.AB_TEST, lock.AB_TEST_END), 6 * 3600
_REJECTION = "rejection"  # what starts a rollback by an event


def enter(event: Event) -> Answer:
    """Take the turn, or say why not yet.

    :param event: ``request``, ``endpoint_name``, ``started``, ``looks``, ``most_looks``, ``supersede``, ``done``:
        this execution is a rollback and has brought back what it was started for, and ``meant``: the version that it
        is about, when it asked the first time.
    """
    if why := _taken_back(event):
        return answer(event, DONE, why)
    event = _with_meaning(event)
    request, endpoint = event["request"], event["endpoint_name"]
    action = request.get("action", lock.RELEASE)
    if action not in _ACTIONS:
        raise ReleaseRefused(f"the action of an execution must be one of {', '.join(_ACTIONS)}, got {action!r}")
    if action == lock.ROLLBACK:
        _must_name_a_version(request)
    taken = lock.take(
        endpoint,
        event["execution_arn"],
        request.get("model_package_arn", ""),
        action=action,
        asked=event["started"],
        urgent=action in URGENT,
    )
    if not taken.held:
        return _without_turn(event)
    if taken.debt is not None and (taken_up := take_up(event, action, taken.debt)):
        return taken_up
    return _ACTIONS[action](event)


def _must_name_a_version(request: Mapping[str, Any]) -> None:
    """Or none: of what is no version, as of one without traffic, nothing would be taken back, and it would end well."""
    version = request.get("model_package_arn", "")
    if version and ":model-package/" not in version:
        raise ReleaseRefused(f"a rollback must name a version (arn:…:model-package/…) or none, got {version}")


def _taken_back(event: Event) -> str:
    """Why a rollback that a rejection started has nothing to do, such as after a wrong click; empty: it has.

    Who has the turn already may have taken over what a dead release left, and brings that back in any case.
    """
    request = event["request"]
    version = request.get("model_package_arn", "")
    if request.get("action") != lock.ROLLBACK or request.get("by") != _REJECTION or not version:
        return ""
    if live.read_approval(version).status != APPROVED or lock.is_held(event["endpoint_name"], event["execution_arn"]):
        return ""
    return f"{label_of(version)} was rejected, and is {APPROVED} again"


def _with_meaning(event: Event) -> Event:
    """A rollback that names no version means what was live, or came, when it was asked for, whatever comes later."""
    request = event["request"]
    if request.get("action") != lock.ROLLBACK or request.get("model_package_arn") or event["done"]:
        return event
    meant = event.get("meant") or recovery.meant_by(lock.holder(event["endpoint_name"]))
    if not meant and (now := serving(live.read_endpoint(event["endpoint_name"]))) is not None:
        meant = now.package_arn
    named = {"model_package_arn": meant} if meant else {}
    return {**event, "request": {**request, **named}, "meant": meant, "bare": True}


def _without_turn(event: Event) -> Answer:
    """Wait for who has it, or end it first: a rollback always does, a newer version where it may; or do nothing."""
    request, row = event["request"], lock.holder(event["endpoint_name"])
    running = row if row is not None and lock.is_alive(row) else None
    if running is not None and request.get("action") == lock.RETIRE and running.action in _TESTS:
        return _come_later(event, running)
    found = recovery.instead(request, running, supersede=event["supersede"])
    if found.ends_by and running is not None:
        if (idle := _without_effect(event, running, found.ends_by)) is not None:
            return idle
        newer = found.ends_by == recovery.SUPERSEDED and request.get("action") != lock.ROLLBACK
        why = f"{request.get('model_package_arn', '')} takes its place" if newer else audit.reason_of(request)
        stopping.stop(running.owner, found.ends_by, who=audit.who_of(request), why=why)
    if found.way != recovery.NOTHING:
        return wait(event, found.why)
    return _to_recover(event, found.why) if request.get("action") == lock.RECOVER else answer(event, DONE, found.why)


def _come_later(event: Event, running: Row) -> Answer:
    """A retirement leaves the line while a test runs, which may take weeks: it holds up nobody, and is in no hurry."""
    lock.free(event["endpoint_name"], event["execution_arn"])
    why = f"{running.owner} has the endpoint for its {running.action}"
    return answer(event, WAIT, why, looks=event["looks"], every_s=_LATER_S)


def _without_effect(event: Event, running: Row, ends_by: str) -> Answer | None:
    """The answer to a rollback that would end another version's release, or a test, for a version without traffic.

    Such as blue, which was rejected while green has everything; while the endpoint changes that is not known.
    """
    request = event["request"]
    version = request.get("model_package_arn", "")
    is_other = ends_by == recovery.SUPERSEDED or running.action == lock.AB_TEST
    if request.get("action") != lock.ROLLBACK or not version or not is_other:
        return None
    endpoint = live.read_endpoint(event["endpoint_name"])
    if endpoint.status in CHANGING:
        return wait(event, f"the endpoint is {endpoint.status}") if (running.plan or {}).get("shifted") else None
    return None if has_traffic(endpoint, version) else answer(event, DONE, f"{version} has no traffic")


def _to_release(event: Event) -> Answer:
    return answer(event, GO)


def _to_roll_back(event: Event) -> Answer:
    if event["done"]:
        return answer(event, DONE, "it was brought back")
    asked = event["request"].get("model_package_arn", "")
    endpoint = live.read_endpoint(event["endpoint_name"])
    if endpoint.status in CHANGING:
        return wait(event, f"the endpoint is {endpoint.status}")
    if asked and not has_traffic(endpoint, asked):
        return answer(event, DONE, f"{asked} has no traffic")
    now = serving(endpoint)
    if now is None:
        raise ReleaseRefused(_unclear(event["endpoint_name"], endpoint))
    group = now.package_arn.rpartition(":model-package/")[2].rpartition("/")[0]
    versions = [*production.versions(group)] if group else []
    if event.get("bare") and (gone := taken_back_before(versions, live_arn=now.package_arn)) is not None:
        raise ReleaseRefused(_twice(gone.arn, now.package_arn))
    plan = rollback_plan(endpoint, prefix=f"{event['endpoint_name']}{SEPARATOR}", execution_arn=event["execution_arn"])
    if plan is not None and was_in_production(versions, plan["blue"]["package_arn"]):
        lock.keep(event["endpoint_name"], event["execution_arn"], plan)
        audit.write(
            event, "RollBack", f"back to {plan['blue']['label']}", plan=plan, reason=rolled_back(event)["Cause"]
        )
        return answer(event, TAKE_BACK, "the version before is kept", plan=plan, failure=named(rolled_back(event)))
    return _previous(event, now.package_arn, versions)


def _unclear(name: str, endpoint: Live) -> str:
    """What a rollback says to an endpoint on which nobody has all the traffic."""
    shares = ", ".join(f"{one.name}: {one.weight:g}" for one in endpoint.variants) or endpoint.status or "no endpoint"
    return f"endpoint {name} must have all its traffic on one variant to be rolled back, got {shares}; set the weights"


def _twice(gone: str, live_arn: str) -> str:
    """What a rollback hears that was perhaps asked for twice."""
    return (
        f"{label_of(gone)} was taken back already, and {label_of(live_arn)} serves: there is nothing to roll back; to "
        f'take that back, too, name it: {{"action": "rollback", "model_package_arn": "{live_arn}"}}'
    )


def _previous(event: Event, live_arn: str, versions: Sequence[Listed]) -> Answer:
    found = previous(versions, live_arn=live_arn)
    if found is None:
        known = ", ".join(one.arn.rpartition("/")[2] for one in versions) or "no version"
        raise ReleaseRefused(f"a rollback needs an approved version that was in production before, got none of {known}")
    # A second rejection would be a second event, and the event a second rollback.
    if not is_rejected(versions, live_arn):
        production.reject(live_arn, rolled_back(event)["Cause"])
    audit.write(event, "RollBack", f"release {found.arn} again", version=live_arn, reason=rolled_back(event)["Cause"])
    return answer(event, PREVIOUS, "blue is gone", package_arn=found.arn)


def _to_retire(event: Event) -> Answer:
    endpoint, plan = live.read_endpoint(event["endpoint_name"]), event["request"]["plan"]
    if endpoint.status in CHANGING:
        return wait(event, f"the endpoint is {endpoint.status}")
    if not is_still_kept(plan, endpoint):
        return answer(event, DONE, "another release has retired it")
    audit.write(event, "Retire", f"{plan['blue']['label']} has been kept long enough", plan=plan)
    # It serves: whatever fails now, green stays.
    return answer(event, RETIRE, plan={**plan, "way": FINISH})


def _to_recover(event: Event, why: str = "nothing is left of it") -> Answer:
    """There is nothing to bring back: who took it up has written that down; of what had not begun nobody has."""
    dead = event["request"].get("execution_arn", "")
    begun = (audit.is_written({**event, "execution_arn": dead}, step, sequence=way) for step, way in _BEGINNINGS)
    if dead and not any(begun):
        stopping.write_end(event["endpoint_name"], dead)
    return answer(event, DONE, why)


_ACTIONS: Mapping[str, Callable[[Event], Answer]] = {
    lock.RELEASE: _to_release,
    lock.ROLLBACK: _to_roll_back,
    lock.RETIRE: _to_retire,
    lock.RECOVER: _to_recover,
}
