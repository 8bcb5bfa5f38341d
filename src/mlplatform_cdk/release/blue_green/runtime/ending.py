"""The steps at the end of a release: the way back, what is written down of it, and the turn given up."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import audit, live, lock, production, scaling, stopping
from mlplatform_cdk.release.blue_green.runtime.core import SLOW_S, pause_s
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseFailed
from mlplatform_cdk.release.blue_green.runtime.failure import failure_of
from mlplatform_cdk.release.blue_green.runtime.rolling_back import ROLLBACK
from mlplatform_cdk.release.blue_green.runtime.state import REJECTED, Live
from mlplatform_cdk.release.blue_green.runtime.taking_up import keeps_green
from mlplatform_cdk.release.blue_green.runtime.way_back import CONFIGURATION, DONE, WAIT, WEIGHTS, WayBack, way_back

Event = Mapping[str, Any]


def go_back(event: Event) -> dict[str, Any]:
    """The next step back; the last one restores the scaling and the registry's mark."""
    looks, failure, made = event["looks"] + 1, failure_of(event["failure"]), event["plan"]
    endpoint = live.read_endpoint(event["endpoint_name"])
    tries = event["tries"]
    # Who had no plan yet touched nothing, and may have ended before it had the turn.
    step = way_back(
        made,
        failure,
        endpoint,
        looks=looks,
        most_looks=event["most_looks"],
        tries=tries,
        holds="green" not in made or lock.is_held(event["endpoint_name"], event["execution_arn"]),
        keeps_green="green" in made and keeps_green(made, endpoint),
    )
    if step.way == WAIT and made["blue"]["exists"]:
        # What scales green changes the endpoint again and again, and so it takes no weights.
        scaling.let_go(event["endpoint_name"], made["green"]["variant"])
    if step.way == CONFIGURATION:
        # SageMaker keeps a variant that scaling still knows.
        others = [one.name for one in endpoint.variants if one.name != made["blue"]["variant"]]
        scaling.remove(event["endpoint_name"], [{"variant": name} for name in others])
    if step.reject and step.way == DONE and live.read_approval(made["package_arn"]).status == REJECTED:
        step = replace(step, reject=False)  # somebody has said so, and why
    if step.is_blue_again:
        _restore(event, made, endpoint)
    if step.scales_green:
        blue, green = made["blue"]["variant"], made["green"]["variant"]
        as_blue = [{**one, "variant": green} for one in made["scaled"] if one["variant"] == blue]
        scaling.restore(event["endpoint_name"], as_blue)
    rolls_back = _rolls_back(event, step)
    then = "; a rollback is next" if rolls_back else "; roll it back" if step.rolls_back else ""
    said = f"{failure.reason}; {step.outcome}{then}"
    return {
        **asdict(step),
        "looks": looks,
        "every_s": pause_s(looks, event.get("pause_s", SLOW_S)),
        "tries": tries + (step.way == WEIGHTS),
        "rolls_back": rolls_back,
        "rolled_back": step.is_blue_again and failure.step == stopping.ROLLED_BACK,
        "step": failure.step,
        "reason": said[: production.LONGEST_REASON],
        "sentence": said,
    }


def settle(event: Event) -> dict[str, Any]:
    """Write down how it went back, and give up the turn, unless this execution goes on with it.

    :raises ReleaseFailed: when it is not back and may be if it is tried again: the turn stays with this execution,
        whose end starts its recovery.
    """
    back = event["back"]
    decision = f"rejected, and {back['decision']}" if back["reject"] else back["decision"]
    reason = f"{back['step']}: {back['sentence']}"
    audit.write(event, "WayBack", decision, reason=reason, percent=back["percent"], sequence=_kind(event))
    if back["gives_up"]:
        raise ReleaseFailed(back["sentence"])
    _give_up_turn(event)
    if version := back.get("rolls_back"):  # an execution of an older machine does not say
        stopping.roll_back(event["execution_arn"], version, why=back["sentence"])
    return {}


def conclude(event: Event) -> dict[str, Any]:
    """Write down that all is done, and give up the turn, unless this execution goes on with it.

    :raises LockLost: when the turn is another's, and it was not given up by an earlier try at this.
    """
    if not audit.is_written(event, event["as"], sequence=_kind(event)):
        lock.must_hold(event["endpoint_name"], event["execution_arn"])
    audit.write(event, event["as"], event["decision"], percent=event["percent"], sequence=_kind(event))
    _give_up_turn(event)
    return {}


def leave(event: Event) -> dict[str, Any]:
    """Give up the turn where nothing was to be done."""
    audit.write(event, "Nothing", "nothing is to be done", reason=event["why"], sequence=_kind(event))
    lock.free(event["endpoint_name"], event["execution_arn"])
    return {}


def _rolls_back(event: Event, step: WayBack) -> str:
    """Which version has the traffic now and must not keep it; empty: none, or a rollback has tried that already."""
    blue = event["plan"]["blue"]["package_arn"] if step.is_blue_again else ""
    back_to_rejected = bool(blue) and live.read_approval(blue).status == REJECTED
    if not (step.rolls_back or back_to_rejected):
        return ""
    row = lock.holder(event["endpoint_name"])
    debt = row.taken_over if row is not None and row.owner == event["execution_arn"] else None
    request, version = event["request"], str(event["plan"]["package_arn"] if step.rolls_back else blue)
    tried = (debt.action if debt else request.get("action")) == ROLLBACK
    # This execution is a rollback, too, and its own turn is yet to come.
    comes = request.get("action") == ROLLBACK and (step.rolls_back or request.get("model_package_arn") == version)
    return "" if tried or comes else version


def _restore(event: Event, plan: Mapping[str, Any], endpoint: Live) -> None:
    alive = {one.name for one in endpoint.variants}
    scaling.restore(event["endpoint_name"], [one for one in plan["scaled"] if one["variant"] in alive])
    blue = plan["blue"]["package_arn"]
    group = blue.rpartition(":model-package/")[2].rpartition("/")[0]
    if group and plan["package_arn"] in production.in_service(group):
        production.mark(blue, group, description=f"brought back by {event['execution_arn']}")


def _give_up_turn(event: Event) -> None:
    if event["goes_on"]:
        lock.keep(event["endpoint_name"], event["execution_arn"], {})
    else:
        lock.free(event["endpoint_name"], event["execution_arn"])


def _kind(event: Event) -> str:
    """An execution may end another one's release before its own, and a rollback may follow on that."""
    if (event.get("plan") or {}).get("way") == ROLLBACK:
        return ROLLBACK
    return "another" if event.get("goes_on") else "own"
