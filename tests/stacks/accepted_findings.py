"""Findings of cfn-lint that stay: one list, each with its reason, reviewed like code."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Accepted:
    rule: str
    message: str
    reason: str

    def covers(self, rule: str, message: str) -> bool:
        return rule == self.rule and re.fullmatch(self.message, message) is not None


ACCEPTED = (
    Accepted(
        "W3005",
        r"'\w+' dependency already enforced by a 'GetAtt' at 'Resources/\w+/Properties/Role(Arn)?'",
        "CDK orders functions and state machines after their role twice; harmless, and CDK offers no way out",
    ),
)
