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
    row = _row(events, now)
    client.put_item(
        TableName=events["TableName"],
        Item=row,
        ConditionExpression="attribute_not_exists(#owner) OR #owner IN (:ours, :over)",
        ExpressionAttributeNames={"#owner": "owner"},
        ExpressionAttributeValues={":ours": {"S": owner}, ":over": {"S": _holder(found["Items"]) or owner}},
    )
    return {"Held": row["until"]["S"]}


def hold_on(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Hold the lock for ``Seconds`` more, before anything is mended: also where it has come free, but from nobody.

    Whoever has it by now changes the endpoint: what was broken stays so until that one is through and this runs again.
    """
    import boto3

    client, now = boto3.client("dynamodb"), datetime.now(tz=UTC)
    row = _row(events, now)
    try:
        client.put_item(
            TableName=events["TableName"],
            Item=row,
            ConditionExpression="attribute_not_exists(#owner) OR #owner = :ours OR #until < :now",
            ExpressionAttributeNames={"#owner": "owner", "#until": "until"},
            ExpressionAttributeValues={":ours": {"S": events["Owner"]}, ":now": {"S": now.isoformat()}},
        )
    except client.exceptions.ConditionalCheckFailedException as refused:
        raise RuntimeError(
            f"the drill {events['Owner']} must still hold {events['EndpointName']} to mend it, and another has it by "
            "now; start this document again, with the same parameters, once that one is through"
        ) from refused
    return {"Held": row["until"]["S"]}


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


def _row(events: Mapping[str, Any], now: datetime) -> dict[str, dict[str, str]]:
    row = {
        "endpoint": f"lock#{events['EndpointName']}",
        "at": _ROW,
        "owner": events["Owner"],
        "version": "",
        "action": _ACTION,
        "since": now.isoformat(),
        "until": (now + timedelta(seconds=int(events["Seconds"]))).isoformat(),
    }
    return {key: {"S": value} for key, value in row.items()}


def _is_over(row: Mapping[str, Any], now: datetime) -> bool:
    """Is it a former drill's, which could not let go."""
    return "until" in row and datetime.fromisoformat(row["until"]["S"]) < now


def _holder(rows: list[Mapping[str, Any]]) -> str:
    return next((str(row["owner"]["S"]) for row in rows if row["at"]["S"] == _ROW), "")
