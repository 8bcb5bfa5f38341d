"""Ends releases, and takes their lock from them, so that no call of theirs changes the endpoint any more (ADR 0017)."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from mlplatform_cdk.resilience.teardown.runtime import executions
from mlplatform_cdk.resilience.teardown.runtime.door import answer_to
from mlplatform_cdk.resilience.teardown.runtime.rounds import DONE, Round, SecondsLeft
from mlplatform_cdk.resilience.teardown.runtime.settings import targets
from mlplatform_cdk.runtimekit import aws, release_records
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.release_records import PARTITION_KEY, SORT_KEY

STEP = "Teardown"
# A step that had read the lock before it was taken gives its call up within a minute.
_SETTLES_S = 90
# As release/blue_green/runtime/lock.py has both: what an A/B test is started for, and how long a new execution may be
# unknown to DescribeExecution.
_AB_TEST, _NEWBORN = "ab_test", timedelta(minutes=5)
_RUNNING, _NEW, _UNTIL = "RUNNING", "new", "until"


class EndpointHeld(KnownError):
    """Somebody else works on the endpoint, and not only for a while."""


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """End the releases, and take their lock."""
    return answer_to(event, context, _work)


def _work(_seconds_left: SecondsLeft) -> Round:
    wanted = targets()
    stopped = {arn for machine in wanted["machines"] for arn in executions.stop(machine)}
    held = [held for one in wanted["locks"] if (held := _take_lock(one["table"], one["endpoint"]))]
    if held:
        return Round(waits_for=", and ".join(held))
    if stopped:
        return Round(waits_for=f"the last calls of {len(stopped)} stopped executions", pause_s=_SETTLES_S)
    return DONE


def _take_lock(table: str, endpoint: str) -> str:
    """Remove the lock and the places in its line, each with a record; what is to be waited for, or nothing.

    :raises EndpointHeld: when an A/B test runs: it may do so for weeks, and is no release of this stack.
    """
    alive, test = [], ""
    for row in _rows(table, endpoint):
        status = _status_of(row, datetime.now(UTC))
        if status:
            alive.append(row)
            test = row["owner"] if status == _RUNNING and row["action"] == _AB_TEST else test
            continue
        release_records.record(
            table,
            endpoint=endpoint,
            release=row["owner"],
            version=row["version"],
            step=STEP,
            who="teardown",
            decision="ended",
            reason="the stack of the endpoint's releases is being deleted",
        )
        _remove(table, endpoint, row)
    if test:
        raise EndpointHeld(
            f"no A/B test may run on {endpoint} when its releases go, and {test} does; {_stopping(test)}, "
            "then delete the stack again"
        )
    return ", and ".join(f"the end of {row['owner']}, which holds {endpoint} ({_way_out(row)})" for row in alive)


def _status_of(row: dict[str, Any], now: datetime) -> str:
    """Whether who wrote the row still works; empty: no. A drill's row has an end of its own."""
    if "until" in row:
        return _UNTIL if now < datetime.fromisoformat(row["until"]) else ""
    status = executions.status_of(row["owner"])
    if not status:
        return _NEW if now - datetime.fromisoformat(row["since"]) < _NEWBORN else ""
    return status if status == _RUNNING else ""


def _way_out(row: dict[str, Any]) -> str:
    if "until" in row:
        return f"a drill, over at {row['until']} at the latest"
    return _stopping(row["owner"])


def _stopping(execution_arn: str) -> str:
    return f"to end it: aws stepfunctions stop-execution --execution-arn {execution_arn}"


def _rows(table: str, endpoint: str) -> list[dict[str, Any]]:
    dynamodb = aws.client("dynamodb")
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        ConsistentRead=True,
        KeyConditionExpression="#key = :lock",
        ExpressionAttributeNames={"#key": PARTITION_KEY},
        ExpressionAttributeValues={":lock": {"S": _lock(endpoint)}},
    )
    return [release_records.from_item(item) for page in pages for item in page["Items"]]


def _remove(table: str, endpoint: str, row: dict[str, Any]) -> None:
    dynamodb = aws.client("dynamodb")
    with suppress(dynamodb.exceptions.ConditionalCheckFailedException):  # who has it now is found by the next round
        dynamodb.delete_item(
            TableName=table,
            Key={PARTITION_KEY: {"S": _lock(endpoint)}, SORT_KEY: {"S": row[SORT_KEY]}},
            ConditionExpression="#owner = :owner",
            ExpressionAttributeNames={"#owner": "owner"},
            ExpressionAttributeValues={":owner": {"S": row["owner"]}},
        )


def _lock(endpoint: str) -> str:
    """The key of the lock's rows: release/blue_green/runtime/lock_rows.py."""
    return f"lock#{endpoint}"
