"""Asynchronous invocations: two more attempts, then the dead-letter queue or the destination of failures."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local import clock
from mlplatform_cdk.local.adapters import targets
from mlplatform_cdk.local.adapters.lambda_functions import invoke

if TYPE_CHECKING:
    from moto.awslambda.models import LambdaFunction

LOG = logging.getLogger(__name__)

DEFAULT_RETRIES = 2
FIRST_DELAY_SECONDS = 60.0  # AWS waits one minute before the second attempt and two before the third


def start(function: LambdaFunction, event: str) -> str:
    """Queue ``event`` for ``function``; the request's id.

    :param function: what to run.
    :param event: the event, as JSON.
    """
    request_id = str(uuid.uuid4())
    threading.Thread(
        target=_attempts, args=(function, event, request_id), name=f"async-{request_id}", daemon=True
    ).start()
    return request_id


def _attempts(function: LambdaFunction, event: str, request_id: str) -> None:
    config = function.event_invoke_config[0].config if function.event_invoke_config else {}
    retries = int(config.get("MaximumRetryAttempts", DEFAULT_RETRIES))
    destinations = config.get("DestinationConfig") or {}
    outcome = None
    for attempt in range(retries + 1):
        if attempt:
            clock.sleep(FIRST_DELAY_SECONDS * attempt)
        outcome = _run_when_free(function, event, request_id)
        if not outcome.failed:
            _to_destination(function, event, outcome, destinations.get("OnSuccess"), "Success", attempt + 1)
            return
    if outcome is None:
        return
    LOG.warning("%s failed %s times on an asynchronous event: %s", function.function_name, retries + 1, outcome.payload)
    _to_destination(function, event, outcome, destinations.get("OnFailure"), "RetriesExhausted", retries + 1)
    _to_dead_letters(function, event, outcome)


def _run_when_free(function: LambdaFunction, event: str, request_id: str) -> invoke.Outcome:
    while True:
        try:
            return invoke.run(function, event, request_id=request_id)
        except invoke.Throttled:  # AWS keeps a throttled event in the queue for hours
            clock.sleep(1)


def _to_destination(
    function: LambdaFunction,
    event: str,
    outcome: invoke.Outcome,
    destination: dict[str, str] | None,
    condition: str,
    attempts: int,
) -> None:
    if not destination or not destination.get("Destination"):
        return
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": datetime.now(tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": outcome.request_id,
            "functionArn": f"{function.function_arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": json.loads(event),
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": json.loads(outcome.payload),
    }
    if outcome.failed:
        record["responseContext"]["functionError"] = "Unhandled"
    targets.send_as_role(function.role, destination["Destination"], json.dumps(record), function.region)


def _to_dead_letters(function: LambdaFunction, event: str, outcome: invoke.Outcome) -> None:
    target = (getattr(function, "dead_letter_config", None) or {}).get("TargetArn")
    if not target:
        return
    attributes = {
        "RequestID": outcome.request_id,
        "ErrorCode": "200",
        "ErrorMessage": str(json.loads(outcome.payload).get("errorMessage", ""))[:1024],
    }
    targets.send_as_role(function.role, target, event, function.region, attributes=attributes)
