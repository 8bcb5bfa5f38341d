"""What an execution answers that asks for its turn, in one shape whatever it finds."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import audit, lock, stopping
from mlplatform_cdk.release.blue_green.runtime.core import turn_pause_s
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseRefused

Event = Mapping[str, Any]
Answer = dict[str, Any]
# What an execution does with its turn.
WAIT, TAKE_BACK, COMPLETE, GO, PREVIOUS, RETIRE, DONE = "wait", "back", "finish", "go", "release", "retire", "done"
URGENT = (lock.ROLLBACK, lock.RECOVER)


def answer(event: Event, way: str, why: str = "", **more: Any) -> Answer:
    """The answer, with every member there whatever the way.

    :param event: of the step.
    :param way: one of this module's.
    :param why: one sentence; default: it needs none.
    """
    looks = event["looks"] + 1
    made = {"plan": {}, "failure": {}, "package_arn": "", "meant": event.get("meant", ""), **more}
    urgent = event["request"].get("action") in URGENT
    return {"way": way, "why": why, "looks": looks, "every_s": turn_pause_s(looks, urgent=urgent), **made}


def wait(event: Event, why: str) -> Answer:
    """Ask again later.

    :param event: of the step.
    :param why: what is waited for.
    :raises ReleaseRefused: when it was asked often enough.
    """
    found = answer(event, WAIT, why)
    if found["looks"] >= event["most_looks"]:
        raise ReleaseRefused(f"a release must get its turn within {found['looks']} looks, and did not: {why}")
    return found


def rolled_back(event: Event) -> dict[str, str]:
    """The end of what this rollback takes back, in the words of who asked for it."""
    request = event["request"]
    return {"Error": stopping.ROLLED_BACK, "Cause": f"{audit.who_of(request)}: {audit.reason_of(request)}"}


def named(ended: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    """An end as what a step has caught."""
    return {ended["Error"]: ended}
