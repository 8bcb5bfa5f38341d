"""``mlplatform release history``: the audit records of an endpoint."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer

from mlplatform_cdk.cli.console import OUT
from mlplatform_cdk.cli.release.options import AsJson, Endpoint, EndpointUrl, Profile, Region, cloud
from mlplatform_cdk.cli.release.place import find
from mlplatform_cdk.runtimekit import release_facts as facts
from mlplatform_cdk.runtimekit import release_records
from mlplatform_cdk.runtimekit.release_records import Record


def history(
    endpoint: Endpoint = None,
    release: Annotated[str | None, typer.Option(help="Only the records of this execution, by its ARN.")] = None,
    newest: Annotated[int, typer.Option("--newest", "-n", min=1, help="Only so many, the newest.")] = 50,
    as_json: AsJson = False,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Show who did what to the releases of an endpoint, when and why, oldest first."""
    with cloud(region, profile, endpoint_url):
        address = find(endpoint)
        records = release_records.history(address.table, address.endpoint, release, newest=newest)
        if as_json:
            shown = [{**one.to_mapping(), "metrics": dict(one.metrics)} for one in records]
            typer.echo(json.dumps(shown, indent=2, sort_keys=True))
        else:
            _draw(records)


def _draw(records: Sequence[Record]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("at (UTC)", "release", "version", "step", "decision", "green", "who", box=None, pad_edge=False)
    for one in records:
        said = Text(one.decision)
        if one.reason:
            said.append(f"\n{one.reason}", style="dim")
        table.add_row(
            one.moment.strftime("%Y-%m-%d %H:%M:%S"),
            Text(facts.execution_name(one.release)[:8]),
            Text(facts.label(one.version)),
            Text(one.step),
            said,
            "" if one.percent is None else facts.share(one.percent),
            Text(one.who),
        )
    OUT.print(table)
