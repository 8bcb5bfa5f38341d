"""One release per endpoint at a time: the oldest running execution goes, the others wait. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any


def must_wait(execution_arn: str, started: datetime, running: Sequence[dict[str, Any]]) -> bool:
    """Is a release running that began before this one? The ARN decides between two of the same moment.

    :param execution_arn: this execution.
    :param started: when it began; what ``running`` says of it counts first, being written by the same clock.
    :param running: the executions of the machine that run, as ListExecutions has them.
    """
    mine = next((one["startDate"] for one in running if one["executionArn"] == execution_arn), started)
    return any(
        (one["startDate"], one["executionArn"]) < (mine, execution_arn)
        for one in running
        if one["executionArn"] != execution_arn
    )
