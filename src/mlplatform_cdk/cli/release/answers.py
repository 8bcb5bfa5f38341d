"""``mlplatform release approve`` and ``reject``: a person's answer to a release that waits."""

import os
from typing import Annotated

import typer
from rich.markup import escape

from mlplatform_cdk.cli.console import OUT
from mlplatform_cdk.cli.release.options import Endpoint, EndpointUrl, Profile, Reason, Region, caller, cloud
from mlplatform_cdk.cli.release.place import find
from mlplatform_cdk.runtimekit import release_facts, release_gates
from mlplatform_cdk.runtimekit.release_records import BUS_VARIABLE

Gate = Annotated[
    str, typer.Option("--gate", help="The gate that is meant, as the message names it; default: the open one.")
]


def approve(
    endpoint: Endpoint = None,
    gate: Gate = "",
    reason: Reason = "",
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Let a release that waits at a gate go on."""
    with cloud(region, profile, endpoint_url):
        _decide(endpoint, gate, reason, approved=True)


def reject(
    endpoint: Endpoint = None,
    gate: Gate = "",
    reason: Reason = "",
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Send a release that waits at a gate back."""
    with cloud(region, profile, endpoint_url):
        _decide(endpoint, gate, reason, approved=False)


def _decide(endpoint: str | None, gate_id: str, reason: str, *, approved: bool) -> None:
    address = find(endpoint)
    os.environ[BUS_VARIABLE] = address.bus
    gate = release_gates.decide(
        address.table, address.endpoint, approve=approved, who=caller(), reason=reason, gate_id=gate_id
    )
    way = "goes on" if approved else "goes back"
    said = f"{gate.decision} by {gate.who}: {release_facts.label(gate.version)} on {gate.endpoint} {way}"
    OUT.print(escape(said), soft_wrap=True)
