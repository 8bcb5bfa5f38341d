"""One release as it is now: its records, its execution, its gate."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mlplatform_cdk.cli.console import CommandFailed
from mlplatform_cdk.cli.release import place
from mlplatform_cdk.cli.release.place import Execution
from mlplatform_cdk.runtimekit import release_facts, release_gates, release_records
from mlplatform_cdk.runtimekit.release_address import ReleaseAddress
from mlplatform_cdk.runtimekit.release_gates import OpenGate
from mlplatform_cdk.runtimekit.release_records import Record

_RECENT = 200  # records among which the newest release is looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A release.

    :param address: where it lives.
    :param execution: of the machine.
    :param records: what it did so far, oldest first.
    :param gate: where it waits for a person; None: it does not.
    """

    address: ReleaseAddress
    execution: Execution
    records: tuple[Record, ...]
    gate: OpenGate | None

    @property
    def version(self) -> str:
        """The ARN of what is released; empty: it is not known yet."""
        return next((one.version for one in reversed(self.records) if one.version), "")

    @property
    def percent(self) -> float | None:
        """Green's share of the traffic; None: nothing was said about it."""
        return next((one.percent for one in reversed(self.records) if one.percent is not None), None)

    @property
    def metrics(self) -> dict[str, Any]:
        """What was measured last."""
        return dict(next((one.metrics for one in reversed(self.records) if one.metrics.get("green")), {}))

    @property
    def lasts_s(self) -> float:
        """Seconds from its first record to now, or to its last one where it has ended."""
        if not self.records:
            return 0.0
        end = datetime.now(UTC) if self.execution.runs else self.records[-1].moment
        return (end - self.records[0].moment).total_seconds()

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return {
            "endpoint": self.address.endpoint,
            "release": self.execution.arn,
            "status": self.execution.status,
            "error": self.execution.error,
            "cause": self.execution.cause,
            "version": self.version,
            "percent": self.percent,
            "metrics": self.metrics,
            "gate": _gate(self.gate),
            "steps": self.address.strategy.get("steps", []),
            "records": [{**one.to_mapping(), "metrics": dict(one.metrics)} for one in self.records],
        }


def look(address: ReleaseAddress, release: str | None = None) -> Seen:
    """The release that runs, or the last one, or the one that is asked for.

    :param address: of the endpoint's releases.
    :param release: the ARN or the name of an execution; default: the one that runs, else the last one.
    """
    arn = _meant(address, release)
    records = release_records.whole(address.table, address.endpoint, arn)
    execution = place.describe(arn)
    if not records and not execution.status:
        raise CommandFailed(f"{address.endpoint} has no release {release_facts.execution_name(arn)}")
    gate = release_gates.read_gate(address.table, address.endpoint)
    waits = gate is not None and gate.release == arn and execution.runs and gate.is_open(datetime.now(UTC))
    return Seen(address=address, execution=execution, records=tuple(records), gate=gate if waits else None)


def _meant(address: ReleaseAddress, release: str | None) -> str:
    if release:
        prefix = address.machine.replace(":stateMachine:", ":execution:")
        return release if release.startswith("arn:") else f"{prefix}:{release}"
    now = place.running(address)
    if now is not None:
        return now.arn
    recent = release_records.history(address.table, address.endpoint, newest=_RECENT)
    if not recent:
        raise CommandFailed(f"{address.endpoint} has had no release yet")
    # What retired a version, or tidied up after another execution, says nothing about traffic.
    return next((one.release for one in reversed(recent) if one.percent is not None), recent[-1].release)


def _gate(gate: OpenGate | None) -> dict[str, Any] | None:
    if gate is None:
        return None
    return {"id": gate.id, "percent": gate.percent, "opened": gate.opened, "expires": gate.expires}
