"""Questions and answers, as HTTP, Lambda and tests share them, and errors as answers."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.serving.container.errors import ModelFailed, RequestError

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.streaming import Pieces

JSON = "application/json"
_log = logs.logger("serving")


@dataclass(slots=True)
class Request:
    """A question as any carrier brings it: HTTP, Lambda or a test.

    :param method: such as ``POST``.
    :param path: without a query.
    :param headers: names in lower case.
    :param body: the whole body.
    :param arrived: when it came, as ``time.perf_counter`` says it.
    :param query: what follows the path's question mark; default: nothing.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    arrived: float
    query: str = ""


@dataclass(slots=True)
class Answer:
    """What goes back.

    :param status: the HTTP status.
    :param body: the whole body; empty where there is a ``stream``.
    :param content_type: the body's format.
    :param headers: what the head says beside type and length.
    :param stream: the body piece by piece; default: none, the body is whole.
    :param run_id: of the model that gave it, where the container has many; default: none.
    """

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    stream: "Pieces | None" = None
    run_id: str = ""

    def drop(self) -> None:
        """Let go of an answer that nobody takes."""
        if self.stream is not None:
            self.stream.close()


Reply = Callable[[Answer], None]


def problem(error: RequestError) -> Answer:
    """An error as the caller gets it: ``{"error": sentence}``."""
    return Answer(
        int(error.status), orjson.dumps({"error": str(error).encode(errors="replace").decode()}), JSON, error.headers
    )


def known(error: BaseException, fields: Mapping[str, str] | None = None) -> RequestError:
    """``error`` where it is for the caller; any other is logged under an id, which is all that the caller gets.

    :param error: what happened.
    :param fields: what the log says of the request beside that; default: nothing.
    """
    if isinstance(error, RequestError):
        return error
    request_id = secrets.token_hex(16)
    _log.error("request failed", exc_info=error, extra={"request_id": request_id, **(fields or {})})
    return ModelFailed(f"the model failed on this request; the log has the reason under the request id {request_id}")
