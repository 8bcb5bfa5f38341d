"""One request of API Gateway: rows, inputs, the model's answer; with a key, once."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from mlplatform_cdk.routing.feature_function.runtime import answers, caller, model, reply, rows, tables
from mlplatform_cdk.routing.feature_function.runtime.hook import Hook
from mlplatform_cdk.routing.feature_function.runtime.reply import Reply
from mlplatform_cdk.runtimekit import logs

_LOG = logs.logger("features")
_RESERVE_S = 0.5  # for the answer's own way
_hook: Hook | None = None  # loaded once for a function's instance


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer ``event``, whatever happens."""
    try:
        answer = _answered(event, context)
    except reply.Refused as refused:
        answer = refused.reply
    except Exception:  # noqa: BLE001 - API Gateway would answer 502 and say nothing
        _LOG.exception("the request could not be answered")
        answer = reply.problem(500, "the request could not be answered; the function's log says why")
    return answer.to_event()


def _answered(event: Mapping[str, Any], context: Any) -> Reply:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    body = _body(event)
    key = headers.get("x-idempotency-key")
    time_s: float = context.get_remaining_time_in_millis() / 1000
    # What comes after the model's answer has its time, too: it is kept, or the key is given up.
    ends = time.monotonic() + time_s - _RESERVE_S - (tables.LONGEST_S if key else 0)

    def seconds_left() -> float:
        return ends - time.monotonic()

    if key is None:
        return _computed(headers, body, seconds_left)
    place = answers.place_of(caller.of(event), key)
    until = time.time() + time_s
    kept = answers.claim(place, body, owner=context.aws_request_id, until=until)
    if kept is not None:
        return kept
    try:
        answer = _computed(headers, body, seconds_left)
    except BaseException:
        answers.give_up(place, owner=context.aws_request_id)
        raise
    if answer.status != reply.OK:
        answers.give_up(place, owner=context.aws_request_id)
        return answer
    return answers.keep(place, answer, owner=context.aws_request_id)


def _computed(headers: Mapping[str, str], body: bytes, seconds_left: Callable[[], float]) -> Reply:
    """What the model says of this request."""
    global _hook  # noqa: PLW0603 - once for an instance
    try:
        request = json.loads(body)
    except ValueError as error:
        raise reply.Refused(400, "the body must be JSON") from error
    if _hook is None:
        _hook = Hook.load()
    try:
        keys = _hook.keys(request)
    except ValueError as error:
        raise reply.Refused(400, str(error)) from error
    found = rows.read(keys, seconds_left)
    try:
        inputs = _hook.inputs(request, found)
    except ValueError as error:
        raise reply.Refused(400, str(error)) from error
    return model.ask(inputs, headers, seconds_left)


def _body(event: Mapping[str, Any]) -> bytes:
    text = event.get("body") or ""
    return base64.b64decode(text) if event.get("isBase64Encoded") else str(text).encode()
