"""What the container answers, apart from how HTTP carries it: ready or not, a prediction, or why there is none."""

import json
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.serving.container import codecs
from mlplatform_cdk.serving.container.errors import NotReady, RequestError
from mlplatform_cdk.serving.container.model import Model

_log = logs.logger("serving")


@dataclass(slots=True)
class Request:
    """A question as any carrier brings it: HTTP, Lambda or a test.

    :param method: such as ``POST``.
    :param path: without a query.
    :param headers: names in lower case.
    :param body: the whole body.
    :param arrived: when it came, as ``time.perf_counter`` says it.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    arrived: float


@dataclass(slots=True)
class Answer:
    """What goes back.

    :param status: the HTTP status.
    :param body: the whole body; empty where there is a ``stream``.
    :param content_type: the body's format.
    :param headers: what the head says beside type and length.
    :param stream: the body piece by piece; default: none, the body is whole.
    """

    status: int
    body: bytes = b""
    content_type: str = codecs.JSON
    headers: tuple[tuple[str, str], ...] = ()
    stream: AsyncIterator[bytes] | None = None


class Service:
    """Answers requests once a model is in place."""

    def __init__(self) -> None:
        self._model: Model | None = None
        self._draining = threading.Event()

    def serve(self, model: Model) -> None:
        """From now on, answer with ``model``."""
        self._model = model

    def drain(self) -> None:
        """From now on, be no longer ready; requests that still arrive are answered."""
        self._draining.set()

    @property
    def draining(self) -> bool:
        """Whether the container shuts down."""
        return self._draining.is_set()

    def ping(self) -> Answer:
        """200 once the model is proved, 503 before and while shutting down."""
        if self._model is None or self.draining:
            raise NotReady("the model must be loaded and proved first, got a container that is not ready")
        return Answer(HTTPStatus.OK)

    def handle(self, request: Request, reply: Callable[[Answer], None]) -> None:
        """Answer ``request``, once, on the event loop's thread; this never blocks.

        :param request: what is asked.
        :param reply: takes the answer, at once or later.
        """
        headers = request.headers
        reply(guarded(lambda: self.invoke(request.body, headers.get("content-type", ""), headers.get("accept", ""))))

    def invoke(self, body: bytes, content_type: str, accept: str) -> Answer:
        """The model's answer to ``body``.

        :param body: one or many rows.
        :param content_type: the body's format.
        :param accept: the format wanted for the answer.
        """
        model = self._model
        if model is None:
            raise NotReady("the model must be loaded and proved first, got a container that is not ready")
        kind = codecs.answer_type(accept)
        outputs = model.run(codecs.decode(body, content_type, model.manifest))
        return Answer(HTTPStatus.OK, codecs.encode(outputs, kind, model.manifest), kind)


def guarded(respond: Callable[[], Answer]) -> Answer:
    """What ``respond`` gives, or its error as an answer: ours as its sentence, any other as 500 with a request id."""
    try:
        return respond()
    except RequestError as error:
        return problem(error.status, str(error))
    except (ConnectionError, TimeoutError):
        raise  # the caller is gone or silent; there is nobody to answer
    except Exception:  # noqa: BLE001 - one request must not end the server
        request_id = uuid.uuid4().hex
        _log.exception("request failed", extra={"request_id": request_id})
        sentence = f"the model failed on this request; the log has the reason under the request id {request_id}"
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, sentence)


def problem(status: HTTPStatus, sentence: str) -> Answer:
    """An error as the caller gets it: ``{"error": sentence}``."""
    return Answer(status, json.dumps({"error": sentence}).encode())
