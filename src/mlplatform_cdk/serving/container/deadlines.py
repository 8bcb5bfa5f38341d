"""When an answer is too late: the caller says it per request, or the model's latency budget does."""

import re
from collections.abc import Mapping

from mlplatform_cdk.serving.container.errors import RequestError

HEADER = "x-request-deadline-ms"
ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
BUDGET_SHARE = 0.9  # of the latency budget: the rest is for the way through sockets
_TOLD = re.compile(r"(?:^|[,;\s])(?:x-request-)?deadline-ms\s*=\s*([^,;\s]*)", re.IGNORECASE)
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")  # Python itself reads more: 1_000
_LONGEST_MS = 3_600_000


def allowed_seconds(headers: Mapping[str, str], default: float) -> float:
    """How long after its arrival the request must be answered.

    :param headers: ``X-Request-Deadline-Ms: 50``, or ``deadline-ms=50`` among SageMaker's custom attributes.
    :param default: what holds where neither is there, in seconds.
    :raises RequestError: when what is there is no number of milliseconds.
    """
    text = headers.get(HEADER)
    if text is None:
        attributes = headers.get(ATTRIBUTES)
        found = _TOLD.search(attributes) if attributes else None
        if found is None:
            return default
        text = found[1]
    milliseconds = float(text) if _NUMBER.fullmatch(text) else 0.0
    if not 0 < milliseconds <= _LONGEST_MS:
        raise RequestError(
            f"the deadline must be a number of milliseconds, more than 0 and at most {_LONGEST_MS}, got {text[:40]!r}"
        )
    return milliseconds / 1000
