"""A train, state by state: decide, wait, ask, depart or go back, and decide again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.core.states import State, caught_as, task_state
from mlplatform_cdk.release.gates import gate_state
from mlplatform_cdk.release.train.branches import homeward, outward
from mlplatform_cdk.release.train.runtime.errors import TrackTaken
from mlplatform_cdk.release.train.tasks import Tasks, result

_NEXT = ("way", "sentence", "stations", "returning", "wait_s", "approval_s", "percent", "facts", "progress")
_ENDED, _FAILED = "Arrived", "Failed"
# A wait, a task and a choice: 2 + 5 + 2 events, all in the train's own history of 25,000. The rest of it, with a wait a
# day for a year of freezes and a week behind another train, takes less than 7,000.
EVENTS_A_LOOK = 9
EVENTS_FOR_LOOKS = 18_000
# A week behind another train, three events a try.
_TURN_EVERY_S, _TURNS = 900, 700
NOTHING_NEW: Mapping[str, Any] = {"kind": "none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """All that tells one train's states from another's.

    :param tasks: makes the task states.
    :param train: the facts that the decision is made on, as ``TrainFacts.from_mapping`` takes them.
    :param stations: the facts of each station.
    :param look_every_s: how long from one look at a station's release to the next.
    :param most_looks: how often one looks.
    :param gate_function_arn: asks people; None: nobody is asked.
    :param topic_arn: where people hear of its end; None: nowhere.
    """

    tasks: Tasks
    train: Mapping[str, Any]
    stations: list[dict[str, str]]
    look_every_s: int
    most_looks: int
    gate_function_arn: str | None
    topic_arn: str | None


def definition(journey: Journey) -> dict[str, Any]:
    """The state machine as Amazon States Language."""
    return {
        "Comment": f"Takes versions through the waves of {journey.train['name']}",
        "StartAt": "Begin",
        "States": {
            **_deciding(journey),
            **_travelling(journey),
            **(_asking(journey) if journey.gate_function_arn else {}),
            **_ending(journey),
        },
    }


def _deciding(journey: Journey) -> dict[str, State]:
    tasks = journey.tasks
    prepare = tasks.step(
        "Prepare",
        "prepare",
        {"request.$": "$.request", "machine_arn.$": "$$.StateMachine.Id"},
        answers=("package_arn", "label", "who"),
        into="$.version",
        failed="LoseTrain",
    )
    waiting = {
        "ErrorEquals": [TrackTaken.__name__],
        "IntervalSeconds": 60,
        "BackoffRate": 2,
        "MaxDelaySeconds": _TURN_EVERY_S,
        "MaxAttempts": _TURNS,
        "JitterStrategy": "NONE",
    }
    prepare["Retry"] = [waiting, *prepare["Retry"]]
    advance = tasks.step(
        "Advance",
        "advance",
        {
            "train": dict(journey.train),
            "stations": journey.stations,
            "package_arn.$": "$.version.package_arn",
            "progress.$": "$.next.progress",
            "news.$": "$.news",
        },
        answers=_NEXT,
        into="$.next",
        failed="LoseTrain",
    )
    ways = {
        "wait": "WaitForThaw",
        "depart": "Wave",
        "return": "GoBack",
        "arrived": "NoteArrival",
        "failed": "NoteFailure",
    }
    if journey.gate_function_arn:
        ways["ask"] = "AskForApproval"
    return {
        "Begin": {
            "Type": "Pass",
            "Parameters": {
                "request.$": "$$.Execution.Input",
                "version": {"label": "a version"},
                "next": {"progress": {"wave": 0, "approved": -1, "runs": [], "returns": None, "failure": ""}},
                "news": dict(NOTHING_NEW),
            },
            "Next": "Prepare",
        },
        "Prepare": prepare | {"Next": "Advance"},
        "Advance": advance | {"Next": "WhichWay"},
        "WhichWay": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.next.way", "StringEquals": way, "Next": then} for way, then in ways.items()],
            "Default": "NoteFailure",
        },
        "WaitForThaw": {"Type": "Wait", "SecondsPath": "$.next.wait_s", "Next": "NothingNew"},
        "NothingNew": {"Type": "Pass", "Result": dict(NOTHING_NEW), "ResultPath": "$.news", "Next": "Advance"},
    }


def _travelling(journey: Journey) -> dict[str, State]:
    pace = {"look_every_s": journey.look_every_s, "most_looks": journey.most_looks}
    return {
        "Wave": {
            "Type": "Map",
            "ItemsPath": "$.next.stations",
            "ItemSelector": {
                "station.$": "$$.Map.Item.Value",
                "package_arn.$": "$.version.package_arn",
                "who.$": "$.version.who",
            },
            "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **outward(journey.tasks, **pace)},
            "ResultSelector": {"kind": "wave", "value.$": "$"},
            "ResultPath": "$.news",
            "Next": "Advance",
        },
        "GoBack": {
            "Type": "Map",
            "ItemsPath": "$.next.returning",
            "ItemSelector": {
                "station.$": "$$.Map.Item.Value.station",
                "package_arn.$": "$$.Map.Item.Value.package_arn",
                "reason.$": "$.next.sentence",
            },
            "ItemProcessor": {"ProcessorConfig": {"Mode": "INLINE"}, **homeward(journey.tasks, **pace)},
            "ResultSelector": {"kind": "returned", "value.$": "$"},
            "ResultPath": "$.news",
            "Next": "Advance",
        },
    }


def _asking(journey: Journey) -> dict[str, State]:
    """Somebody says yes to a wave; a no, and silence, end the journey."""
    assert journey.gate_function_arn is not None
    ask = gate_state(
        "AskForApproval",
        partition=journey.tasks.partition,
        function_arn=journey.gate_function_arn,
        endpoint_name=journey.tasks.train_name,
        facts={
            "version.$": "$.version.package_arn",
            "percent.$": "$.next.percent",
            "timeout_s.$": "$.next.approval_s",
            "metrics.$": "$.next.facts",
        },
        failed="NoteRefusal",
    )
    return {
        "AskForApproval": ask | {"ResultSelector": {"kind": "approved"}, "ResultPath": "$.news", "Next": "Advance"},
        "NoteRefusal": result(into="$.news", kind="refused", value="$.failure") | {"Next": "Advance"},
    }


def _ending(journey: Journey) -> dict[str, State]:
    told = journey.topic_arn is not None
    failed = "TellFailure" if told else _FAILED
    format_ = "States.Format('{}: {}', $.version.label, $.next.sentence)"
    states = {
        "NoteArrival": _note("", format_) | {"Next": "TellArrival" if told else _ENDED},
        "NoteFailure": _note("Train.WaveFailed", format_) | {"Next": failed},
        "LoseTrain": _note("Train.Lost", "States.JsonToString($.failure)") | {"Next": failed},
        _ENDED: {"Type": "Succeed"},
        _FAILED: {"Type": "Fail", "ErrorPath": "$.end.error", "CausePath": "$.end.sentence"},
    }
    return states | (_notices(journey) if told else {})


def _note(error: str, sentence: str) -> State:
    return {"Type": "Pass", "Parameters": {"error": error, "sentence.$": sentence}, "ResultPath": "$.end"}


def _notices(journey: Journey) -> dict[str, State]:
    """What people hear; a notice that cannot be sent changes nothing about the train."""
    name = journey.train["name"]
    endings = {
        "TellArrival": (f"{name}: the train has arrived", _ENDED),
        "TellFailure": (f"{name}: the train has failed", _FAILED),
    }
    states = {}
    for state, (subject, then) in endings.items():
        message = "States.Format('{}. Execution: {}', $.end.sentence, $$.Execution.Id)"
        task = task_state(
            state,
            f"arn:{journey.tasks.partition}:states:::sns:publish",
            {"TopicArn": journey.topic_arn, "Subject": subject, "Message.$": message},
            faults=("States.TaskFailed",),
            timeout_s=60,
            failed=then,
        )
        states[state] = caught_as(task | {"ResultPath": None}, "$.notice", then) | {"Next": then}
    return states
