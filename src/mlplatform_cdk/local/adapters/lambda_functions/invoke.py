"""Runs a function from its deployed asset, under its own role, and answers in AWS's shape.

moto's backend without Docker answers every call with the event itself.
"""

from __future__ import annotations

import base64
import functools
import json
import logging
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local import roles
from mlplatform_cdk.local.adapters.lambda_functions import embedded_metrics, environment, logs, workers

if TYPE_CHECKING:
    from moto.awslambda.models import LambdaFunction

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one run of a function came to.

    :param payload: the answer, or the error, as JSON.
    :param failed: whether it is an error.
    :param request_id: the request.
    :param log: its log lines.
    """

    payload: str
    failed: bool
    request_id: str
    log: tuple[str, ...] = ()


class Throttled(Exception):
    """More requests at one time than the function's reserved concurrency."""


_lock = threading.Lock()
_running: Counter[str] = Counter()


def run(function: LambdaFunction, event: str, *, request_id: str | None = None) -> Outcome:
    """Run ``function`` once and wait for its answer.

    :param function: what to run.
    :param event: the event, as JSON.
    :param request_id: the request; default: a new one.
    """
    request_id = request_id or str(uuid.uuid4())
    with _lock:
        reserved = function.reserved_concurrency
        if reserved is not None and _running[function.function_arn] >= int(reserved):
            raise Throttled("Rate Exceeded.")
        _running[function.function_arn] += 1
    try:
        return _run(function, event, request_id)
    finally:
        with _lock:
            _running[function.function_arn] -= 1


def _run(function: LambdaFunction, event: str, request_id: str) -> Outcome:
    problem = _why_not(function)
    if problem is not None:
        return _failure(request_id, "Runtime.Unsupported", problem)
    try:
        worker = _worker_for(function)
    except roles.RoleCannotBeAssumed as refused:
        return _failure(request_id, "AccessDeniedException", str(refused))
    timeout = float(function.timeout)
    request = {"request_id": request_id, "event": event, "seconds": timeout, "arn": function.function_arn}
    started = time.monotonic()
    try:
        answer, lines = worker.call(request)
    except workers.TimedOut:
        message = f"{request_id} Task timed out after {timeout:.2f} seconds"
        return _broken(function, worker, _failure(request_id, "Sandbox.Timedout", message), time.monotonic() - started)
    except workers.WorkerEnded as ended:
        message = f"RequestId: {request_id} Error: Runtime exited with error: exit status {ended}"
        return _broken(function, worker, _failure(request_id, "Runtime.ExitError", message), time.monotonic() - started)
    workers.give_back(function.function_arn, worker)
    log = logs.frame(function, request_id, lines, time.monotonic() - started)
    logs.write(function, worker.log_stream, log)
    payload = answer["payload"] if "payload" in answer else json.dumps(answer["error"])
    return Outcome(payload=payload, failed="error" in answer, request_id=request_id, log=tuple(log))


def _worker_for(function: LambdaFunction) -> workers.Worker:
    revision = environment.revision_of(function)
    warm = workers.take(function.function_arn, revision)
    if warm is not None:
        return warm
    folder = environment.unpack(function)
    hears = functools.partial(embedded_metrics.read, function)
    return workers.Worker(revision, environment.variables(function, folder), folder, hears=hears)


def _broken(function: LambdaFunction, worker: workers.Worker, failure: Outcome, seconds: float) -> Outcome:
    message = json.loads(failure.payload)["errorMessage"]
    log = logs.frame(function, failure.request_id, [*worker.lines, message], seconds)
    logs.write(function, worker.log_stream, log)
    worker.end()
    return Outcome(payload=failure.payload, failed=True, request_id=failure.request_id, log=tuple(log))


def _why_not(function: LambdaFunction) -> str | None:
    if function.package_type != "Zip":
        return f"{function.function_name} is a container image; the embedded AWS runs functions from zip assets only"
    if not str(function.run_time).startswith("python"):
        return f"{function.function_name} has runtime {function.run_time}; the embedded AWS runs Python functions only"
    return None


def _failure(request_id: str, kind: str, message: str) -> Outcome:
    LOG.warning("%s: %s", kind, message)
    return Outcome(payload=json.dumps({"errorType": kind, "errorMessage": message}), failed=True, request_id=request_id)


def headers_of(outcome: Outcome) -> dict[str, Any]:
    """The response headers of a synchronous call."""
    headers = {"X-Amz-Executed-Version": "$LATEST"}
    if outcome.failed:
        headers["x-amz-function-error"] = "Unhandled"
    if outcome.log:
        headers["x-amz-log-result"] = base64.b64encode(logs.tail(list(outcome.log))).decode()
    return headers
