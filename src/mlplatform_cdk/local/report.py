"""What a deployment to the embedded AWS did, and what of the templates a rehearsal does not honour."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentEvent:
    """One step of a deployment, as it happens."""

    stack: str
    logical_id: str
    resource_type: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackReport:
    """What became of one stack."""

    name: str
    action: str
    resources: int
    seconds: float
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class DeploymentReport:
    """What became of them all.

    :param stand_ins: resource type to why it is only a record, and of which resources.
    :param unsupported: types (with a resource each) that the embedded AWS does not have; the deployment failed.
    :param not_honoured: ``type.property`` to the resources whose property is ignored.
    :param image_notes: what of the Dockerfiles is not honoured.
    """

    stacks: list[StackReport] = field(default_factory=list)
    stand_ins: dict[str, dict[str, Any]] = field(default_factory=dict)
    unsupported: list[str] = field(default_factory=list)
    not_honoured: dict[str, list[str]] = field(default_factory=dict)
    image_notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def resources(self) -> int:
        """How many resources stand."""
        return sum(stack.resources for stack in self.stacks)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for ``--json``."""
        return asdict(self) | {"resources": self.resources}

    def note_stand_in(self, resource_type: str, resource: str, why: str) -> None:
        """Remember a record that stands for a resource."""
        entry = self.stand_ins.setdefault(resource_type, {"why": why, "resources": []})
        if resource not in entry["resources"]:
            entry["resources"].append(resource)

    def note_ignored(self, resource_type: str, resource: str, properties: tuple[str, ...]) -> None:
        """Remember properties that are not honoured."""
        for name in properties:
            resources = self.not_honoured.setdefault(f"{resource_type}.{name}", [])
            if resource not in resources:
                resources.append(resource)


class DeploymentFailed(RuntimeError):
    """A deployment that did not succeed; the message names the resource and the reason.

    :param report: what was done up to then.
    """

    def __init__(self, problem: str, report: DeploymentReport) -> None:
        super().__init__(problem)
        self.report = report
