"""One sentence from whatever Step Functions caught. Pure.

A failed job's cause is the job's description as JSON, a function's is its error as JSON, a call's is plain text.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LONGEST = 2000
_ALGORITHM_ERROR = re.compile(r"^AlgorithmError: (?P<sentence>.*?)(?:,? exit code: \d+)?$", re.DOTALL)
_JOB_NAMES = ("TrainingJobName", "ProcessingJobName")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which step failed (or that the model was refused), and why."""

    error: str
    cause: str


def explain(failure: Mapping[str, Mapping[str, Any]]) -> Explanation:
    """The explanation of ``failure``: the caught ``{"Error", "Cause"}`` under the name of the step."""
    step, caught = next(iter(failure.items()))
    error = str(caught.get("Error", ""))
    text = _sentence(_decoded(caught.get("Cause", ""))) or _without_cause(step, error)
    sentence = " ".join(text.split())
    return Explanation(step, sentence if len(sentence) <= _LONGEST else f"{sentence[: _LONGEST - 1]}…")


def _decoded(cause: object) -> object:
    try:
        return json.loads(cause) if isinstance(cause, str) else cause
    except ValueError:
        return cause


def _sentence(cause: object) -> str:
    if isinstance(cause, list):
        return "; ".join(map(str, cause))
    if not isinstance(cause, dict):
        return str(cause)
    if "errorMessage" in cause:
        return str(cause["errorMessage"])
    reason = cause.get("ExitMessage") or cause.get("FailureReason")
    if reason:
        match = _ALGORITHM_ERROR.match(str(reason))
        return match["sentence"] if match else str(reason)
    return _unexplained_job(cause)


def _unexplained_job(cause: Mapping[str, Any]) -> str:
    """A job that was stopped has no reason of its own."""
    for name in _JOB_NAMES:
        if name in cause:
            status = str(cause.get(name.replace("Name", "Status"), "Failed")).lower()
            return f"the job {cause[name]} was {status} and gave no reason; its log stream has the name of the job"
    return json.dumps(cause)


def _without_cause(step: str, error: str) -> str:
    if error == "States.Timeout":
        return f"{step} must finish within its time limit, and did not"
    return f"{step} failed with {error or 'an unknown error'} and gave no reason"
