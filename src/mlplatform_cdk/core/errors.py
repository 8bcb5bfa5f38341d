"""Mistakes refused while the app is being built, in one sentence."""

from aws_cdk import Token
from constructs import IConstruct

# With what CDK marks a token in a string: https://docs.aws.amazon.com/cdk/v2/guide/tokens.html
_MARK = "${Token["


class ConfigurationError(ValueError):
    """Arguments that could never deploy: ``[path/of/construct] what must hold, got what came; what to do``."""

    def __init__(self, scope: IConstruct, problem: str) -> None:
        super().__init__(f"[{scope.node.path}] {problem}")


def is_known(value: object) -> bool:
    """False for a token: its value exists only at deploy time, so it cannot be checked now."""
    if isinstance(value, str) and _MARK not in value:
        return True  # without a question to Node
    return not Token.is_unresolved(value)
