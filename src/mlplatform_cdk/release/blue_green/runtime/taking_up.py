"""What becomes of the release of a dead execution: it is brought back, or completed where it had passed all."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import audit, live, lock, recovery, stopping
from mlplatform_cdk.release.blue_green.runtime.lock_rows import Debt
from mlplatform_cdk.release.blue_green.runtime.plan import BESIDE, FINISH, RESUME
from mlplatform_cdk.release.blue_green.runtime.rolling_back import serving
from mlplatform_cdk.release.blue_green.runtime.state import APPROVED, CHANGING, REJECTED, Live
from mlplatform_cdk.release.blue_green.runtime.turns import (
    COMPLETE,
    TAKE_BACK,
    Answer,
    Event,
    answer,
    named,
    rolled_back,
    wait,
)
from mlplatform_cdk.runtimekit import release_records


def take_up(event: Event, action: str, debt: Debt) -> Answer | None:
    """What a dead execution left: to be brought back, or to be completed; None: nothing.

    :param event: of the step.
    :param action: what this execution was started for.
    :param debt: what the dead one left.
    """
    plan, endpoint = debt.plan, live.read_endpoint(event["endpoint_name"])
    if "green" not in plan:
        lock.keep(event["endpoint_name"], event["execution_arn"], {})
        return None
    if endpoint.status in CHANGING:
        return wait(event, f"the endpoint is {endpoint.status}")
    left_by = {release_records.LEFT_BY: debt.by}
    is_alone = endpoint.status == "InService" and endpoint.configuration == plan["green"]["configuration"]
    ended = _end_of(event, action, debt)
    passed = plan["finishing"] or (is_alone and plan["blue"]["exists"])
    # Somebody wants it back, and there was a version before it; where blue is gone already, that one is released again.
    had_one = plan["blue"]["exists"] and not (is_alone and plan["way"] == FINISH)
    unwanted = recovery.is_rejecting(ended["Error"]) and had_one
    if not unwanted and (passed or keeps_green(plan, endpoint)):
        audit.write(event, "TakeUp", f"complete what {debt.by} left", plan=plan, metrics=left_by)
        blue = {**plan["blue"], "exists": plan["blue"]["exists"] and not is_alone}
        return answer(event, COMPLETE, "a dead release had passed all", plan={**plan, "blue": blue})
    if debt.action == lock.ROLLBACK and ended["Error"] == recovery.ABORTED:
        plan = {**plan, "rejectable": False}  # who aborts a rollback does not speak against the version that it brings
    reason = ended["Cause"]
    audit.write(event, "TakeUp", f"bring back what {debt.by} left", plan=plan, reason=reason, metrics=left_by)
    return answer(event, TAKE_BACK, "a dead release left it", plan={**plan, "finishing": False}, failure=named(ended))


def _end_of(event: Event, action: str, debt: Debt) -> dict[str, str]:
    """Why what is left is brought back: this rollback means it, or as its own execution ended."""
    meant = event["request"].get("model_package_arn", "")
    if action == lock.ROLLBACK and meant in ("", debt.plan.get("package_arn")):
        return rolled_back(event)
    return stopping.ending_of(debt.by)


def keeps_green(plan: Mapping[str, Any], endpoint: Live) -> bool:
    """True when green has all the traffic and is approved, and blue is there and was rejected: back would be wrong.

    :param plan: of the release.
    :param endpoint: the endpoint now.
    """
    blue, now = plan["blue"], serving(endpoint)
    if plan["way"] not in (BESIDE, RESUME) or not blue["exists"] or not blue["package_arn"] or now is None:
        return False
    if now.name != plan["green"]["variant"] or now.package_arn != plan["package_arn"]:
        return False
    if endpoint.variant(blue["variant"]) is None:
        return False
    rejected = live.read_approval(blue["package_arn"]).status == REJECTED
    return rejected and live.read_approval(plan["package_arn"]).status == APPROVED
