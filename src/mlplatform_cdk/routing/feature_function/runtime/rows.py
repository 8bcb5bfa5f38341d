"""Rows of features by their keys, from this region's copy of the table."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlplatform_cdk.routing.feature_function.runtime import tables
from mlplatform_cdk.routing.feature_function.runtime.reply import Refused

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
_MOST = 100
_TRIES = 5
_PAUSE_S = 0.02


def read(keys: Sequence[Any], seconds_left: Callable[[], float]) -> dict[Any, dict[str, Any] | None]:
    """The row of each key, or None where there is none.

    :param keys: texts, or pairs of texts where rows have a sort key.
    :param seconds_left: until the request must be answered.
    :raises Refused: where they are more than one read takes, or the table does not answer for all of them.
    """
    wanted = [*dict.fromkeys(keys)]
    if not wanted:
        return {}
    if len(wanted) > _MOST:
        raise Refused(400, f"a request may need {_MOST} rows, this one needs {len(wanted)}")
    names = os.environ["FEATURE_KEYS"].split()
    found = _found([dict(zip(names, _texts(key), strict=True)) for key in wanted], seconds_left)
    by_key = {tuple(row[name] for name in names): row for row in found}
    return {key: by_key.get(tuple(_texts(key))) for key in wanted}


def _texts(key: Any) -> Sequence[str]:
    return [key] if isinstance(key, str) else [*key]


def _found(keys: Sequence[Mapping[str, str]], seconds_left: Callable[[], float]) -> list[dict[str, Any]]:
    table = os.environ["FEATURE_TABLE"]
    asked: dict[str, Any] = {table: {"Keys": [{name: {"S": value} for name, value in key.items()} for key in keys]}}
    rows: list[dict[str, Any]] = []
    for attempt in range(_TRIES):
        with tables.heard("features"):
            answer = tables.dynamodb().batch_get_item(RequestItems=asked)
        rows += [_plain(row) for row in answer["Responses"].get(table, [])]
        asked = answer.get("UnprocessedKeys") or {}
        if not asked:
            return rows
        pause_s = _PAUSE_S * 2**attempt
        if seconds_left() < pause_s + tables.LONGEST_S:
            break
        time.sleep(pause_s)
    raise Refused(503, "the table of features is too busy", Retry_After="1")


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    from boto3.dynamodb.types import TypeDeserializer  # an asset must boot without boto3

    given = TypeDeserializer()
    return {name: _number(given.deserialize(value)) for name, value in row.items()}


def _number(value: Any) -> Any:
    """Numbers as Python has them, wherever they are."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case dict():
            return {name: _number(one) for name, one in value.items()}
        case list():
            return [_number(one) for one in value]
    return value
