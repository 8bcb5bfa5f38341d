"""What failed, and why, from what Step Functions caught. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# The SDK's own additions to what a service said: "... (Service: SageMaker, Status Code: 400, Request ID: ...)"
_SDK_SUFFIX = re.compile(r"\s*\((?:Service|SDK Attempt Count): [^)]*\)")

_LATE = {"AskPerson": "a person must answer within the gate's time, and nobody did"}


@dataclass(frozen=True, slots=True)
class Failure:
    """A step of the machine, one sentence, and the name of the error.

    An execution that was stopped from outside has failed at no step of its own: its error, such as
    ``Release.RolledBack``, takes the step's place.
    """

    step: str
    reason: str
    error: str = ""


def failure_of(caught: Mapping[str, Mapping[str, Any]]) -> Failure:
    """The failure in ``caught``: the ``{"Error", "Cause"}`` that was caught, under the name of its step."""
    step, error = next(iter(caught.items()))
    name, cause = str(error.get("Error", "")), str(error.get("Cause", ""))
    if name == "States.Timeout":
        return Failure(step, _LATE.get(step, f"{step} must finish within its time limit, and did not"), name)
    text = _SDK_SUFFIX.sub("", _message(cause))
    reason = " ".join(text.split()) or f"{step} failed with {name or 'an unknown error'} and gave no reason"
    return Failure(step, reason, name)


def _message(cause: str) -> str:
    """A function's cause is its error as JSON, a call's is text."""
    try:
        value = json.loads(cause)
    except ValueError:
        return cause
    return str(value["errorMessage"]) if isinstance(value, dict) and "errorMessage" in value else cause
