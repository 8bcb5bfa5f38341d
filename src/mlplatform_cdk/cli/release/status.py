"""``mlplatform release status``: where a release stands, drawn over time."""

import json
import time
from typing import Annotated

import typer

from mlplatform_cdk.cli.console import CLOSED, ERR, OUT
from mlplatform_cdk.cli.release.options import AsJson, Endpoint, EndpointUrl, Follow, Profile, Region, cloud
from mlplatform_cdk.cli.release.place import find
from mlplatform_cdk.cli.release.view import Seen, look
from mlplatform_cdk.runtimekit.release_address import ReleaseAddress

_EVERY_S = 2.0


def status(
    endpoint: Endpoint = None,
    release: Annotated[
        str | None, typer.Option(help="The ARN or the name of an execution; default: the one that runs, or the last.")
    ] = None,
    follow: Follow = False,
    as_json: AsJson = False,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Draw the release that runs, or the last one: its traffic over time, its decisions, what was measured."""
    with cloud(region, profile, endpoint_url):
        address = find(endpoint)
        if follow:
            follow_release(address, release, as_json=as_json)
        else:
            show(look(address, release), as_json=as_json)


def follow_release(address: ReleaseAddress, release: str | None, *, as_json: bool) -> None:
    """Show a release until it ends, and end with 1 unless it succeeded."""
    from rich.live import Live

    from mlplatform_cdk.cli.release.timeline import drawn

    seen = look(address, release)
    with Live(drawn(seen), console=ERR, auto_refresh=False, transient=True) as screen:
        while seen.execution.runs:
            time.sleep(_EVERY_S)
            seen = look(address, seen.execution.arn)
            screen.update(drawn(seen), refresh=True)
    show(seen, as_json=as_json)
    if seen.execution.status != "SUCCEEDED":
        raise typer.Exit(CLOSED)


def show(seen: Seen, *, as_json: bool) -> None:
    """Write it to stdout."""
    from mlplatform_cdk.cli.release.timeline import drawn

    if as_json:
        typer.echo(json.dumps(seen.to_mapping(), indent=2, sort_keys=True))
    else:
        OUT.print(drawn(seen))
