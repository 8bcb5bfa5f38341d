"""One A/B test as it is now: its variants, what they have gathered, and the execution that runs it."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from mlplatform_cdk.cli.console import CommandFailed
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.ab_test import items, state, tallies
from mlplatform_cdk.runtimekit.ab_test.address import PREFIX, TestAddress
from mlplatform_cdk.runtimekit.ab_test.state import TestState
from mlplatform_cdk.runtimekit.ab_test.tallies import Tally

Name = Annotated[
    str | None, typer.Argument(help="The test; may be left out where the account and region have one only.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A test.

    :param address: where it lives.
    :param execution: the ARN of the execution that runs it; empty: none does.
    :param state: its last run; None: it has never let callers in.
    :param gathered: what each variant of that run has gathered.
    :param said: what the last look came to; empty: there was none.
    """

    address: TestAddress
    execution: str
    state: TestState | None
    gathered: tuple[Tally, ...] = ()
    said: str = ""

    @property
    def report(self) -> str:
        """Where the report of the run lies."""
        return f"{self.address.reports}{self.state.run}/report.html" if self.state and self.said else ""

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        arms = self.state.arms if self.state else ()
        return {
            "test": self.address.name,
            "endpoint": self.address.endpoint,
            "execution": self.execution,
            "run": self.state.run if self.state else "",
            "status": self.state.status if self.state else "",
            "looks": self.state.looks if self.state else 0,
            "most_looks": self.state.plan.looks if self.state else 0,
            "started": self.state.started if self.state else "",
            "said": self.said,
            "report": self.report,
            "variants": [
                {
                    "variant": arm.variant,
                    "version": arm.version,
                    "share": arm.share,
                    "out": arm.out,
                    "keys": tally.exposed,
                    "metrics": {
                        name: {"samples": sums.count, "mean": float(sums.total / sums.count) if sums.count else None}
                        for name, sums in sorted(tally.metrics.items())
                    },
                }
                for arm, tally in zip(arms, self.gathered, strict=True)
            ],
        }


def find(name: str | None) -> TestAddress:
    """Where the test ``name`` lives; without a name, the only one."""
    client = aws.client("ssm")
    pages = client.get_paginator("get_parameters_by_path").paginate(Path=PREFIX)
    if name is None:
        names = sorted(one["Name"].removeprefix(PREFIX) for page in pages for one in page["Parameters"])
        if len(names) != 1:
            there = ", ".join(names) or "none is published in this account and region"
            raise CommandFailed(f"name the A/B test: {there}")
        return find(names[0])
    try:
        found = client.get_parameter(Name=f"{PREFIX}{name}")["Parameter"]["Value"]
    except client.exceptions.ParameterNotFound:
        raise CommandFailed(f"no A/B test {name} is published in this account and region") from None
    return TestAddress.from_json(found)


def running(address: TestAddress) -> str:
    """The ARN of the execution that runs the test; empty: none does."""
    found = aws.client("stepfunctions").list_executions(stateMachineArn=address.machine, statusFilter="RUNNING")
    return next((str(one["executionArn"]) for one in found["executions"]), "")


def look(address: TestAddress) -> Seen:
    """The test as it is now."""
    known, execution = state.read(address.table, address.name), running(address)
    if known is None:
        return Seen(address=address, execution=execution, state=None)
    looks = [item["look"] for item in items.query(address.table, f"looks#{known.run}")]
    return Seen(
        address=address,
        execution=execution,
        state=known,
        gathered=tuple(tallies.read(address.table, known.run, arm.variant) for arm in known.arms),
        said=json.loads(looks[-1])["reason"] if looks else "",
    )
