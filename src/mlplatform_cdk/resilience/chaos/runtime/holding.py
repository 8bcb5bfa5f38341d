"""Holds the lock of an endpoint for a drill, as a release holds it, and lets it go.

The row is that of ``release/blue_green/runtime/lock_rows``, with an end of its own: a drill is no execution of Step
Functions, and a lock that its drill could not let go must be free some day.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_ROW, _ACTION = "lock", "drill"


def hold(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Take the lock of ``EndpointName`` for ``Seconds``, unless a release has it, waits for it, or left something."""
    import boto3

    client, now = boto3.client("dynamodb"), datetime.now(tz=UTC)
    name, owner = f"lock#{events['EndpointName']}", events["Owner"]
    found = client.query(
        TableName=events["TableName"],
        ConsistentRead=True,
        KeyConditionExpression="#endpoint = :endpoint",
        ExpressionAttributeNames={"#endpoint": "endpoint"},
        ExpressionAttributeValues={":endpoint": {"S": name}},
    )
    others = [row for row in found["Items"] if row["owner"]["S"] != owner and not _is_over(row, now)]
    if others:
        action, by = others[0]["action"]["S"], others[0]["owner"]["S"]
        raise RuntimeError(f"no release may run or be left to recover when a drill begins, got the {action} of {by}")
    row = {
        "endpoint": name,
        "at": _ROW,
        "owner": owner,
        "version": "",
        "action": _ACTION,
        "since": now.isoformat(),
        "until": (now + timedelta(seconds=int(events["Seconds"]))).isoformat(),
    }
    client.put_item(
        TableName=events["TableName"],
        Item={key: {"S": value} for key, value in row.items()},
        ConditionExpression="attribute_not_exists(#owner) OR #owner IN (:ours, :over)",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":ours": {"S": owner}, ":over": {"S": _holder(found["Items"]) or owner}},
    )
    return {"Held": row["until"]}


def let_go(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Free the lock, if it is ``Owner``'s."""
    import boto3

    client = boto3.client("dynamodb")
    try:
        client.delete_item(
            TableName=events["TableName"],
            Key={"endpoint": {"S": f"lock#{events['EndpointName']}"}, "at": {"S": _ROW}},
            ConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": {"S": events["Owner"]}},
        )
    except client.exceptions.ConditionalCheckFailedException:
        return {"LetGo": "it was another's"}
    return {"LetGo": "free"}


def _is_over(row: Mapping[str, Any], now: datetime) -> bool:
    """Is it a former drill's, which could not let go."""
    return "until" in row and datetime.fromisoformat(row["until"]["S"]) < now


def _holder(rows: list[Mapping[str, Any]]) -> str:
    return next((str(row["owner"]["S"]) for row in rows if row["at"]["S"] == _ROW), "")
