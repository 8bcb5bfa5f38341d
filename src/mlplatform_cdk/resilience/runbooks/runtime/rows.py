"""Brings the rows of a restored table back into the table that is used."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

_PATIENCE_S = 540.0  # a script has ten minutes
# Who held an endpoint at that moment holds it no more: an old lock would stop, or misguide, every release.
_LOCK = "lock#"


def copy(events: Mapping[str, str], _context: object) -> dict[str, Any]:
    """Put every row of ``From`` into ``To``, but those of locks.

    :param events: ``From``, ``To`` and ``Rows``: ``missing`` leaves rows as they are that are there, ``all`` takes the
        restored ones in their place. Rows that ``From`` does not have stay.
    :raises RuntimeError: when it takes too long; what was copied stays, and copying again is no harm.
    """
    dynamodb, source, target = client("dynamodb"), events["From"], events["To"]
    key = dynamodb.describe_table(TableName=target)["Table"]["KeySchema"][0]["AttributeName"]
    missing: dict[str, Any] = {
        "ConditionExpression": "attribute_not_exists(#key)",
        "ExpressionAttributeNames": {"#key": key},
    }
    end, copied, kept = time.monotonic() + _PATIENCE_S, 0, 0
    for row in _rows(dynamodb, source):
        if time.monotonic() > end:
            raise RuntimeError(
                f"the rows must be copied within {_PATIENCE_S:g} s, and {copied} were, from {source}; point those who "
                f"read {target} at it, or copy the rest by a job"
            )
        try:
            dynamodb.put_item(TableName=target, Item=row, **(missing if events["Rows"] == "missing" else {}))
            copied += 1
        except dynamodb.exceptions.ConditionalCheckFailedException:
            kept += 1
    return {"Copied": str(copied), "Kept": str(kept)}


def _rows(dynamodb: Any, table: str) -> Iterator[Mapping[str, Any]]:
    key = dynamodb.describe_table(TableName=table)["Table"]["KeySchema"][0]["AttributeName"]
    for page in dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from (row for row in page["Items"] if not row[key].get("S", "").startswith(_LOCK))


def client(service: str) -> Any:
    """boto3's client of ``service``."""
    import boto3

    return boto3.client(service)
