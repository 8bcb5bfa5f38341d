"""The lists of what is to be taken away, as the construct writes them into a function's environment."""

import json
from typing import Any

from mlplatform_cdk.runtimekit import settings

VARIABLE = "TAKES_AWAY"


def targets() -> dict[str, Any]:
    """What is to be taken away, by kind."""
    found: dict[str, Any] = json.loads(settings.required(VARIABLE))
    return found
