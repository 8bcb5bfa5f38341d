"""``mlplatform region switches``: which regions are switched on, and where the switches are, to be kept."""

import json

import typer
from rich.table import Table
from rich.text import Text

from mlplatform_cdk.cli.console import OUT
from mlplatform_cdk.cli.region import control
from mlplatform_cdk.cli.region.options import Domain, NamesRegion, SwitchesFile
from mlplatform_cdk.cli.release.options import AsJson, EndpointUrl, Profile, cloud


def switches(
    domain: Domain = None,
    switches: SwitchesFile = None,
    as_json: AsJson = False,
    names_region: NamesRegion = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Show the routing controls; keep their JSON for the day on which other regions cannot be asked."""
    with cloud(names_region, profile, endpoint_url):
        known = control.known(domain, switches)
        states = {region: control.state_of(known, region) for region in known.controls}
        if as_json:
            typer.echo(json.dumps({**known.to_mapping(), "states": states}, indent=2, sort_keys=True))
            return
        table = Table("region", "switch", box=None, pad_edge=False)
        for region, state in states.items():
            table.add_row(Text(region), Text(state, style="green" if state == "On" else "yellow"))
        OUT.print(table)
