"""What boto answers, as the data of a state machine: text in the place of dates and streams.

moto leaves dates as they are, and a machine whose output holds one can no longer be described.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.response import StreamingBody
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_aws_sdk import (
    StateTaskServiceAwsSdk,
)

_evaluate = StateTaskServiceAwsSdk._eval_service_task


def install() -> None:
    """Clean the answers of SDK calls."""
    StateTaskServiceAwsSdk._eval_service_task = _evaluate_plainly


def _evaluate_plainly(task: StateTaskServiceAwsSdk, env: Any, *more: Any, **named: Any) -> None:
    _evaluate(task, env, *more, **named)
    env.stack.append(plain(env.stack.pop(), iso))


def plain(value: Any, moment: Callable[[datetime], Any]) -> Any:
    """``value`` without what JSON cannot hold.

    :param value: an answer of boto.
    :param moment: how a date is written.
    """
    if isinstance(value, dict):
        return {key: plain(inner, moment) for key, inner in value.items() if key != "ResponseMetadata"}
    if isinstance(value, list):
        return [plain(inner, moment) for inner in value]
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, StreamingBody):
        value = value.read()
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def iso(value: datetime) -> str:
    """A date as the SDK integrations write it."""
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def milliseconds(value: datetime) -> int:
    """A date as the optimized integrations write it."""
    return int(value.timestamp() * 1000)
