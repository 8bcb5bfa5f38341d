"""A function's lines in its log group, with the lines that the Lambda service adds around them."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING

from moto.logs.models import logs_backends
from moto.utilities.utils import get_partition

from mlplatform_cdk.local.adapters.iam import access
from mlplatform_cdk.local.adapters.lambda_functions.environment import log_group_of

if TYPE_CHECKING:
    from moto.awslambda.models import LambdaFunction

LOG = logging.getLogger(__name__)
LONGEST_MESSAGE = 256 * 1024
TAIL_BYTES = 4096

_silent: set[str] = set()


def frame(function: LambdaFunction, request_id: str, lines: list[str], seconds: float) -> list[str]:
    """The lines of one request between its start and its report.

    :param function: who ran.
    :param request_id: the request.
    :param lines: what the function wrote.
    :param seconds: how long it ran.
    """
    milliseconds = round(seconds * 1000, 2)
    if (getattr(function, "logging_config", None) or {}).get("LogFormat") == "JSON":
        start = {"type": "platform.start", "record": {"requestId": request_id, "version": str(function.version)}}
        report = {
            "type": "platform.report",
            "record": {"requestId": request_id, "metrics": {"durationMs": milliseconds}, "status": "success"},
        }
        return [json.dumps(start), *lines, json.dumps(report)]
    return [
        f"START RequestId: {request_id} Version: {function.version}",
        *lines,
        f"END RequestId: {request_id}",
        f"REPORT RequestId: {request_id}\tDuration: {milliseconds} ms\tMemory Size: {function.memory_size} MB",
    ]


def write(function: LambdaFunction, stream: str, lines: list[str]) -> None:
    """Put ``lines`` into the function's log group.

    :param function: whose log it is.
    :param stream: the log stream of the process that ran it.
    :param lines: what to write.
    """
    backend = logs_backends[function.account_id][function.region]
    group = log_group_of(function)
    if not may_write(function, stream):
        return
    backend.ensure_log_group(group)
    if stream not in backend.groups[group].streams:
        backend.create_log_stream(group, stream)
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line[:LONGEST_MESSAGE]} for line in lines if line]
    if events:
        backend.put_log_events(group, stream, events)


def may_write(function: LambdaFunction, stream: str) -> bool:
    """In AWS a function whose role may not write logs runs, and leaves none."""
    partition, group = get_partition(function.region), log_group_of(function)
    base = f"arn:{partition}:logs:{function.region}:{function.account_id}:log-group:{group}"
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        if not access.role_may(function.role, action, f"{base}:log-stream:{stream}", region=function.region):
            if function.function_arn not in _silent:
                _silent.add(function.function_arn)
                LOG.warning("%s leaves no logs: its role %s lacks %s", function.function_name, function.role, action)
            return False
    return True


def tail(lines: list[str]) -> bytes:
    """The last 4 KiB of a log, which ``LogType=Tail`` asks for."""
    return "\n".join(lines).encode()[-TAIL_BYTES:]
