"""A release, state by state: the turn, the plan, and what the turn is for; each phase has a module of its own."""

from typing import Any

from mlplatform_cdk.core.states import State
from mlplatform_cdk.release.blue_green.bringing import bringing_states
from mlplatform_cdk.release.blue_green.changes import MOST_LOOKS, MOST_TURN_LOOKS, PLAN, Release
from mlplatform_cdk.release.blue_green.endings import ending_states
from mlplatform_cdk.release.blue_green.finishing import finishing_states
from mlplatform_cdk.release.blue_green.moving import moving_states
from mlplatform_cdk.release.blue_green.retirement import retirement_states
from mlplatform_cdk.release.blue_green.tasks import FIND_WAY_BACK, choice

_TURN = ("way", "why", "looks", "every_s", "plan", "failure", "package_arn", "meant")
_UNTESTED = {"record": "it was tested before, and its release is finished now", "budget_ms": 0, "tested": False}


def definition(release: Release) -> dict[str, Any]:
    """The state machine as Amazon States Language."""
    return {
        "Comment": f"Releases versions to {release.specification.endpoint_name}: beside, tested, shifted, kept, alone",
        "StartAt": "Begin",
        "States": {
            **_beginning(),
            **_turn(release),
            **_planning(release),
            **bringing_states(release),
            **moving_states(release),
            **finishing_states(release),
            **retirement_states(release),
            **ending_states(release),
        },
    }


def _beginning() -> dict[str, State]:
    return {
        "Begin": {
            "Type": "Pass",
            "Parameters": _fresh({"request.$": "$$.Execution.Input"}),
            "Next": "IsRetirement",
        },
        "IsRetirement": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [
                        {"Variable": "$.request.action", "IsPresent": True},
                        {"Variable": "$.request.action", "StringEquals": "retire"},
                    ],
                    "Next": "WaitForRetention",
                }
            ],
            "Default": "Enter",
        },
        # Before the turn: whoever waits for a week must hold up nobody.
        "WaitForRetention": {"Type": "Wait", "SecondsPath": "$.request.after_s", "Next": "Enter"},
        "BeginAgain": {"Type": "Pass", "Parameters": _fresh({"done.$": "$.back.rolled_back"}), "Next": "Enter"},
    }


def _fresh(changes: dict[str, Any]) -> dict[str, Any]:
    """The state's data before anything was done."""
    begun: dict[str, Any] = {
        "request.$": "$.request",
        "turn": {"looks": 0, "meant": ""},
        "plan": {"looks": 0},
        "tests": _UNTESTED,
        "progress": {"next": 0, "begun": ""},
        "window": {"metrics": {}},
        "rest": {"looks": 0},
        "still": {"looks": 0},
        "back": {"looks": 0, "tries": 0, "rolled_back": False},
        # Has this execution brought back what it is to roll back, and does it work for another one now?
        "done": False,
        "goes_on": False,
    }
    told = {name.removesuffix(".$") for name in changes}
    return {name: value for name, value in begun.items() if name.removesuffix(".$") not in told} | changes


def _turn(release: Release) -> dict[str, State]:
    """The lock, and what is to be done with it."""
    enter = release.tasks.step(
        "Enter",
        "enter",
        {
            "started.$": "$$.Execution.StartTime",
            "looks.$": "$.turn.looks",
            "most_looks": MOST_TURN_LOOKS,
            "supersede": release.strategy.supersede,
            "done.$": "$.done",
            "meant.$": "$.turn.meant",
        },
        answers=_TURN,
        into="$.turn",
    )
    taken = {"turn.$": "$.turn", "plan.$": "$.turn.plan", "goes_on": True}
    return {
        "Enter": enter | {"Next": "WhichTurn"},
        "WhichTurn": choice(
            ("$.turn.way", "wait", "WaitForTurn"),
            ("$.turn.way", "back", "TakeUp"),
            ("$.turn.way", "finish", "Complete"),
            ("$.turn.way", "release", "ReleasePrevious"),
            ("$.turn.way", "retire", "Retire"),
            ("$.turn.way", "done", "LeaveTurn"),
            default="Plan",
        ),
        "WaitForTurn": {"Type": "Wait", "SecondsPath": "$.turn.every_s", "Next": "Enter"},
        "TakeUp": {
            "Type": "Pass",
            "Parameters": _fresh({**taken, "failure.$": "$.turn.failure"}),
            "Next": FIND_WAY_BACK,
        },
        "Complete": {"Type": "Pass", "Parameters": _fresh(taken), "Next": "KeepOrRetire"},
        "ReleasePrevious": {
            "Type": "Pass",
            "InputPath": "$.turn.package_arn",
            "ResultPath": "$.request.model_package_arn",
            "Next": "Plan",
        },
        "Retire": {"Type": "Pass", "Parameters": _fresh({**taken, "goes_on": False}), "Next": "RemoveScaling"},
        "LeaveTurn": release.tasks.step("LeaveTurn", "leave", {"why.$": "$.turn.why"}, answers=(), into="")
        | {"Next": "NothingToDo"},
        "NothingToDo": {"Type": "Succeed"},
    }


def _planning(release: Release) -> dict[str, State]:
    """What is there, and so what must be done."""
    return {
        "Plan": release.tasks.step(
            "Plan",
            "plan",
            {
                "specification": release.specification.to_mapping(),
                "shadow_percent": release.strategy.shadow_percent,
                "looks.$": "$.plan.looks",
                "most_looks": MOST_LOOKS,
            },
            answers=PLAN,
            into="$.plan",
        )
        | {"Next": "WhichWay"},
        "WhichWay": choice(
            ("$.plan.way", "wait", "WaitForEndpoint"),
            ("$.plan.way", "clear", "DeleteFailedEndpoint"),
            ("$.plan.way", "nothing", "LeaveAlone"),
            ("$.plan.way", "finish", "KeepOrRetire"),
            default="Preflight",
        ),
        "WaitForEndpoint": {"Type": "Wait", "Seconds": release.look_every_s, "Next": "Plan"},
        "DeleteFailedEndpoint": release.tasks.call(
            "DeleteFailedEndpoint",
            "sagemaker:deleteEndpoint",
            {"EndpointName": release.specification.endpoint_name},
        )
        | {"Next": "WaitForEndpoint"},
        "LeaveAlone": release.tasks.step("LeaveAlone", "leave", {"why.$": "$.plan.why"}, answers=(), into="")
        | {"Next": "NothingToDo"},
        "Preflight": release.tasks.step(
            "Preflight",
            "preflight",
            {
                "package_arn.$": "$.plan.package_arn",
                "fleet.$": "$.plan.shared.variants",
                "allow_breaking": release.strategy.allow_breaking,
            },
            answers=(),
            into="",
        )
        | {"Next": "IsThereAModel"},
        "IsThereAModel": choice(("$.plan.model.exists", True, "CreateGreenConfiguration"), default="CreateModel"),
    }
