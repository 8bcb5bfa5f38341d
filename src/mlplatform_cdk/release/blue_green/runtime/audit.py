"""Writes one record per decision: who, what, why, with which figures, and what share green has after it."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.runtimekit import release_records

_MACHINE = "the machine"


def write(
    event: Mapping[str, Any],
    step: str,
    decision: str,
    *,
    plan: Mapping[str, Any] | None = None,
    version: str = "",
    who: str = "",
    reason: str = "",
    percent: float | None = None,
    metrics: Mapping[str, Any] | None = None,
    sequence: str | int = 0,
) -> None:
    """Record a decision of the step that ``event`` asks for; the same one again is written once.

    :param event: of the step.
    :param step: what was decided about.
    :param decision: what was decided.
    :param plan: of the release, which knows the version; default: the event's.
    :param version: the version's ARN; default: the plan's, else the one that was asked for.
    :param who: decided; default: who started the execution.
    :param reason: why; default: it needs none.
    :param percent: green's share after it; default: it says nothing about traffic.
    :param metrics: what was known; default: nothing.
    :param sequence: tells records of the same step apart; default: there is one.
    """
    known = plan or event.get("plan") or {}
    release_records.record(
        release_records.table_name(),
        endpoint=event["endpoint_name"],
        release=event["execution_arn"],
        version=version or known.get("package_arn") or event["request"].get("model_package_arn", ""),
        step=step,
        who=who or who_of(event["request"]),
        decision=decision,
        reason=reason,
        percent=percent,
        metrics=metrics,
        sequence=sequence,
    )


def is_written(event: Mapping[str, Any], step: str, *, sequence: str | int = 0) -> bool:
    """Was this record of the execution's written before.

    :param event: of the step.
    :param step: what was decided about.
    :param sequence: tells records of the same step apart; default: there is one.
    """
    return release_records.is_recorded(
        release_records.table_name(),
        endpoint=event["endpoint_name"],
        release=event["execution_arn"],
        step=step,
        sequence=sequence,
    )


def who_of(request: Mapping[str, Any]) -> str:
    """Who started an execution: a person by name, else what started it."""
    return str(request.get("who") or request.get("by") or _MACHINE)


def reason_of(request: Mapping[str, Any]) -> str:
    """Why an execution was started."""
    return str(request.get("reason") or "no reason given")
