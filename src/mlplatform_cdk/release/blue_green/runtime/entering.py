"""The turn of an execution: it waits, brings back what a dead one left, or begins what it was started for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import audit, live, lock, production, recovery, stopping
from mlplatform_cdk.release.blue_green.runtime.core import turn_pause_s
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseRefused
from mlplatform_cdk.release.blue_green.runtime.lock_rows import Debt
from mlplatform_cdk.release.blue_green.runtime.plan import FINISH
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
from mlplatform_cdk.runtimekit import release_records
from mlplatform_cdk.runtimekit.endpoint_specification import SEPARATOR

Event = Mapping[str, Any]
Answer = dict[str, Any]
# What an execution does with its turn.
WAIT, TAKE_BACK, COMPLETE, GO, PREVIOUS, RETIRE, DONE = "wait", "back", "finish", "go", "release", "retire", "done"
_URGENT = (lock.ROLLBACK, lock.RECOVER)
_REJECTION = "rejection"  # what starts a rollback by an event


def enter(event: Event) -> Answer:
    """Take the turn, or say why not yet.

    :param event: ``request``, ``endpoint_name``, ``started``, ``looks``, ``most_looks``, ``supersede``, ``done``:
        this execution is a rollback and has brought back what it was started for, and ``meant``: the version that it
        is about, when it asked the first time.
    """
    if why := _taken_back(event):
        return _answer(event, DONE, why)
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
        urgent=action in _URGENT,
    )
    if not taken.held:
        return _without_turn(event)
    if taken.debt is not None and (answer := _take_up(event, action, taken.debt)):
        return answer
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


def _answer(event: Event, way: str, why: str = "", **more: Any) -> Answer:
    looks = event["looks"] + 1
    made = {"plan": {}, "failure": {}, "package_arn": "", "meant": event.get("meant", ""), **more}
    urgent = event["request"].get("action") in _URGENT
    return {"way": way, "why": why, "looks": looks, "every_s": turn_pause_s(looks, urgent=urgent), **made}


def _wait(event: Event, why: str) -> Answer:
    answer = _answer(event, WAIT, why)
    if answer["looks"] >= event["most_looks"]:
        raise ReleaseRefused(f"a release must get its turn within {answer['looks']} looks, and did not: {why}")
    return answer


def _without_turn(event: Event) -> Answer:
    """Wait for who has it, or end it first: a rollback always does, a newer version where it may; or do nothing."""
    request, row = event["request"], lock.holder(event["endpoint_name"])
    running = row if row is not None and lock.is_alive(row) else None
    found = recovery.instead(request, running, supersede=event["supersede"])
    if found.ends_by and running is not None:
        newer = found.ends_by == recovery.SUPERSEDED and request.get("action") != lock.ROLLBACK
        why = f"{request.get('model_package_arn', '')} takes its place" if newer else audit.reason_of(request)
        stopping.stop(running.owner, found.ends_by, who=audit.who_of(request), why=why)
    return _answer(event, DONE, found.why) if found.way == recovery.NOTHING else _wait(event, found.why)


def _take_up(event: Event, action: str, debt: Debt) -> Answer | None:
    """What a dead execution left: to be brought back, or to be completed; None: nothing."""
    plan, endpoint = debt.plan, live.read_endpoint(event["endpoint_name"])
    if "green" not in plan:
        lock.keep(event["endpoint_name"], event["execution_arn"], {})
        return None
    if endpoint.status in CHANGING:
        return _wait(event, f"the endpoint is {endpoint.status}")
    left_by = {release_records.LEFT_BY: debt.by}
    is_alone = endpoint.status == "InService" and endpoint.configuration == plan["green"]["configuration"]
    passed = plan["finishing"] or (is_alone and plan["blue"]["exists"])
    ended = _end_of(event, action, debt)
    # Somebody wants it back, and blue is there.
    unwanted = recovery.is_rejecting(ended["Error"]) and plan["blue"]["exists"] and not is_alone
    if passed and not unwanted:
        audit.write(event, "TakeUp", f"complete what {debt.by} left", plan=plan, metrics=left_by)
        blue = {**plan["blue"], "exists": plan["blue"]["exists"] and not is_alone}
        return _answer(event, COMPLETE, "a dead release had passed all", plan={**plan, "blue": blue})
    if debt.action == lock.ROLLBACK and ended["Error"] == recovery.ABORTED:
        plan = {**plan, "rejectable": False}  # who aborts a rollback does not speak against the version that it brings
    reason = ended["Cause"]
    audit.write(event, "TakeUp", f"bring back what {debt.by} left", plan=plan, reason=reason, metrics=left_by)
    return _answer(event, TAKE_BACK, "a dead release left it", plan={**plan, "finishing": False}, failure=_named(ended))


def _end_of(event: Event, action: str, debt: Debt) -> dict[str, str]:
    """Why what is left is brought back: this rollback means it, or as its own execution ended."""
    meant = event["request"].get("model_package_arn", "")
    if action == lock.ROLLBACK and meant in ("", debt.plan.get("package_arn")):
        return _rolled_back(event)
    return stopping.ending_of(debt.by)


def _to_release(event: Event) -> Answer:
    return _answer(event, GO)


def _to_roll_back(event: Event) -> Answer:
    if event["done"]:
        return _answer(event, DONE, "it was brought back")
    asked = event["request"].get("model_package_arn", "")
    endpoint = live.read_endpoint(event["endpoint_name"])
    if endpoint.status in CHANGING:
        return _wait(event, f"the endpoint is {endpoint.status}")
    if asked and not has_traffic(endpoint, asked):
        return _answer(event, DONE, f"{asked} has no traffic")
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
            event, "RollBack", f"back to {plan['blue']['label']}", plan=plan, reason=_rolled_back(event)["Cause"]
        )
        return _answer(event, TAKE_BACK, "the version before is kept", plan=plan, failure=_named(_rolled_back(event)))
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
        production.reject(live_arn, _rolled_back(event)["Cause"])
    audit.write(event, "RollBack", f"release {found.arn} again", version=live_arn, reason=_rolled_back(event)["Cause"])
    return _answer(event, PREVIOUS, "blue is gone", package_arn=found.arn)


def _to_retire(event: Event) -> Answer:
    endpoint, plan = live.read_endpoint(event["endpoint_name"]), event["request"]["plan"]
    if endpoint.status in CHANGING:
        return _wait(event, f"the endpoint is {endpoint.status}")
    if not is_still_kept(plan, endpoint):
        return _answer(event, DONE, "another release has retired it")
    audit.write(event, "Retire", f"{plan['blue']['label']} has been kept long enough", plan=plan)
    # It serves: whatever fails now, green stays.
    return _answer(event, RETIRE, plan={**plan, "way": FINISH})


def _to_recover(event: Event) -> Answer:
    return _answer(event, DONE, "nothing is left of it")


def _rolled_back(event: Event) -> dict[str, str]:
    request = event["request"]
    return {"Error": stopping.ROLLED_BACK, "Cause": f"{audit.who_of(request)}: {audit.reason_of(request)}"}


def _named(ended: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    return {ended["Error"]: ended}


_ACTIONS: Mapping[str, Callable[[Event], Answer]] = {
    lock.RELEASE: _to_release,
    lock.ROLLBACK: _to_roll_back,
    lock.RETIRE: _to_retire,
    lock.RECOVER: _to_recover,
}
