"""The life of a Lambda environment: get ready or say why not, then answer one event after another."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.serving.container.aws_lambda.api import RuntimeApi, RuntimeApiError
from mlplatform_cdk.serving.container.aws_lambda.events import (
    PRELUDE_TYPE,
    Failed,
    Invocation,
    Question,
    payload_of,
    prelude_of,
    question_of,
)
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.messages import Answer, Request, problem

_MARGIN_SECONDS = 0.05  # what the way back to the Runtime API takes, at most
_INIT_SECONDS = 10.0  # beyond it Lambda begins anew, at the first event and on its clock
# Where nothing follows the prelude, callers of a Function URL wait for the body until their time-out:
# https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/95
_LEAST_BODY = b"\n"
_log = logs.logger("lambda")

Handle = Callable[[Request, Callable[[Answer], None]], None]


async def serve(
    address: str, start: Callable[[], Awaitable[Handle]], after: Callable[[], None], *, streaming: bool
) -> int:
    """Answer events for as long as Lambda sends them; the exit code is 1 when the model cannot be served.

    :param address: of the Runtime API.
    :param start: loads the model and gives what answers; what it raises is told as the reason.
    :param after: called when an event has been answered and the environment may be frozen: writes what waits.
    :param streaming: whether results leave as streams, as a caller by ``InvokeWithResponseStream`` wants them.
    """
    api, began = RuntimeApi(address), time.monotonic()
    try:
        handle = await start()
    except Exception as error:  # noqa: BLE001 - Lambda must be told, whatever it is
        known = isinstance(error, KnownError)
        sentence = str(error) if known else f"an unexpected {type(error).__name__}: {error}"
        _log.error(sentence, exc_info=None if known else error)
        await api.fail_init("Runtime.ModelNotServed", sentence)
        return 1
    seconds = time.monotonic() - began
    log = _log.info if seconds < _INIT_SECONDS else _log.warning
    log("ready", extra={"init_seconds": round(seconds, 3)})
    while True:
        try:
            await _answer_one(api, handle, streaming=streaming)
        except (RuntimeApiError, OSError) as error:
            _log.error("the Runtime API is gone: %s", error)
            return 1
        after()


async def _answer_one(api: RuntimeApi, handle: Handle, *, streaming: bool) -> None:
    invocation = await api.next()
    os.environ["_X_AMZN_TRACE_ID"] = invocation.trace  # where X-Ray's and OpenTelemetry's libraries look
    logs.bind(request_id=invocation.id)
    question: Question | None = None
    try:
        question = question_of(invocation)
        answer = await _in_time(handle, question.request, invocation)
    except RequestError as error:
        answer = problem(error)
    question = question or Question(Request("POST", "/invocations", {}, b"", 0.0), is_http=True)
    if streaming and (question.is_http or answer.status == HTTPStatus.OK):
        content_type = PRELUDE_TYPE if question.is_http else answer.content_type
        status = await api.stream(invocation, content_type, _pieces(question, answer))
    else:
        status = await _whole(api, invocation, question, answer)
    logs.bind(request_id=None)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        raise RuntimeApiError("this environment must end, as the Runtime API says")
    if status != HTTPStatus.ACCEPTED:
        _log.error("the result was not taken", extra={"status": status, "invocation": invocation.id})


async def _in_time(handle: Handle, request: Request, invocation: Invocation) -> Answer:
    """The answer, or 504 shortly before Lambda cuts the function off."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Answer] = loop.create_future()

    def reply(answer: Answer) -> None:
        if answered.done():
            answer.drop()
        else:
            answered.set_result(answer)

    handle(request, reply)
    left = invocation.seconds_left - _MARGIN_SECONDS if invocation.deadline_ms else None
    try:
        return await asyncio.wait_for(answered, left)
    except TimeoutError:
        body = b'{"error": "the answer must come before the function\'s time-out, got none"}'
        return Answer(HTTPStatus.GATEWAY_TIMEOUT, body)


async def _whole(api: RuntimeApi, invocation: Invocation, question: Question, answer: Answer) -> int:
    try:
        if answer.stream is not None:
            answer.body, answer.stream = b"".join([piece async for piece in answer.stream]), None
        payload = payload_of(question, answer)
    except Failed as failed:
        return await api.fail(invocation, failed.kind, str(failed))
    except Exception as error:  # noqa: BLE001 - whatever the stream broke on, the caller is told
        _log.exception("a streamed answer broke")
        return await api.fail(invocation, "Function.StreamBroken", str(error))
    return await api.respond(invocation, payload)


async def _pieces(question: Question, answer: Answer) -> AsyncIterator[bytes]:
    empty = not answer.body
    try:
        if question.is_http:
            yield prelude_of(answer)
        if answer.stream is None:
            yield answer.body
        else:
            async for piece in answer.stream:
                empty = empty and not piece
                yield piece
        if empty and question.is_http:
            yield _LEAST_BODY
    finally:
        answer.drop()
