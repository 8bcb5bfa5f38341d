"""A test holds the lock of its endpoint's releases as long as it lasts: never do two move the weights of one endpoint.

The row is that of the releases (``release/blue_green/runtime/lock_rows.py``). A release that finds a test's row waits,
a rollback ends the test first, and neither takes a dead test's row over: its own machine, which the event of its end
starts, inherits it and leaves the endpoint as it should be. A test never waits nor takes over: it refuses where a
release runs, waits, or has died. The row names the run where a release names its version.
"""

from datetime import UTC, datetime
from typing import Any

from mlplatform_cdk.release.ab_test.runtime.errors import TestRefused
from mlplatform_cdk.runtimekit import aws, release_records

ACTION, ENDING = "ab_test", "ab_test_end"  # a rollback ends the first, and waits for the second
_ROW = "lock"


def take(endpoint: str, execution_arn: str, run: str) -> None:
    """Take the lock; asking again is harmless.

    :param endpoint: the endpoint's name.
    :param execution_arn: of the test.
    :param run: the name of its run.
    :raises TestRefused: when a release or another test has it, or waits for it.
    """
    table, rows = release_records.table_name(), _rows(endpoint)
    others = [row for row in rows if row["owner"] != execution_arn]
    row = _row(endpoint, execution_arn, run)
    if others or not (release_records.put_new(table, row) or rows):
        by = others[0]["owner"] if others else "somebody"
        raise TestRefused(
            f"no release and no other test may hold the endpoint {endpoint} when a test begins, and {by} does; "
            "wait for its end, or recover it"
        )


def inherit(endpoint: str, execution_arn: str, dead: str) -> str | None:
    """Take the lock that a dead execution of a test held; its run, or None when somebody else has the lock."""
    held = release_records.read(release_records.table_name(), f"lock#{endpoint}", _ROW)
    if held is None or held["action"] not in (ACTION, ENDING) or held["owner"] not in {dead, execution_arn}:
        return None
    client, run = aws.client("dynamodb"), str(held["version"])
    try:
        client.put_item(
            TableName=release_records.table_name(),
            Item=release_records.to_item(_row(endpoint, execution_arn, run) | {"action": ENDING}),
            ConditionExpression="#owner = :before",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues=release_records.to_item({":before": held["owner"]}),
        )
    except client.exceptions.ConditionalCheckFailedException:
        return None
    return run


def free(endpoint: str, execution_arn: str) -> None:
    """Let go of the lock, if it is this execution's."""
    client = aws.client("dynamodb")
    try:
        client.delete_item(
            TableName=release_records.table_name(),
            Key=release_records.to_item({"endpoint": f"lock#{endpoint}", "at": _ROW}),
            ConditionExpression="#owner = :me",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues=release_records.to_item({":me": execution_arn}),
        )
    except client.exceptions.ConditionalCheckFailedException:
        return


def is_held(endpoint: str, execution_arn: str) -> bool:
    """Has this execution the lock."""
    row = release_records.read(release_records.table_name(), f"lock#{endpoint}", _ROW)
    return row is not None and row["owner"] == execution_arn


def _rows(endpoint: str) -> list[dict[str, Any]]:
    """The holder, and those who wait."""
    found = aws.client("dynamodb").query(
        TableName=release_records.table_name(),
        ConsistentRead=True,
        KeyConditionExpression="#endpoint = :endpoint",
        ExpressionAttributeNames={"#endpoint": "endpoint"},
        ExpressionAttributeValues=release_records.to_item({":endpoint": f"lock#{endpoint}"}),
    )
    return [release_records.from_item(item) for item in found["Items"]]


def _row(endpoint: str, execution_arn: str, run: str) -> dict[str, str]:
    return {
        "endpoint": f"lock#{endpoint}",
        "at": _ROW,
        "owner": execution_arn,
        "version": run,
        "action": ACTION,
        "since": datetime.now(UTC).isoformat(),
    }
