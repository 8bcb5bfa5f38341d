"""What can be wrong with a request, each with its HTTP status."""

from http import HTTPStatus


class RequestError(Exception):
    """A request that cannot be answered; its text is the one sentence that the caller gets."""

    status = HTTPStatus.BAD_REQUEST


class UnsupportedContentType(RequestError):
    """A body in a format that this model does not read."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE


class NotAcceptable(RequestError):
    """An answer wanted in a format that this container does not write."""

    status = HTTPStatus.NOT_ACCEPTABLE


class NotFound(RequestError):
    """A path that is neither ``/ping`` nor ``/invocations``."""

    status = HTTPStatus.NOT_FOUND


class MethodNotAllowed(RequestError):
    """The right path with the wrong method."""

    status = HTTPStatus.METHOD_NOT_ALLOWED


class LengthRequired(RequestError):
    """A body whose length is not told beforehand."""

    status = HTTPStatus.LENGTH_REQUIRED


class BodyTooLarge(RequestError):
    """A body over the limit."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class NotReady(RequestError):
    """A request before the model is loaded and proved, or while the container shuts down."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
