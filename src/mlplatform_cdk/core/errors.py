"""Mistakes refused while the app is being built, in one sentence."""

import re

from aws_cdk import Token
from constructs import IConstruct

# How CDK writes a token in a string, and one for a number: https://docs.aws.amazon.com/cdk/v2/guide/tokens.html
_TOKEN = re.compile(r"\$\{Token\[[a-zA-Z0-9:._-]+\]\}|-1\.\d{10,16}e\+289")


class ConfigurationError(ValueError):
    """Arguments that could never deploy: ``[path/of/construct] what must hold, got what came; what to do``."""

    def __init__(self, scope: IConstruct, problem: str) -> None:
        super().__init__(f"[{scope.node.path}] {problem}")


def is_known(value: object) -> bool:
    """False for a token: its value exists only at deploy time, so it cannot be checked now."""
    if isinstance(value, str):
        return _TOKEN.search(value) is None  # as CDK itself looks, without a message to Node
    return not Token.is_unresolved(value)


def told(value: object) -> str:
    """``value`` as an error names it: a token in words, since what stands for one tells a reader nothing."""
    return repr(value) if is_known(value) else "a token, which only the deployment knows: give the value itself"
