"""State machines: what Step Functions would refuse only when a state runs."""

from mlplatform_cdk.assembly.check.states.definitions import definitions
from mlplatform_cdk.assembly.check.states.machine import Problem, needed_actions, problems

__all__ = ["Problem", "definitions", "needed_actions", "problems"]
