"""Texts of a template with their references filled in: with AWS's own values where they are known, else with a mark.

A mark says that only a deployment knows the value, so that no check judges it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.check.loose import mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPEN, _CLOSE = "\ue000", "\ue001"  # private use: no template holds them
_MARK = re.compile(f"{_OPEN}[^{_CLOSE}]*{_CLOSE}")
_ARNS = {
    "AWS::DynamoDB::Table": "arn:{partition}:dynamodb:{region}:{account}:table/{name}",
    "AWS::IAM::Role": "arn:{partition}:iam::{account}:role/{name}",
    "AWS::KMS::Key": "arn:{partition}:kms:{region}:{account}:key/{name}",
    "AWS::Lambda::Function": "arn:{partition}:lambda:{region}:{account}:function:{name}",
    "AWS::S3::Bucket": "arn:{partition}:s3:::{name}",
    "AWS::SNS::Topic": "arn:{partition}:sns:{region}:{account}:{name}",
    "AWS::SQS::Queue": "arn:{partition}:sqs:{region}:{account}:{name}",
    "AWS::StepFunctions::StateMachine": "arn:{partition}:states:{region}:{account}:stateMachine:{name}",
}
_REF_IS_ARN = {"AWS::SNS::Topic", "AWS::StepFunctions::StateMachine"}


def mark(name: str) -> str:
    """A value that only a deployment knows, called ``name`` for the reader."""
    return f"{_OPEN}{name}{_CLOSE}"


def is_marked(value: object) -> bool:
    """Whether a part of ``value`` is unknown before a deployment."""
    return isinstance(value, str) and _OPEN in value


def is_mark(value: object) -> bool:
    """Whether all of ``value`` is unknown, its type too."""
    return isinstance(value, str) and _MARK.fullmatch(value) is not None


def unmarked(text: str) -> str:
    """``text`` for a reader: names in place of marks."""
    return text.replace(_OPEN, "").replace(_CLOSE, "")


def marks(text: str) -> list[str]:
    """What the marks in ``text`` are called."""
    return [unmarked(one) for one in _MARK.findall(text)]


def quoted_marks(text: str) -> str:
    """JSON in which a mark stands where a number or a flag would, made parsable."""
    parts: list[str] = []
    inside = False
    for part in re.split(rf'(\\.|"|{_MARK.pattern})', text, flags=re.DOTALL):
        inside ^= part == '"'
        parts.append(f'"{part}"' if not inside and _MARK.fullmatch(part) else part)
    return "".join(parts)


@dataclass(frozen=True)
class References:
    """Fills in what a template's intrinsic functions refer to."""

    template: Mapping[str, Any]
    account: str = "123456789012"
    region: str = "us-east-1"
    partition: str = "aws"

    def text(self, value: Any) -> str:
        """``value`` as one text."""
        if isinstance(value, dict):
            return self._intrinsic(value)
        return str(value).lower() if isinstance(value, bool) else str(value)

    def _intrinsic(self, value: Mapping[str, Any]) -> str:
        match value:
            case {"Fn::Join": [str() as delimiter, [*parts]]}:
                return delimiter.join(self.text(part) for part in parts)
            case {"Fn::Sub": str() as text}:
                return self._substituted(text, {})
            case {"Fn::Sub": [str() as text, dict() as variables]}:
                return self._substituted(text, variables)
            case {"Ref": str() as name}:
                return self._ref(name)
            case {"Fn::GetAtt": [str() as name, str() as attribute]}:
                return self._attribute(name, attribute)
        return mark("a value of the deployment")

    def _substituted(self, text: str, variables: Mapping[str, Any]) -> str:
        def replaced(found: re.Match[str]) -> str:
            name = found[1].strip()
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in variables:
                return self.text(variables[name])
            resource, dot, attribute = name.partition(".")
            return self._attribute(resource, attribute) if dot else self._ref(name)

        return re.sub(r"\$\{([^}]*)\}", replaced, text)

    def _ref(self, name: str) -> str:
        pseudo = {
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::AccountId": self.account,
            "AWS::URLSuffix": "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        kind = self._type(name)
        return self.arn(kind, mark(name)) if kind in _REF_IS_ARN else mark(name)

    def _attribute(self, name: str, attribute: str) -> str:
        kind = self._type(name)
        return self.arn(kind, mark(name)) if attribute == "Arn" and kind in _ARNS else mark(f"{name}.{attribute}")

    def arn(self, kind: str, name: str) -> str:
        """The ARN of the resource called ``name``, which may be a mark, in this account and region."""
        return _ARNS[kind].format(partition=self.partition, account=self.account, region=self.region, name=name)

    def _type(self, name: str) -> str:
        return str(mapping(mapping(self.template.get("Resources")).get(name)).get("Type", ""))
