"""DynamoDB's items as plain values, and its transactions with the conflicts that are retried."""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from mlplatform_cdk.runtimekit import aws

PARTITION, SORT, EXPIRY = "pk", "sk", "expires"
_TRIES = 6
_FIRST_WAIT_S = 0.02
_CONFLICT, _CONDITION, _THROTTLED = "TransactionConflict", "ConditionalCheckFailed", "ThrottlingError"


class Refused(Exception):
    """A condition of a transaction did not hold: nothing was written.

    :param failed: which of the actions' conditions did not hold.
    """

    def __init__(self, failed: Sequence[bool]) -> None:
        super().__init__("a condition of the transaction did not hold")
        self.failed = tuple(failed)


def get(table: str, partition: str, sort: str, *, consistent: bool = True) -> dict[str, Any] | None:
    """The item of this key, or None."""
    key = to_item({PARTITION: partition, SORT: sort})
    answer = aws.client("dynamodb").get_item(TableName=table, Key=key, ConsistentRead=consistent)
    return from_item(answer["Item"]) if "Item" in answer else None


def put(table: str, value: Mapping[str, Any]) -> None:
    """Write an item, whatever was there."""
    aws.client("dynamodb").put_item(TableName=table, Item=to_item(value))


def put_if_new(table: str, value: Mapping[str, Any]) -> bool:
    """Write an item where none of its key is; False: there was one, and it stays. Half of what a transaction costs."""
    client = aws.client("dynamodb")
    try:
        client.put_item(**put_new(table, value)["Put"])
    except client.exceptions.ConditionalCheckFailedException:
        return False
    return True


def query(table: str, partition: str) -> Iterator[dict[str, Any]]:
    """The items of a partition, in the order of their sort keys."""
    pages = aws.client("dynamodb").get_paginator("query")
    for page in pages.paginate(
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="#pk = :pk",
        ExpressionAttributeNames={"#pk": PARTITION},
        ExpressionAttributeValues=to_item({":pk": partition}),
    ):
        for item in page["Items"]:
            yield from_item(item)


def put_new(table: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The action that writes an item where none of its key is."""
    return {
        "Put": {
            "TableName": table,
            "Item": to_item(value),
            "ConditionExpression": "attribute_not_exists(#pk)",
            "ExpressionAttributeNames": {"#pk": PARTITION},
        }
    }


def set_new(table: str, partition: str, sort: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The action that gives an existing item attributes that it does not have yet."""
    names = {f"#n{index}": name for index, name in enumerate(values)}
    given = {f":v{index}": value for index, value in enumerate(values.values())}
    new = " AND ".join(f"attribute_not_exists({name})" for name in names)
    return {
        "Update": {
            "TableName": table,
            "Key": to_item({PARTITION: partition, SORT: sort}),
            "UpdateExpression": "SET " + ", ".join(f"#n{index} = :v{index}" for index in range(len(names))),
            "ConditionExpression": f"attribute_exists(#pk) AND {new}",
            "ExpressionAttributeNames": {"#pk": PARTITION, **names},
            "ExpressionAttributeValues": to_item(given),
        }
    }


def add(table: str, partition: str, sort: str, amounts: Mapping[str, int]) -> dict[str, Any]:
    """The action that adds to counters, which begin at 0."""
    names = {f"#n{index}": name for index, name in enumerate(amounts)}
    return {
        "Update": {
            "TableName": table,
            "Key": to_item({PARTITION: partition, SORT: sort}),
            "UpdateExpression": "ADD " + ", ".join(f"#n{index} :v{index}" for index in range(len(names))),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": to_item(
                {f":v{index}": amount for index, amount in enumerate(amounts.values())}
            ),
        }
    }


def write_all(actions: Sequence[Mapping[str, Any]]) -> None:
    """Do all of ``actions`` or none; two that meet on one item try again, a little later.

    :raises Refused: when a condition does not hold.
    """
    client = aws.client("dynamodb")
    for left in reversed(range(_TRIES)):
        try:
            client.transact_write_items(TransactItems=list(actions))
        except client.exceptions.TransactionCanceledException as cancelled:
            codes = [reason.get("Code") for reason in cancelled.response.get("CancellationReasons", [])]
            if _CONDITION in codes:
                raise Refused([code == _CONDITION for code in codes]) from cancelled
            if not left or not {_CONFLICT, _THROTTLED} & {*codes}:
                raise
            time.sleep(random.uniform(0, _FIRST_WAIT_S * 2 ** (_TRIES - left)))  # noqa: S311 - no secret
        else:
            return


def to_item(value: Mapping[str, Any]) -> dict[str, Any]:
    """``value``, texts and numbers, as DynamoDB's API takes it."""
    return {name: {"S": one} if isinstance(one, str) else {"N": f"{Decimal(one):f}"} for name, one in value.items()}


def from_item(item: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """What ``to_item`` made of a value; numbers come back as exact decimals."""
    return {name: Decimal(one["N"]) if "N" in one else one["S"] for name, one in item.items()}
