"""What every verb that deploys to the embedded AWS needs: the place that it plays, and what it did not honour."""

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlplatform_cdk.assembly import Assembly
    from mlplatform_cdk.local.report import DeploymentReport
    from mlplatform_cdk.local.settings import Settings


def at_place_of(assembly: "Assembly", settings: "Settings") -> "Settings":
    """``settings`` that play the account and the region of most stacks of ``assembly``, where they name some."""
    stacks = assembly.all_stacks()
    return replace(
        settings,
        account=_commonest(stack.account for stack in stacks) or settings.account,
        region=_commonest(stack.region for stack in stacks) or settings.region,
    )


def _commonest(names: "Iterable[str | None]") -> str | None:
    """The first of those that are there most often."""
    counted = Counter(name for name in names if name)
    return next((name for name, _ in counted.most_common(1)), None)


def not_honoured(report: "DeploymentReport") -> list[str]:
    """One line for each kind of resource that is only a record here, each property ignored, each note on an image."""
    records = [
        f"{kind} is a record only ({len(entry['resources'])}): {entry['why']}"
        for kind, entry in sorted(report.stand_ins.items())
    ]
    ignored = [f"{name} is ignored ({len(where)})" for name, where in sorted(report.not_honoured.items())]
    return [*records, *ignored, *report.image_notes]
