"""Strings with values that exist only at deploy time, in one form: text with ``${...}`` marks, as in Fn::Sub.

Fn::Join, Fn::Sub and plain text that say the same become the same string; a literal account id, region, partition or
stack name becomes the pseudo parameter that holds it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SUB = re.compile(r"\$\{(!?)([^{}]*)\}")
_PARTITIONS = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
_MARK = re.compile("\ue000(\\d+)\ue001")


@dataclass(frozen=True, slots=True)
class Token:
    """A value of deploy time inside a text; ``text`` is its mark."""

    text: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands for the pseudo parameters in one stack."""

    account: str | None
    region: str | None
    stack_name: str

    @property
    def partition(self) -> str | None:
        """The partition of the region, where that is known."""
        if self.region is None:
            return None
        for prefix, partition in _PARTITIONS.items():
            if self.region.startswith(prefix):
                return partition
        return "aws"

    @property
    def url_suffix(self) -> str:
        """The partition's domain."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    def generalized(self, literal: str) -> str:
        """The literal with pseudo parameters in the place of what they would be."""
        text = literal.replace("${", "${!")
        if self.partition:
            text = re.sub(rf"\barn:{self.partition}:", "arn:${AWS::Partition}:", text)
        for value, name in ((self.account, "AccountId"), (self.region, "Region")):
            if value:
                text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(value)}(?![0-9])", f"${{AWS::{name}}}", text)
        return re.sub(rf"(?<![\w-]){re.escape(self.stack_name)}(?![\w-])", "${AWS::StackName}", text)


Part = str | Token


def merged(parts: Sequence[Part]) -> list[Part]:
    """Neighbouring literals as one."""
    result: list[Part] = []
    for part in parts:
        if isinstance(part, str) and result and isinstance(result[-1], str):
            result[-1] += part
        elif part != "":
            result.append(part)
    return result


def flat(parts: Sequence[Part], surroundings: Surroundings) -> str:
    """The one form of a text."""
    return "".join(part.text if isinstance(part, Token) else surroundings.generalized(part) for part in merged(parts))


def of_sub(template: str, resolve: Callable[[str], Sequence[Part]]) -> list[Part]:
    """The parts of an Fn::Sub's text; ``resolve`` tells what a name stands for."""
    parts: list[Part] = []
    position = 0
    for match in _SUB.finditer(template):
        parts.append(template[position : match.start()])
        parts.extend([f"${{{match[2]}}}"] if match[1] else resolve(match[2].strip()))
        position = match.end()
    return [*parts, template[position:]]


def document(parts: Sequence[Part], surroundings: Surroundings) -> Any | None:
    """The JSON that a text holds, its strings in one form; None where it holds none."""
    first = next(iter(merged(parts)), "")
    if not isinstance(first, str) or not first.lstrip().startswith(("{", "[")):
        return None
    tokens: list[Token] = []
    text = ""
    for part in merged(parts):
        if isinstance(part, Token):
            mark = f"\ue000{len(tokens)}\ue001"
            tokens.append(part)
            text += mark if _inside_a_string(text) else json.dumps(mark, ensure_ascii=False)
        else:
            text += part
    try:
        parsed = json.loads(text)
    except ValueError:
        return None
    return _restored(parsed, tokens, surroundings)


def _inside_a_string(text: str) -> bool:
    return re.sub(r"\\.", "", text, flags=re.DOTALL).count('"') % 2 == 1


def _restored(value: Any, tokens: list[Token], surroundings: Surroundings) -> Any:
    if isinstance(value, dict):
        return {
            str(_restored(name, tokens, surroundings)): _restored(member, tokens, surroundings)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_restored(member, tokens, surroundings) for member in value]
    if not isinstance(value, str):
        return value
    pieces = _MARK.split(value)
    parts: list[Part] = [
        tokens[int(piece)] if index % 2 else piece for index, piece in enumerate(pieces) if piece or index % 2
    ]
    return flat(parts, surroundings)
