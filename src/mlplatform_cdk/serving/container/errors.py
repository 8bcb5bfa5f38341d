"""What can be wrong with a request, each with its HTTP status."""

from http import HTTPStatus


class RequestError(Exception):
    """A request that cannot be answered; its text is the one sentence that the caller gets.

    :param sentence: what must hold, and what came.
    :param headers: what the answer's head says beside that; default: nothing.
    """

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, sentence: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(sentence)
        self.headers = headers


class UnsupportedContentType(RequestError):
    """A body in a format that this model does not read."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class NotAcceptable(RequestError):
    """An answer wanted in a format that this container does not write."""

    status = HTTPStatus.NOT_ACCEPTABLE


class NotFound(RequestError):
    """A path, or a model, that is not here."""

    status = HTTPStatus.NOT_FOUND


class MethodNotAllowed(RequestError):
    """The right path with the wrong method.

    :param sentence: what must hold, and what came.
    :param allowed: the methods that the path takes.
    """

    status = HTTPStatus.METHOD_NOT_ALLOWED

    def __init__(self, sentence: str, allowed: tuple[str, ...]) -> None:
        super().__init__(sentence, (("Allow", ", ".join(allowed)),))


class ClientTooSlow(RequestError):
    """A request that did not arrive whole in time."""

    status = HTTPStatus.REQUEST_TIMEOUT


class Conflict(RequestError):
    """What was asked is so already, such as a model that is loaded."""

    status = HTTPStatus.CONFLICT


class BodyTooLarge(RequestError):
    """A body over the limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UrlTooLong(RequestError):
    """A first line over the limit."""

    status = HTTPStatus.REQUEST_URI_TOO_LONG


class HeadersTooLarge(RequestError):
    """Headers over the limit."""

    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


class TooManyRequests(RequestError):
    """A request that would wait too long; it costs the container nothing to say so at once.

    :param sentence: what must hold, and what came.
    :param retry_after_s: when to try again, in whole seconds; default: 1.
    """

    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, sentence: str, retry_after_s: int = 1) -> None:
        super().__init__(sentence, (("Retry-After", str(retry_after_s)),))


class ModelFailed(RequestError):
    """A request on which the model broke; the log has the reason under the id that the sentence names."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


class NotReady(RequestError):
    """A request before the model is loaded and proved, or while the container shuts down."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class DeadlineExceeded(RequestError):
    """A request whose deadline passed before the model could begin; the model never saw it."""

    status = HTTPStatus.GATEWAY_TIMEOUT


class LoadTooSlow(RequestError):
    """A model whose load does not end.

    Not 507, as for a lack of memory: SageMaker would unload models that can do nothing for it.
    """

    status = HTTPStatus.GATEWAY_TIMEOUT


class NotEnoughMemory(RequestError):
    """A model for which there is no room, even after others were unloaded."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
