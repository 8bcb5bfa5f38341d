"""What ``InvokeEndpoint`` says with 400 as of a wrong request, though its own region is at fault."""

import json
import re

# As AWS says it of an endpoint that was deleted, failed, or is not there yet.
_GONE = re.compile(r"Endpoint \S+ of account \S+ not found")
_TOO_FAST = "Rate exceeded"


def is_gone(message: str) -> bool:
    """Whether a ``ValidationError`` says that there is no endpoint of that name.

    :param message: of the error.
    """
    return _GONE.match(message) is not None


def is_throttled(body: bytes) -> bool:
    """Whether an error of status 400 says that the endpoint has too much to do.

    SageMaker's ``ThrottlingException`` has that status, and its message may be null:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html
    https://github.com/opensearch-project/ml-commons/issues/2429

    :param body: of the answer.
    """
    return _message(body) in (None, _TOO_FAST)


def is_regions_own(body: bytes) -> bool:
    """Whether an error of status 400 is the region's: its endpoint is gone, or throttled.

    :param body: of the answer.
    """
    return is_throttled(body) or is_gone(_message(body) or "")


def _message(body: bytes) -> str | None:
    """The message; None where it is null; empty where there is none."""
    try:
        said = json.loads(body)
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    message = said.get("message", said.get("Message", ""))
    return message if message is None else str(message)
