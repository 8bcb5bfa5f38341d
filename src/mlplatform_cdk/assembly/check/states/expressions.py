"""Values that only a run of a state machine knows: paths, intrinsic functions, JSONata."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

_INTRINSIC = re.compile(
    r"States\.(?:Array|ArrayContains|ArrayGetItem|ArrayLength|ArrayPartition|ArrayRange|ArrayUnique|Base64Decode"
    r"|Base64Encode|Format|Hash|JsonMerge|JsonToString|MathAdd|MathRandom|StringSplit|StringToJson|UUID)\(.*\)",
    re.DOTALL,
)
# Such as $.a, $$.Execution.Id, $.a[*].b, $.a..b, $['a b'] and the variable $name.a
_PATH = re.compile(r"\$\$?[\w-]*(?:\.{1,2}(?:[\w-]+|\*)|\[[^\]]+\])*")
_TEXT_INTRINSICS = ("States.Format", "States.JsonToString", "States.Base64", "States.Hash", "States.UUID")


def problem_of_dynamic(expression: object, kind: str) -> str | None:
    """What is wrong with the value of a ``.$`` parameter, where a value of ``kind`` is expected."""
    if not isinstance(expression, str) or not (_PATH.fullmatch(expression) or _INTRINSIC.fullmatch(expression)):
        return f"must be a path or an intrinsic function, got {expression!r}"
    unquoted = re.sub(r"'(?:\\.|[^'\\])*'", "", expression)
    if "'" in unquoted or unquoted.count("(") != unquoted.count(")"):
        return f"must have its quotes and parentheses closed, got {expression!r}"
    if expression.startswith(_TEXT_INTRINSICS) and kind not in {"string", "blob", "any", "timestamp"}:
        return f"must be of type {kind}, got a text from {expression!r}"
    return None


def is_jsonata(value: object) -> bool:
    """Whether ``value`` is a JSONata expression."""
    return isinstance(value, str) and value.startswith("{%") and value.endswith("%}")


def problems_of_template(value: object, where: str) -> Iterator[str]:
    """Broken expressions inside ``value``, and paths that would be passed on as plain text."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            problem = problem_of_dynamic(item, "any") if key.endswith(".$") else None
            if problem:
                yield f"{where}.{key} {problem}"
            elif not key.endswith(".$"):
                yield from problems_of_template(item, f"{where}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from problems_of_template(item, f"{where}[{index}]")
    elif isinstance(value, str) and (value.startswith("$.") or _INTRINSIC.fullmatch(value)):
        yield f"{where} looks like a path, {json.dumps(value)}, but its key does not end with '.$'"
