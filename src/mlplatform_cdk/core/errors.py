"""Mistakes refused while the app is being built, in one sentence."""

from aws_cdk import Token
from constructs import IConstruct


class ConfigurationError(ValueError):
    """Arguments that could never deploy: ``[path/of/construct] what must hold, got what came; what to do``."""

    def __init__(self, scope: IConstruct, problem: str) -> None:
        super().__init__(f"[{scope.node.path}] {problem}")


def is_known(value: object) -> bool:
    """False for a token: its value exists only at deploy time, so it cannot be checked now."""
    return not Token.is_unresolved(value)
