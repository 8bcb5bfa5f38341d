"""What the container answers, apart from how HTTP carries it: ready or not, a prediction, or why there is none."""

import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.serving.container import codecs
from mlplatform_cdk.serving.container.errors import NotReady, RequestError
from mlplatform_cdk.serving.container.model import Model

_log = logs.logger("serving")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body and its format."""

    status: HTTPStatus
    body: bytes = b""
    content_type: str = codecs.JSON


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
