"""Looks whether all is quiet before a game day, and whether an experiment did what was said; keeps both in a bucket."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_KINDS = ["CompositeAlarm", "MetricAlarm"]


def begin(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Keep the plan, and refuse to begin while one of ``Alarms`` (one a line) is not OK."""
    import boto3

    client, names = boto3.client("cloudwatch"), events["Alarms"].splitlines()
    found = client.describe_alarms(AlarmNames=names, AlarmTypes=_KINDS)
    states = {
        one["AlarmName"]: one["StateValue"] for kind in ("MetricAlarms", "CompositeAlarms") for one in found[kind]
    }
    if wrong := [f"{name} is {states.get(name, 'missing')}" for name in names if states.get(name) != "OK"]:
        raise RuntimeError(f"every alarm must be OK when a game day begins, got: {', '.join(wrong)}")
    _keep(events, "plan.md", events["Plan"])
    return {"Steady": str(len(names))}


def judge(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Keep what rang when, and fail where that is not what was said.

    ``Rings``: lines of seconds and an alarm that must ring within them; ``Quiet``: lines of alarms that must not.
    """
    import boto3

    experiment = boto3.client("fis").get_experiment(id=events["Experiment"])["experiment"]
    began, client = experiment["startTime"], boto3.client("cloudwatch")
    wanted = {name: int(seconds) for seconds, name in (line.split(" ", 1) for line in events["Rings"].splitlines())}
    seen = {name: _rang(client, name, began) for name in (*wanted, *events["Quiet"].splitlines())}
    problems = _problems(experiment["state"], wanted, seen)
    _keep(events, f"{events['Name']}.md", _told(events["Name"], experiment, wanted, seen, problems))
    if problems:
        raise RuntimeError(f"{events['Name']} is refuted: {'; '.join(problems)}")
    return {"Verdict": "it holds"}


def _problems(
    state: Mapping[str, Any], wanted: Mapping[str, int], seen: Mapping[str, tuple[float | None, bool]]
) -> list[str]:
    """What is not as it was said. Pure."""
    found = (
        [] if state["status"] == "completed" else [f"the experiment is {state['status']}: {state.get('reason', '')}"]
    )
    for name, (after_s, rings) in seen.items():
        if name in wanted and after_s is None:
            found.append(f"{name} did not ring within {wanted[name]} s")
        elif name in wanted and after_s is not None and after_s > wanted[name]:
            found.append(f"{name} rang after {after_s:.0f} s, not within {wanted[name]} s")
        elif name not in wanted and after_s is not None:
            found.append(f"{name} rang after {after_s:.0f} s, and should not have")
        if rings:
            found.append(f"{name} still rings")
    return found


def _rang(client: Any, name: str, began: datetime) -> tuple[float | None, bool]:
    """After how many seconds an alarm rang first, if it did; and whether it rings still."""
    pages = client.get_paginator("describe_alarm_history").paginate(
        AlarmName=name,
        AlarmTypes=_KINDS,
        HistoryItemType="StateUpdate",
        StartDate=began,
        EndDate=datetime.now(tz=UTC),
        ScanBy="TimestampAscending",
    )
    changes = [
        (one["Timestamp"], json.loads(one["HistoryData"])["newState"]["stateValue"])
        for page in pages
        for one in page["AlarmHistoryItems"]
    ]
    first = next((at for at, state in changes if state == "ALARM"), None)
    after_s = None if first is None else (first - began).total_seconds()
    return after_s, bool(changes) and changes[-1][1] == "ALARM"


def _told(
    name: str,
    experiment: Mapping[str, Any],
    wanted: Mapping[str, int],
    seen: Mapping[str, tuple[float | None, bool]],
    problems: list[str],
) -> str:
    """The page of one experiment. Pure."""
    lines = [
        f"# {name}: {'refuted' if problems else 'it holds'}",
        "",
        f"Experiment {experiment['id']}, begun {experiment['startTime'].isoformat()}: {experiment['state']['status']}.",
        "",
        "| alarm | was to ring | rang after | still rings |",
        "| --- | --- | --- | --- |",
    ]
    for alarm, (after_s, rings) in seen.items():
        said = f"within {wanted[alarm]} s" if alarm in wanted else "never"
        lines.append(
            f"| {alarm} | {said} | {'-' if after_s is None else f'{after_s:.0f} s'} | {'yes' if rings else 'no'} |"
        )
    lines += ["", *(f"- {problem}" for problem in problems), "", "What people saw:", "", "What is changed:", ""]
    return "\n".join(lines)


def _keep(events: Mapping[str, Any], name: str, text: str) -> None:
    import boto3

    key = f"{events['Prefix']}{events['Execution']}/{name}"
    boto3.client("s3").put_object(Bucket=events["Bucket"], Key=key, Body=text.encode(), ContentType="text/markdown")
