"""The product's own check of state machines, with its problems as sentences."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.assembly.check import states

needed_actions = states.needed_actions


def problems(definition: Mapping[str, Any]) -> list[str]:
    """What is wrong with ``definition``, one sentence each, the state's name in front."""
    return [str(problem) for problem in states.problems(definition)]
