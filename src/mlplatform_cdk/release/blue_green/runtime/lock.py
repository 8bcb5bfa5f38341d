"""One release per endpoint at a time: a row in the table of the records that dies with the execution that wrote it.

Who holds the row is compared at every write, so that two that come at once cannot both have it; who still runs is asked
of Step Functions. Those that wait have rows of their own, so that they go in the order in which they were started.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import lock_rows
from mlplatform_cdk.release.blue_green.runtime.lock_rows import ROW, Debt, Row
from mlplatform_cdk.runtimekit import aws, logs
from mlplatform_cdk.runtimekit.errors import KnownError

RELEASE, ROLLBACK, RETIRE, RECOVER = "release", "rollback", "retire", "recover"
AB_TEST, AB_TEST_END = "ab_test", "ab_test_end"  # of another machine, and its recovery: release/ab_test
RUNNING, SUCCEEDED = "RUNNING", "SUCCEEDED"
# DescribeExecution is eventually consistent: an execution that has just begun may not be found yet.
_NEWBORN = timedelta(minutes=5)
_LOG = logs.logger("lock")


class LockLost(KnownError):
    """Somebody else holds the lock now: this execution must touch nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What came of asking for the lock.

    :param held: is it ours now.
    :param holder: the execution that holds it, or that is before us in the line.
    :param debt: what a dead execution left, to be brought back first; default: nothing.
    """

    held: bool
    holder: str
    debt: Debt | None = None

    @property
    def left(self) -> Mapping[str, Any] | None:
        """The plan of the dead execution; None: there is nothing to bring back."""
        return None if self.debt is None else self.debt.plan


def take(
    endpoint: str, execution_arn: str, version: str, *, action: str = RELEASE, asked: str = "", urgent: bool = False
) -> Taken:
    """Take the endpoint's lock, if it is free or its holder is dead, and nobody who was started earlier waits for it.

    Asking again is harmless, also after it was taken; what a dead execution left is said until ``keep`` or ``free``.

    :param endpoint: the endpoint's name.
    :param execution_arn: who asks.
    :param version: what it releases; empty: nothing.
    :param action: what it was started for; default: a release.
    :param asked: when it was started, as Step Functions writes it; the same at every call; default: now.
    :param urgent: before all who wait and are not, as a way back is; default: in line.
    """
    at = lock_rows.place(execution_arn, asked or lock_rows.now().isoformat(), urgent=urgent)
    mine = Row(at=at, owner=execution_arn, version=version, action=action, since=lock_rows.now())
    # The place in the line comes before the look at it, so that of two that come at once one sees the other.
    lock_rows.write(endpoint, mine, anyway=True)
    rows = lock_rows.read(endpoint)
    lock = _lock_in(rows)
    if lock is not None and lock.owner == execution_arn:
        taken = Taken(held=True, holder=execution_arn, debt=lock.taken_over)
    elif (before := _first_alive(endpoint, [row for row in rows if row.at != ROW and row.at < at])) is not None:
        taken = Taken(held=False, holder=lock.owner if lock else before.owner)
    elif lock is not None and ((status := status_of(lock)) == RUNNING or lock.action in (AB_TEST, AB_TEST_END)):
        # A dead A/B test is brought back by its own machine, which knows how, and which frees the lock then.
        taken = Taken(held=False, holder=lock.owner)
    else:
        taken = _take_over(endpoint, mine, lock, debt=_debt_of(lock, status) if lock else None)
    if taken.held:
        lock_rows.remove(endpoint, at, owner=execution_arn)
    return taken


def keep(endpoint: str, execution_arn: str, plan: Mapping[str, Any]) -> None:
    """Write down what to bring back if this execution dies; what it had taken over counts as brought back.

    :param endpoint: the endpoint's name.
    :param execution_arn: who holds the lock.
    :param plan: of its release.
    :raises LockLost: when the lock is another's.
    """
    row = must_hold(endpoint, execution_arn)
    if not lock_rows.write(endpoint, replace(row, plan=plan, taken_over=None), instead_of=row):
        raise _lost(endpoint, execution_arn, holder(endpoint))


def must_hold(endpoint: str, execution_arn: str) -> Row:
    """The row of the lock, if it is this execution's.

    :param endpoint: the endpoint's name.
    :param execution_arn: who asks.
    :raises LockLost: when the lock is another's.
    """
    row = holder(endpoint)
    if row is None or row.owner != execution_arn:
        raise _lost(endpoint, execution_arn, row)
    return row


def is_held(endpoint: str, execution_arn: str) -> bool:
    """Is the lock this execution's.

    :param endpoint: the endpoint's name.
    :param execution_arn: who asks.
    """
    row = holder(endpoint)
    return row is not None and row.owner == execution_arn


def free(endpoint: str, execution_arn: str) -> bool:
    """Let go of the lock and of any place in the line; False when the lock was not this execution's.

    What was taken over from a dead execution and not brought back is not let go of: the next one finds it there.

    :param endpoint: the endpoint's name.
    :param execution_arn: who held it.
    """
    mine = [row for row in lock_rows.read(endpoint) if row.owner == execution_arn]
    mine = [row for row in mine if row.taken_over is None]
    freed = [lock_rows.remove(endpoint, row.at, owner=execution_arn) for row in mine if row.at == ROW]
    for row in mine:
        lock_rows.remove(endpoint, row.at, owner=execution_arn)
    return any(freed)


def holder(endpoint: str) -> Row | None:
    """Who holds the lock, alive or dead; None: nobody.

    :param endpoint: the endpoint's name.
    """
    return _lock_in(lock_rows.read(endpoint))


def is_alive(row: Row) -> bool:
    """Does the execution of ``row`` still run? One that is not found counts as running in its first minutes."""
    return status_of(row) == RUNNING


def status_of(row: Row) -> str:
    """How the execution of ``row`` is; one that is not found counts as running in its first minutes, then as gone.

    A row with an end of its own, as a drill's (resilience/chaos), has no execution to ask for.
    """
    if row.until is not None:
        return RUNNING if lock_rows.now() < row.until else "GONE"
    states = aws.client("stepfunctions")
    try:
        status: str = states.describe_execution(executionArn=row.owner)["status"]
    except states.exceptions.ExecutionDoesNotExist:
        return RUNNING if is_newborn(row, lock_rows.now()) else "GONE"
    return status


def is_newborn(row: Row, now: datetime) -> bool:
    """May Step Functions not know the execution of ``row`` yet? Pure."""
    return now - row.since < _NEWBORN


def _lock_in(rows: Sequence[Row]) -> Row | None:
    return next((row for row in rows if row.at == ROW), None)


def _first_alive(endpoint: str, waiting: Sequence[Row]) -> Row | None:
    """The first that still runs; the places of the dead before it are cleared."""
    for row in waiting:
        if is_alive(row):
            return row
        lock_rows.remove(endpoint, row.at, owner=row.owner)
    return None


def _debt_of(dead: Row, status: str) -> Debt | None:
    """An execution that ended well and could not let go left nothing of its own to bring back."""
    return dead.taken_over if status == SUCCEEDED else dead.debt


def _take_over(endpoint: str, mine: Row, dead: Row | None, *, debt: Debt | None) -> Taken:
    if not lock_rows.write(endpoint, replace(mine, at=ROW, taken_over=debt), instead_of=dead):
        now = holder(endpoint)
        return Taken(held=False, holder=now.owner if now else "")
    if dead is not None:
        _LOG.info("took the lock of a dead execution", extra={"endpoint": endpoint, "dead": dead.owner})
    return Taken(held=True, holder=mine.owner, debt=debt)


def _lost(endpoint: str, execution_arn: str, row: Row | None) -> LockLost:
    by = row.owner if row else "nobody"
    return LockLost(
        f"{execution_arn} must hold the lock of {endpoint} to go on, and {by} does; start the release again"
    )
