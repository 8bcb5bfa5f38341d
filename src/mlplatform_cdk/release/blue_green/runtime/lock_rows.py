"""The rows of an endpoint's lock in the table of the records: the holder's, and one of each who waits."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mlplatform_cdk.runtimekit import aws, settings

ROW = "lock"
_WAITING = "wait#"
_DEBT = ("left_by", "left_version", "left_action")


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """What a dead execution left behind.

    :param plan: what it was about to do, which says what to bring back.
    :param by: the execution.
    :param version: the version that it was releasing; empty: none.
    :param action: what it was started for.
    """

    plan: Mapping[str, Any]
    by: str
    version: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The lock's holder, or one who waits.

    :param at: the range key of the row.
    :param owner: the execution.
    :param version: the version that it releases; empty: none.
    :param action: what it was started for.
    :param since: when the row was written.
    :param plan: what it has planned; None: it has touched nothing yet.
    :param taken_over: what it took over and has not brought back yet.
    :param until: when it is free in any case, for who is no execution of Step Functions, such as a drill; None: no end.
    """

    at: str
    owner: str
    version: str
    action: str
    since: datetime
    plan: Mapping[str, Any] | None = None
    taken_over: Debt | None = None
    until: datetime | None = None

    @property
    def debt(self) -> Debt | None:
        """What must be brought back if the owner is dead."""
        if self.plan is None:
            return self.taken_over
        return Debt(plan=self.plan, by=self.owner, version=self.version, action=self.action)


def place(execution_arn: str, asked: str, *, urgent: bool) -> str:
    """The range key of one who waits: the urgent first, then in the order in which they were asked for."""
    return f"{_WAITING}{0 if urgent else 1}#{asked}#{execution_arn}"


def read(endpoint: str) -> list[Row]:
    """The lock, and those who wait for it in the order in which they go."""
    query = aws.client("dynamodb").get_paginator("query")
    pages = query.paginate(
        TableName=table(),
        ConsistentRead=True,
        KeyConditionExpression="#endpoint = :endpoint",
        ExpressionAttributeNames={"#endpoint": "endpoint"},
        ExpressionAttributeValues={":endpoint": {"S": f"lock#{endpoint}"}},
    )
    return [_row(item) for page in pages for item in page["Items"]]


def write(endpoint: str, row: Row, *, instead_of: Row | None = None, anyway: bool = False) -> bool:
    """Write ``row``; False when the lock has changed hands meanwhile.

    :param endpoint: the endpoint's name.
    :param row: what to write.
    :param instead_of: who must hold the lock until now; default: nobody.
    :param anyway: whatever is there, as for the place of one who waits.
    """
    condition: dict[str, Any] = {}
    if not anyway:
        condition["ExpressionAttributeNames"] = {"#owner": "owner"}
        condition["ConditionExpression"] = "attribute_not_exists(#owner)"
        if instead_of is not None:
            condition["ConditionExpression"] = "#owner = :before"
            condition["ExpressionAttributeValues"] = {":before": {"S": instead_of.owner}}
    dynamodb = aws.client("dynamodb")
    try:
        dynamodb.put_item(TableName=table(), Item=_item(endpoint, row), **condition)
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def remove(endpoint: str, at: str, *, owner: str) -> bool:
    """Remove the row ``at``; False when it is not ``owner``'s."""
    dynamodb = aws.client("dynamodb")
    try:
        dynamodb.delete_item(
            TableName=table(),
            Key={"endpoint": {"S": f"lock#{endpoint}"}, "at": {"S": at}},
            ConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": {"S": owner}},
        )
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return False
    return True


def table() -> str:
    """The table of the records."""
    return settings.required("RELEASE_RECORDS_TABLE")


def _item(endpoint: str, row: Row) -> dict[str, dict[str, str]]:
    values = {
        "endpoint": f"lock#{endpoint}",
        "at": row.at,
        "owner": row.owner,
        "version": row.version,
        "action": row.action,
        "since": row.since.isoformat(),
    }
    if row.plan is not None:
        values["plan"] = json.dumps(row.plan)
    if row.taken_over is not None:
        debt = row.taken_over
        values["left"] = json.dumps(debt.plan)
        values |= dict(zip(_DEBT, (debt.by, debt.version, debt.action), strict=True))
    return {name: {"S": value} for name, value in values.items()}


def _row(item: Mapping[str, Mapping[str, str]]) -> Row:
    values = {name: value["S"] for name, value in item.items()}
    left = values.get("left")
    return Row(
        at=values["at"],
        owner=values["owner"],
        version=values["version"],
        action=values["action"],
        since=datetime.fromisoformat(values["since"]),
        plan=json.loads(values["plan"]) if "plan" in values else None,
        taken_over=None if left is None else _debt(json.loads(left), values),
        until=datetime.fromisoformat(values["until"]) if "until" in values else None,
    )


def _debt(plan: Mapping[str, Any], values: Mapping[str, str]) -> Debt:
    by, version, action = (values[name] for name in _DEBT)
    return Debt(plan=plan, by=by, version=version, action=action)


def now() -> datetime:
    """The time at which a row is written."""
    return datetime.now(tz=UTC)
