"""The way back after a failure, one step at a time, from whatever the endpoint is by then. Pure.

It is asked again after each step until there is nothing left to do, so that it does not matter where the release failed
or which of its calls took effect.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseFailed, ReleaseWithdrawn
from mlplatform_cdk.release.blue_green.runtime.failure import Failure
from mlplatform_cdk.release.blue_green.runtime.plan import CLEAR, FINISH, FIRST, NOTHING
from mlplatform_cdk.release.blue_green.runtime.plan import WAIT as NOT_YET
from mlplatform_cdk.release.blue_green.runtime.recovery import REJECTING
from mlplatform_cdk.release.blue_green.runtime.state import CHANGING, Live, Variant

WAIT, WEIGHTS, CONFIGURATION, DELETE, DONE = "wait", "weights", "configuration", "delete", "done"
_BACK, _STAYS = "brought back", "green stays"
_UNTOUCHED = (NOTHING, NOT_YET, CLEAR)  # plans by which no fleet was changed
# What follows when green has passed all: it serves, and going back would be a decision of its own.
FINISHING = (
    *("LetBlueScaleNoMore", "ScaleDownBlue", "WatchScaleDown", "RegisterScaling", "ScaleByTraffic"),
    *("MarkProduction", "StartRetirement", "CleanUp", "Conclude"),
)
# What a person took back is not rejected once more, and goes back even when all was passed.
WITHDRAWN = ReleaseWithdrawn.__name__
# What speaks against a version: its tests and its watchers by a class of its own, people, and alarms on it. Whatever
# else ends a release, such as a fault of AWS's, a right that is missing or an error of ours, says nothing about it.
BLAMING = (ReleaseFailed.__name__, "Release.Rejected", *REJECTING)
_SILENCE = ("AskPerson", "States.Timeout")  # at a gate it is a no
# What these do depends on AWS and on our own records alone, whatever version it is: a refusal of weights during
# SageMaker's own maintenance, for one.
BLAMELESS_STEPS = (
    *(
        "SuspendScaling",
        "Measure",
        "BringUpGreen",
        "BringUpShadow",
        "TakeTrafficBack",
        "ShiftTraffic",
        "Advance",
        "LetGreenScale",
    ),
    *("HoldStill", "RemoveScaling", "RetireBlue", "WatchRetirement"),
)
_COUNT = "InitialInstanceCount"
_MOST_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WayBack:
    """The next step back.

    :param way: what to do.
    :param outcome: where the traffic is now, when there is nothing left to do.
    :param reject: may the version be marked as rejected.
    :param is_blue_again: blue serves as before, and only its scaling is left to restore.
    :param weights: what to set the weights to.
    :param decision: what the record says was done, when there is nothing left to do.
    :param percent: green's share of the traffic then; None: it is not known.
    :param gives_up: it is not back, and may be if it is tried again; or its recovery completes it.
    :param scales_green: green has all the traffic and takes blue's scaling, since blue is gone: its own was to come,
        and there may be no later execution that brings it.
    :param rolls_back: green has all the traffic and must not keep it, and there is no blue: a rollback is next.
    """

    way: str
    outcome: str = ""
    decision: str = ""
    percent: float | None = None
    gives_up: bool = False
    scales_green: bool = False
    rolls_back: bool = False
    reject: bool = True
    is_blue_again: bool = False
    weights: list[dict[str, Any]] = field(default_factory=list)


def way_back(
    plan: Mapping[str, Any],
    failure: Failure,
    live: Live,
    *,
    looks: int,
    most_looks: int,
    tries: int = 0,
    holds: bool = True,
    keeps_green: bool = False,
) -> WayBack:
    """The next step back from ``live``.

    :param plan: of the release that failed; without members when making it was what failed.
    :param failure: what failed.
    :param live: the endpoint now.
    :param looks: how often this was asked, this time included.
    :param most_looks: after how many the endpoint is left to a person.
    :param tries: how often the weights were set already.
    :param holds: does the execution hold the endpoint still; default: it does.
    :param keeps_green: green has all the traffic and is approved, and blue was rejected; default: it is not so.
    """
    if "green" in plan and not holds:
        outcome = "this execution does not hold the endpoint any more, and leaves it as it is"
        return WayBack(way=DONE, outcome=outcome, decision="left as it is", reject=False)
    if "green" not in plan or plan["way"] in _UNTOUCHED:
        return WayBack(way=DONE, outcome="the endpoint was not touched", decision="nothing was touched", reject=False)
    # What fails in the finishing would fail again in its completion, and green stays then in any case.
    if keeps_green and failure.step not in FINISHING and _is_blameless(failure) and failure.error != WITHDRAWN:
        return _is_completed(plan)
    step = _step(plan, failure, live, tries)
    if step.way != DONE and looks >= most_looks:
        step = replace(_stuck(plan, live), gives_up=True)
    return replace(step, reject=False) if _is_blameless(failure) else step


def _is_blameless(failure: Failure) -> bool:
    """True when the failure says nothing about the version."""
    blames = failure.error in BLAMING or (failure.step, failure.error) == _SILENCE
    return not blames or failure.step in BLAMELESS_STEPS


def _step(plan: Mapping[str, Any], failure: Failure, live: Live, tries: int) -> WayBack:
    if plan["way"] == FINISH or (failure.step in FINISHING and failure.error != WITHDRAWN):
        return _stays(plan)
    if plan["way"] == FIRST:
        return _from_first(plan, live)
    if live.status in CHANGING:
        return WayBack(way=WAIT)
    if live.status != "InService":
        return _stuck(plan, live)
    return _to_blue(plan, failure, live, tries)


def _from_first(plan: Mapping[str, Any], live: Live) -> WayBack:
    if not live.status:
        outcome = "there was no version before it, so there is no endpoint again"
        return WayBack(way=DONE, outcome=outcome, decision=_BACK, percent=0.0)
    if live.configuration != plan["green"]["configuration"]:
        outcome = f"an endpoint that this release did not make runs {live.configuration}"
        return WayBack(way=DONE, outcome=outcome, decision="left as it is")
    return WayBack(way=WAIT if live.status in CHANGING else DELETE)


def _to_blue(plan: Mapping[str, Any], failure: Failure, live: Live, tries: int) -> WayBack:
    blue = plan["blue"]
    now = live.variant(blue["variant"])
    if now is None:
        retired = live.configuration == plan["green"]["configuration"]
        return _goes_by_rollback(plan, failure) if retired else WayBack(way=CONFIGURATION)
    others = [one for one in live.variants if one is not now]
    is_away = now.weight <= 0 or any(one.weight > 0 for one in others)
    wanted = max(blue["instances"], _carried(now, others))
    # SageMaker takes the whole call back when the instances do not come: then the traffic goes without them, and they
    # are asked for again, once more when those of the others are free.
    grows = now.instances < wanted and tries < (1 if is_away else _MOST_TRIES + (not others))
    if is_away or grows:
        grown = {"DesiredInstanceCount": wanted} if grows else {}
        weights = [{"VariantName": now.name, "DesiredWeight": blue["weight"], **grown}]
        weights += [{"VariantName": one.name, "DesiredWeight": 0.0} for one in others]
        return WayBack(way=WEIGHTS, weights=weights)
    if live.configuration not in (blue["configuration"], plan["before"]):
        return WayBack(way=CONFIGURATION)
    outcome = f"{blue['label']} serves all traffic"
    done = WayBack(way=DONE, outcome=outcome, decision=_BACK, percent=0.0, is_blue_again=True)
    return replace(done, reject=bool(plan["rejectable"]))


def _carried(blue: Variant, others: Sequence[Variant]) -> int:
    """How many instances the requests need that come back to ``blue``: as many as green has for them by now.

    Green had them all, or had scaled by them until an alarm took them from it.
    """
    had_all = [one.instances for one in others if one.weight > 0 >= blue.weight]
    had_scaled = [one.instances for one in others if one.instances > one.definition.get(_COUNT, one.instances)]
    return max((*had_all, *had_scaled), default=0)


def _stays(plan: Mapping[str, Any]) -> WayBack:
    """Green was tested and has all the traffic, and blue is gone: going back would be another release."""
    outcome = f"{plan['label']} serves all traffic; start its release again to finish it"
    return WayBack(way=DONE, outcome=outcome, decision=_STAYS, percent=100.0, reject=False)


def _goes_by_rollback(plan: Mapping[str, Any], failure: Failure) -> WayBack:
    """Blue is gone: what is wrong with green takes the release of the version before it, again."""
    if _is_blameless(failure) and failure.error != WITHDRAWN:
        return replace(_stays(plan), scales_green=True)
    outcome = f"{plan['label']} serves all traffic, and must not keep it"
    done = WayBack(way=DONE, outcome=outcome, decision=_STAYS, percent=100.0, scales_green=True)
    return replace(done, reject=bool(plan["rejectable"]), rolls_back=True)


def _is_completed(plan: Mapping[str, Any]) -> WayBack:
    """Blue must not have the traffic again, and nothing speaks against green: the recovery completes its release."""
    outcome = f"{plan['label']} serves all traffic, as {plan['blue']['label']} was rejected; its release is completed"
    return WayBack(way=DONE, outcome=outcome, decision=_STAYS, percent=100.0, reject=False, gives_up=True)


def _stuck(plan: Mapping[str, Any], live: Live) -> WayBack:
    state = f"{live.status or 'gone'} with configuration {live.configuration or 'none'}"
    return WayBack(
        way=DONE,
        outcome=f"the way back did not end: the endpoint is {state}; look at it now",
        decision="not brought back",
        reject=bool(plan["rejectable"]),
    )
