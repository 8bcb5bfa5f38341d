"""The one name that a new app is told by: in its stacks, parameters, endpoint and model package group."""

import re
from dataclasses import dataclass

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# SageMaker gives an endpoint's name 63 characters; SageMaker's jobs and our suffixes take their share.
_LONGEST = 32
# https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
_RESERVED = ("aws", "ssm")
_OURS = "mlplatform-cdk"


@dataclass(frozen=True, slots=True)
class AppName:
    """Lower-case words with hyphens, such as ``churn`` or ``credit-risk``."""

    text: str

    def __post_init__(self) -> None:
        """Refuse a name that some AWS service would refuse later."""
        if not _NAME.fullmatch(self.text) or len(self.text) > _LONGEST:
            raise ValueError(
                f"the name must be lower-case letters, digits and single hyphens, begin with a letter and have at most "
                f"{_LONGEST} characters, got {self.text!r}; try {self._suggestion()!r}"
            )
        if self.text.startswith(_RESERVED):
            raise ValueError(
                f"the name must not begin with 'aws' or 'ssm', which SSM keeps its parameters from, got {self.text!r}"
            )
        if self.text == _OURS:
            raise ValueError(f"the name must not be that of this library, got {self.text!r}")

    @property
    def pascal(self) -> str:
        """``CreditRisk`` of ``credit-risk``: how its stages begin."""
        return "".join(word.capitalize() for word in self.text.split("-"))

    def _suggestion(self) -> str:
        words = re.findall(r"[a-z0-9]+", re.sub(r"([a-z0-9])([A-Z])", r"\1-\2", self.text).lower())
        return "-".join(words).lstrip("0123456789-")[:_LONGEST].rstrip("-") or "churn"
