"""The steps of a train: each reads what it needs, changes one thing at most, and says what came of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlplatform_cdk.release.train.runtime import core, promotion, releases
from mlplatform_cdk.release.train.runtime.errors import TrackTaken, TrainRefused
from mlplatform_cdk.release.train.runtime.failure import sentence_of
from mlplatform_cdk.release.train.runtime.station import enter
from mlplatform_cdk.runtimekit import aws, release_records, settings

_APPROVED, _RELEASE = "Approved", "release"
_REFUSED = "Release.Rejected"


def prepare(event: Mapping[str, Any]) -> dict[str, Any]:
    """Which version goes, by the request: that one, or the newest that is approved when the track is free.

    :raises TrackTaken: when another train is on its way; who asks is to ask again.
    """
    request = event["request"]
    if before := _before(event["machine_arn"], event["execution_arn"]):
        said = f"one train goes at a time, and {before} is on its way"
        arn = request.get("model_package_arn", "")
        _record(event, arn, "Prepare", who="the train", decision="wait", reason=said, sequence="wait")
        raise TrackTaken(f"{said}; start this one again when that has ended")
    if request.get("action", _RELEASE) != _RELEASE:
        message = f"a train's action must be {_RELEASE}, got {request['action']}; take back the releases of its stops"
        raise TrainRefused(message)
    arn = request.get("model_package_arn") or _newest(settings.required("MODEL_PACKAGE_GROUP_NAME"))
    if lost := _lost(arn):
        message = f"{lost}; approve it in the registry"
        raise TrainRefused(message)
    who = request.get("who") or request.get("by") or "somebody"
    _record(event, arn, "Prepare", who=who, decision=f"{_label(arn)} goes by train", reason=request.get("reason", ""))
    return {"package_arn": arn, "label": _label(arn), "who": who}


def advance(event: Mapping[str, Any]) -> dict[str, Any]:
    """Take in what has happened since, and say what is next; a version that was taken back at home goes no further."""
    train = core.TrainFacts.from_mapping(event["train"])
    progress = _taken_in(train, core.Progress.from_mapping(event["progress"]), event["news"])
    if not progress.failure and progress.wave < len(train.waves) and (lost := _lost(event["package_arn"])):
        progress = progress.after_withdrawal(train, lost)
    decided = core.advance(train, progress, datetime.now(UTC))
    stations = {one["name"]: one for one in event["stations"]}
    _record(
        event,
        event["package_arn"],
        "Advance",
        who="the train",
        decision=decided.way,
        reason=decided.sentence,
        percent=decided.percent,
        sequence=f"{progress.wave}-{decided.way}-{datetime.now(UTC).date() if decided.way == core.WAIT else ''}",
    )
    return {
        "way": decided.way,
        "sentence": decided.sentence,
        "stations": [stations[name] for name in decided.stations],
        "returning": [{"station": stations[one.station], "package_arn": one.package_arn} for one in decided.returning],
        "wait_s": decided.wait_s,
        "approval_s": decided.approval_s,
        "percent": decided.percent,
        "facts": dict(decided.facts),
        "progress": progress.to_mapping(),
    }


def promote(event: Mapping[str, Any]) -> dict[str, Any]:
    """The version at one station, copied there if it is not there yet."""
    package = aws.client("sagemaker").describe_model_package(ModelPackageName=event["package_arn"])
    made = promotion.promote(package, enter(event["station"]))
    return {"package_arn": made.package_arn, "live": made.live}


def depart(event: Mapping[str, Any]) -> dict[str, Any]:
    """The release of the version at one station."""
    request = {
        "model_package_arn": event["package_arn"],
        "by": "train",
        "who": event["who"],
        "reason": f"train {event['train_name']}, execution {event['execution_arn']}",
    }
    return {"release": releases.start(enter(event["station"]), event["execution_arn"], "out", request)}


def send_back(event: Mapping[str, Any]) -> dict[str, Any]:
    """The way back of the version at one station."""
    request = {
        "action": "rollback",
        "model_package_arn": event["package_arn"],
        "by": "train",
        "who": f"train {event['train_name']}",
        "reason": event["reason"][:500],
    }
    return {"release": releases.start(enter(event["station"]), event["execution_arn"], "back", request)}


def look(event: Mapping[str, Any]) -> dict[str, Any]:
    """Whether a station's release has ended."""
    return releases.look(
        enter(event["station"]), event["release"], looks=event["looks"], most_looks=event["most_looks"]
    )


def _taken_in(train: core.TrainFacts, progress: core.Progress, news: Mapping[str, Any]) -> core.Progress:
    """The progress after ``news``: one kind of them, or none."""
    kind, value = news["kind"], news.get("value")
    if kind == "wave":
        return progress.after_wave(train, _runs(value))
    if kind == "returned":
        return progress.after_return(_runs(value))
    if kind == "approved":
        return progress.after_approval()
    if kind == "refused":
        return progress.after_refusal(train, _refusal(value))
    return progress


def _runs(results: Any) -> list[core.Run]:
    """What the stations' branches gave; a failure comes as it was caught."""
    runs = []
    for one in results:
        reason = one.get("reason") or (sentence_of(one["failure"]) if "failure" in one else "")
        runs.append(
            core.Run(
                station=one["station"],
                ok=one["ok"],
                changed=one["changed"],
                package_arn=one.get("package_arn", ""),
                release=one.get("release", ""),
                reason=reason,
            )
        )
    return runs


def _refusal(value: Any) -> str:
    caught = next(iter(value.values())) if "Error" not in value else value
    if caught.get("Error") == "States.Timeout":
        return "nobody answered in time"
    return str(caught.get("Cause", "")) if caught.get("Error") == _REFUSED else sentence_of(value)


def _lost(arn: str) -> str:
    """Why the version may not go, or go on; empty: it may."""
    package = aws.client("sagemaker").describe_model_package(ModelPackageName=arn)
    status = package.get("ModelApprovalStatus", "without approval status")
    return "" if status == _APPROVED else f"{_label(arn)} must be {_APPROVED} to go by train, got {status}"


def _before(machine_arn: str, execution_arn: str) -> str:
    """The train that was started before this one and is on its way: two would overtake each other; empty: none is."""
    client = aws.client("stepfunctions")
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=machine_arn, statusFilter="RUNNING")
    running: Sequence[Mapping[str, Any]] = [one for page in pages for one in page["executions"]]
    started = {one["executionArn"]: one["startDate"] for one in running}
    ours = started.pop(execution_arn, None)
    before = [(at, arn) for arn, at in started.items() if ours is None or (at, arn) < (ours, execution_arn)]
    return min(before)[1] if before else ""


def _newest(group: str) -> str:
    found = aws.client("sagemaker").list_model_packages(
        ModelPackageGroupName=group,
        ModelApprovalStatus=_APPROVED,
        SortBy="CreationTime",
        SortOrder="Descending",
        MaxResults=1,
    )["ModelPackageSummaryList"]
    if not found:
        message = f"the group {group} must have an approved version for a train to take, got none"
        raise TrainRefused(message)
    arn: str = found[0]["ModelPackageArn"]
    return arn


def _label(arn: str) -> str:
    """``churn version 3`` of ``…:model-package/churn/3``."""
    _, name, *number = arn.split("/")
    return f"{name} version {number[0]}" if number else name


def _record(event: Mapping[str, Any], version: str, step: str, **said: Any) -> None:
    release_records.record(
        release_records.table_name(),
        endpoint=event["train_name"],
        release=event["execution_arn"],
        version=version,
        step=step,
        **said,
    )
