"""What those do who find the endpoint taken, and what the end of an execution says about its version. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.lock import AB_TEST, RECOVER, RELEASE, ROLLBACK
from mlplatform_cdk.release.blue_green.runtime.lock_rows import Row

WAIT, NOTHING = "wait", "nothing"
ABORTED, SUPERSEDED, ALARM, ROLLED_BACK = "Release.Aborted", "Release.Superseded", "Release.Alarm", "Release.RolledBack"
# What speaks against the version itself; a newer one, a time-out or a fault of the machine's does not.
REJECTING = (ABORTED, ALARM, ROLLED_BACK)
# A way back that fails is tried again by a new execution, so often; then it is a person's.
MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """What an execution does that does not get the lock.

    :param way: ``wait``, or ``nothing``: it ends.
    :param why: one sentence.
    :param ends_by: the error by which the holder is stopped first; empty: it goes on.
    """

    way: str
    why: str
    ends_by: str = ""


def instead(request: Mapping[str, Any], holder: Row | None, *, supersede: bool) -> Instead:
    """What to do without the lock.

    :param request: the input of the execution that does not get it.
    :param holder: who has it and runs; None: somebody who was started earlier gets it next.
    :param supersede: may a newer version end the running release, by the strategy; the request may say so, too.
    """
    action, version = request.get("action", RELEASE), request.get("model_package_arn", "")
    if holder is None:
        return Instead(way=WAIT, why="an older execution goes first")
    is_release = holder.action == RELEASE
    if action == RELEASE and is_release and holder.version == version:
        return Instead(way=NOTHING, why=f"{holder.owner} releases the same version already")
    if action == RECOVER and holder.owner != request.get("execution_arn"):
        return Instead(way=NOTHING, why=f"{holder.owner} took the endpoint over, and with it what was left")
    ends_by = ""
    if action == ROLLBACK and (is_release or holder.action == AB_TEST):
        # A rollback of the live version ends the release of the next one, too, which is not the next one's fault.
        ends_by = SUPERSEDED if is_release and version not in ("", holder.version) else ROLLED_BACK
    elif action == RELEASE and is_release and request.get("supersede", supersede):
        ends_by = SUPERSEDED
    return Instead(way=WAIT, why=f"{holder.owner} has the endpoint for its {holder.action}", ends_by=ends_by)


def is_rejecting(error: str) -> bool:
    """True when an execution that ended by ``error`` speaks against its version.

    :param error: the execution's own, by which it was stopped; not that of a step which failed in it.
    """
    return error in REJECTING


def recovery_of(ended: Mapping[str, Any], row: Row | None) -> dict[str, Any] | None:
    """The input of the execution that brings back what another one left; None: nothing is left, or it was tried enough.

    :param ended: the event of the execution that ended: ``executionArn`` and its ``input`` as a mapping.
    :param row: who holds the lock now.
    """
    dead, request = ended["executionArn"], ended["input"]
    again = request.get("action") == RECOVER
    attempt = int(request.get("attempt", 1)) + 1 if again else 1
    # One that was to recover and died before it had the lock leaves it with the one before it.
    concerned = (dead, request.get("execution_arn")) if again else (dead,)
    if row is None or row.owner not in concerned or attempt > MOST_ATTEMPTS:
        return None
    return {"action": RECOVER, "execution_arn": row.owner, "attempt": attempt, "by": "interruption"}
