"""cfn-lint over templates one by one: its rules are made once a process, as its own command does for many templates."""

from functools import cache
from pathlib import Path

from cfnlint.config import ConfigMixIn
from cfnlint.rules import Rules
from cfnlint.runner import Runner


def findings(template: Path, region: str = "us-east-1") -> list[str]:
    """What cfn-lint says of ``template`` in ``region``."""
    return [str(match) for match in _Linter(ConfigMixIn(["--template", str(template)], regions=[region])).run()]


class _Linter(Runner):
    def _get_rules(self) -> None:
        self.rules = _rules()


@cache
def _rules() -> Rules:
    """Reading what they know takes a quarter of a second."""
    return Runner(ConfigMixIn([])).rules
