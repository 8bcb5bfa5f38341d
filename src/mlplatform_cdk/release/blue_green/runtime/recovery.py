"""What those do who find the endpoint taken, and what the end of an execution says about its version. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.lock import AB_TEST, RECOVER, RELEASE, RETIRE, ROLLBACK
from mlplatform_cdk.release.blue_green.runtime.lock_rows import Row
from mlplatform_cdk.release.blue_green.runtime.plan import BESIDE, FIRST, RESUME

WAIT, NOTHING = "wait", "nothing"
RELEASING = (BESIDE, RESUME, FIRST)  # the ways of a plan that brings a green
ABORTED, SUPERSEDED, ALARM, ROLLED_BACK = "Release.Aborted", "Release.Superseded", "Release.Alarm", "Release.RolledBack"
# What speaks against the version itself; a newer one, a time-out or a fault of the machine's does not.
REJECTING = (ABORTED, ALARM, ROLLED_BACK)
# Nobody waits for the end of what these start; whoever else asks for what is under way is to hear how it ends.
_EVENTS = ("approval", "rejection", "recovery")
# A way back that fails is tried again by a new execution, so often; then it is a person's.
MOST_ATTEMPTS = 3
RETIRE_AGAIN_AFTER_S = (3_600, 4 * 3_600)  # what stood in the way of a retirement is over after hours, not seconds


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
    repeats = NOTHING if request.get("by") in _EVENTS else WAIT
    if action == RELEASE and is_release and holder.version == version:
        return Instead(way=repeats, why=f"{holder.owner} releases the same version already")
    if action == RECOVER and holder.owner != request.get("execution_arn"):
        return Instead(way=NOTHING, why=f"{holder.owner} took the endpoint over, and with it what was left")
    if action == ROLLBACK and holder.action == ROLLBACK and version and version in (holder.version, meant_by(holder)):
        return Instead(way=repeats, why=f"{holder.owner} rolls it back already")
    ends_by = ""
    if action == ROLLBACK and _releases_for_rollback(holder) and version == (holder.plan or {}).get("package_arn"):
        ends_by = ROLLED_BACK
    elif action == ROLLBACK and (is_release or holder.action == AB_TEST):
        # A rollback of the live version ends the release of the next one, too, which is not the next one's fault.
        ends_by = SUPERSEDED if is_release and version not in ("", holder.version) else ROLLED_BACK
    elif action == RELEASE and is_release and request.get("supersede", supersede):
        ends_by = SUPERSEDED
    return Instead(way=WAIT, why=f"{holder.owner} has the endpoint for its {holder.action}", ends_by=ends_by)


def meant_by(row: Row | None) -> str:
    """Which version a rollback is about that names none: what the holder of the lock is about; empty: nothing.

    :param row: who holds the lock, alive or dead.
    """
    debt = row.debt if row is not None else None
    if debt is None or "green" not in debt.plan:
        return ""
    # A rollback after blue's end releases the version before, beside the one that is to go.
    away = debt.action == ROLLBACK and debt.plan["way"] in RELEASING
    return str(debt.plan["blue"]["package_arn"] if away else debt.plan.get("package_arn", ""))


def _releases_for_rollback(holder: Row) -> bool:
    return holder.action == ROLLBACK and (holder.plan or {}).get("way") in RELEASING


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
    if not _left_something(ended, row) or _attempt(ended, RECOVER) > MOST_ATTEMPTS:
        return None
    owner = row.owner if row is not None else ""
    return {"action": RECOVER, "execution_arn": owner, "attempt": _attempt(ended, RECOVER), "by": "interruption"}


def retirement_of(ended: Mapping[str, Any], row: Row | None) -> dict[str, Any] | None:
    """The input of the execution that retires blue after another one failed to; None: it need not, or failed enough.

    :param ended: as above, and ``status``; who stops one that does not hold the endpoint yet wants to keep blue.
    :param row: who holds the lock now.
    """
    request, attempt = ended["input"], _attempt(ended, RETIRE)
    stopped = ended.get("status") == "ABORTED" and (row is None or row.owner != ended["executionArn"])
    if request.get("action") != RETIRE or stopped or attempt > MOST_ATTEMPTS:
        return None
    return {**request, "attempt": attempt, "after_s": RETIRE_AGAIN_AFTER_S[attempt - 2]}


def given_up(ended: Mapping[str, Any], row: Row | None, endpoint: str) -> str:
    """What a person must know and do now that nothing is tried any more; empty: something is, or nothing is left.

    :param ended: as above.
    :param row: who holds the lock now.
    :param endpoint: the endpoint's name.
    """
    last = f"the last try was {ended['executionArn']}"
    if _left_something(ended, row) and _attempt(ended, RECOVER) > MOST_ATTEMPTS:
        return (
            f"{endpoint} is as an interrupted release left it: {MOST_ATTEMPTS} ways back failed, and {last}. Look at "
            f"the endpoint now; mlplatform release rollback {endpoint} tries the way back again"
        )
    if ended["input"].get("action") == RETIRE and _attempt(ended, RETIRE) > MOST_ATTEMPTS:
        return (
            f"{endpoint} keeps a version without traffic, which costs an instance: {MOST_ATTEMPTS} tries to retire it "
            f"failed, and {last}. The next release retires it"
        )
    return ""


def _left_something(ended: Mapping[str, Any], row: Row | None) -> bool:
    """Does the dead execution hold the lock; one that was to recover and died before leaves it with the one before."""
    dead, request = ended["executionArn"], ended["input"]
    concerned = (dead, request.get("execution_arn")) if request.get("action") == RECOVER else (dead,)
    return row is not None and row.owner in concerned


def _attempt(ended: Mapping[str, Any], action: str) -> int:
    """Which try the next one is."""
    request = ended["input"]
    again = request.get("action") == action
    return int(request.get("attempt", 1)) + 1 if again else 1
