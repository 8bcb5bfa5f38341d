"""Requests that the platform asks by itself, such as golden ones: marked, so that nobody takes them for callers'.

SageMaker's data capture keeps the mark as ``inferenceId``; the container's own capture does, too.
"""

import uuid

PREFIX = "mlplatform-own-"


def new_id() -> str:
    """An inference id of one such request."""
    return f"{PREFIX}{uuid.uuid4().hex}"


def is_own(inference_id: str | None) -> bool:
    """Was a request with this inference id asked by the platform.

    :param inference_id: of the request; None or empty: it had none.
    """
    return (inference_id or "").startswith(PREFIX)
