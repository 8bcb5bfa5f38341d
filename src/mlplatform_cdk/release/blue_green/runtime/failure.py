"""What failed, and why, from what Step Functions caught. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The SDK's own additions to what a service said: "... (Service: SageMaker, Status Code: 400, Request ID: ...)"
_SDK_SUFFIX = re.compile(r"\s*\((?:Service|SDK Attempt Count): [^)]*\)")


@dataclass(frozen=True, slots=True)
class Failure:
    """A step of the machine, and one sentence."""

    step: str
    reason: str


def failure_of(caught: Mapping[str, Mapping[str, Any]]) -> Failure:
    """The failure in ``caught``: the ``{"Error", "Cause"}`` that was caught, under the name of its step."""
    step, error = next(iter(caught.items()))
    name, cause = str(error.get("Error", "")), str(error.get("Cause", ""))
    if name == "States.Timeout":
        return Failure(step, f"{step} must finish within its time limit, and did not")
    text = _SDK_SUFFIX.sub("", _message(cause))
    return Failure(
        step, " ".join(text.split()) or f"{step} failed with {name or 'an unknown error'} and gave no reason"
    )


def _message(cause: str) -> str:
    """A function's cause is its error as JSON, a call's is text."""
    try:
        value = json.loads(cause)
    except ValueError:
        return cause
    return str(value["errorMessage"]) if isinstance(value, dict) and "errorMessage" in value else cause
