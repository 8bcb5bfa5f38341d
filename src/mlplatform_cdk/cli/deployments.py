"""What every verb that deploys to the embedded AWS needs: the place that it plays, and what it did not honour."""

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlplatform_cdk.assembly import Assembly
    from mlplatform_cdk.local.report import DeploymentReport
    from mlplatform_cdk.local.settings import Settings


def at_place_of(assembly: "Assembly", settings: "Settings") -> "Settings":
    """``settings`` that play the account and the region that ``assembly`` goes to, where it names them."""
    stacks = assembly.all_stacks()
    return replace(
        settings,
        account=next((stack.account for stack in stacks if stack.account), settings.account),
        region=next((stack.region for stack in stacks if stack.region), settings.region),
    )


def not_honoured(report: "DeploymentReport") -> list[str]:
    """One line for each kind of resource that is only a record here, each property ignored, each note on an image."""
    records = [
        f"{kind} is a record only ({len(entry['resources'])}): {entry['why']}"
        for kind, entry in sorted(report.stand_ins.items())
    ]
    ignored = [f"{name} is ignored ({len(where)})" for name, where in sorted(report.not_honoured.items())]
    return [*records, *ignored, *report.image_notes]
