"""What failed at a station, from what Step Functions caught. Pure."""

import json
from collections.abc import Mapping
from typing import Any

_LONGEST = 500


def sentence_of(caught: Mapping[str, Any]) -> str:
    """One sentence of the ``{"Error", "Cause"}`` that was caught, under the name of its step where it has one."""
    step, error = next(iter(caught.items())) if "Error" not in caught else ("", caught)
    name, cause = str(error.get("Error", "")), str(error.get("Cause", ""))
    if name == "States.Timeout":
        return f"{step or 'it'} must end within its time limit, and did not"
    try:
        value = json.loads(cause)
    except ValueError:
        value = cause
    text = value["errorMessage"] if isinstance(value, dict) and "errorMessage" in value else cause
    return " ".join(str(text).split())[:_LONGEST] or f"{step or 'it'} failed with {name or 'an unknown error'}"
