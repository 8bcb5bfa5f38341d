"""Back to the version before the live one, while it is kept beside it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.blue import blue_of
from mlplatform_cdk.release.blue_green.runtime.plan import configuration_name
from mlplatform_cdk.release.blue_green.runtime.state import Live, Variant, label_of

ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A version, as the registry lists it.

    :param arn: of the package.
    :param number: its version.
    :param approval: its approval status.
    :param stage_status: its status in the stage Production; empty: it was never there.
    """

    arn: str
    number: int
    approval: str
    stage_status: str


def serving(live: Live) -> Variant | None:
    """The one variant that has the traffic; None: there is none, or the traffic is split."""
    taking = [one for one in live.variants if one.weight > 0]
    return taking[0] if len(taking) == 1 else None


def has_traffic(live: Live, package_arn: str) -> bool:
    """True when a variant of the version takes requests."""
    return any(one.weight > 0 and one.package_arn == package_arn for one in live.variants)


def is_rejected(versions: Iterable[Listed], package_arn: str) -> bool:
    """True when the registry says of the version that it is rejected."""
    return any(one.arn == package_arn and one.approval == "Rejected" for one in versions)


def was_in_production(versions: Iterable[Listed], package_arn: str) -> bool:
    """True of an approved version that was in production: what else stands without traffic was perhaps never tested."""
    return any(one.arn == package_arn and one.approval == "Approved" and one.stage_status for one in versions)


def rollback_plan(live: Live, *, prefix: str, execution_arn: str) -> dict[str, Any] | None:
    """The plan whose way back is the rollback; None: nothing is kept beside the live version.

    :param live: the endpoint now.
    :param prefix: of the endpoint's names.
    :param execution_arn: who rolls back.
    """
    green = serving(live)
    kept = next((one for one in live.variants if one.weight <= 0 and one.package_arn), None)
    if green is None or kept is None:
        return None
    number = kept.package_arn.rsplit("/", 1)[-1]
    as_large = replace(kept, instances=max(kept.instances, green.instances), weight=green.weight)
    alone = configuration_name(prefix, number, execution_arn, "blue")
    return {
        "way": ROLLBACK,
        "before": "",
        "finishing": False,
        "label": label_of(green.package_arn),
        "package_arn": green.package_arn,
        "green": {"variant": green.name, "configuration": ""},
        "blue": blue_of(as_large, live, alone=alone),
        "shared": {"configuration": live.configuration, "keyed": live.keyed},
        # The kept variant scales as the live one did.
        "scaled": [{**one.to_mapping(), "variant": kept.name} for one in live.targets if one.variant == green.name],
        "rejectable": True,
    }


def previous(versions: Iterable[Listed], *, live_arn: str) -> Listed | None:
    """The approved version that was in production last before ``live_arn``: the newest that was there.

    :param versions: of the group.
    :param live_arn: the version that serves now.
    """
    candidates: Sequence[Listed] = [
        one for one in versions if one.arn != live_arn and one.approval == "Approved" and one.stage_status
    ]
    return max(candidates, key=lambda one: one.number, default=None)


def taken_back_before(versions: Iterable[Listed], *, live_arn: str) -> Listed | None:
    """The newest version that was taken back from production before the live one; None: there is none.

    :param versions: of the group.
    :param live_arn: the version that serves now.
    """
    known = [*versions]
    live = next((one.number for one in known if one.arn == live_arn), 0)
    gone = [one for one in known if one.number > live and one.stage_status and one.approval == "Rejected"]
    return max(gone, key=lambda one: one.number, default=None)


def is_still_kept(plan: Mapping[str, Any], live: Live) -> bool:
    """True when the endpoint is as the release of ``plan`` left it, with blue beside green and without traffic.

    :param plan: of that release.
    :param live: the endpoint now.
    """
    blue, green = live.variant(plan["blue"]["variant"]), live.variant(plan["green"]["variant"])
    if live.status != "InService" or live.configuration != plan["shared"]["configuration"]:
        return False
    return blue is not None and green is not None and blue.weight <= 0 < green.weight
