"""Takes answers apart into named values, whatever their format, so that two models' answers can be compared. Pure."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

Value = float | str
_CSV = "text/csv"
_WHOLE = "answer"  # the name of an answer that has no outputs by name


class UnreadableAnswer(ValueError):
    """An answer that is not of the format that it says it has."""


def values_of(body: bytes, content_type: str) -> dict[str, list[Value]]:
    """The answer's values by output: numbers as they are, all else as text.

    :param body: the answer.
    :param content_type: its format; JSON and CSV are read, and of any other the digest is the one value.
    :raises UnreadableAnswer: when it is not of this format.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind.endswith("json"):
            return _of_json(json.loads(body))
        if kind == _CSV:
            rows = csv.reader(io.StringIO(body.decode()))
            return {_WHOLE: [_cell(cell) for row in rows for cell in row]}
    except ValueError as error:
        raise UnreadableAnswer(f"the answer must be {kind}, got {body[:80]!r} ({error})") from None
    return {_WHOLE: [hashlib.sha256(body).hexdigest()]}


def _of_json(answer: Any) -> dict[str, list[Value]]:
    outputs = answer.get("outputs") if isinstance(answer, Mapping) else None
    if not isinstance(outputs, Mapping):
        return {_WHOLE: [*_flat(answer)]}
    named = {str(name): [*_flat(value)] for name, value in outputs.items()}
    return named | ({"labels": [*_flat(answer["labels"])]} if "labels" in answer else {})


def _flat(value: Any) -> Iterator[Value]:
    if isinstance(value, Mapping):
        for name in sorted(value):
            yield from _flat(value[name])
    elif isinstance(value, list):
        for one in value:
            yield from _flat(one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)
    else:
        yield str(value)


def _cell(text: str) -> Value:
    try:
        return float(text)
    except ValueError:
        return text
