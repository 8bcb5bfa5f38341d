"""What a deployment to the embedded AWS did not honour, by name, for every verb that deploys."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlplatform_cdk.local.report import DeploymentReport


def not_honoured(report: "DeploymentReport") -> list[str]:
    """One line for each kind of resource that is only a record here, each property ignored, each note on an image."""
    records = [
        f"{kind} is a record only ({len(entry['resources'])}): {entry['why']}"
        for kind, entry in sorted(report.stand_ins.items())
    ]
    ignored = [f"{name} is ignored ({len(where)})" for name, where in sorted(report.not_honoured.items())]
    return [*records, *ignored, *report.image_notes]
