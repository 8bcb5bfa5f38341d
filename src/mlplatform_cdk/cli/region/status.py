"""``mlplatform region status``: the regions behind one name, and which version each serves."""

import json
from collections.abc import Mapping, Sequence

import typer
from rich.table import Table
from rich.text import Text

from mlplatform_cdk.cli.console import OUT, CommandFailed
from mlplatform_cdk.cli.region import place
from mlplatform_cdk.cli.region.control import OFF, UNKNOWN
from mlplatform_cdk.cli.region.options import Domain, NamesRegion, Regions
from mlplatform_cdk.cli.region.view import Seen, look_at, moment
from mlplatform_cdk.cli.release.options import AsJson, EndpointUrl, Profile, cloud
from mlplatform_cdk.runtimekit.region_health import DRAINED, IN_SERVICE

_COLOURS: Mapping[str, str] = {IN_SERVICE: "green", DRAINED: "yellow"}


def status(
    domain: Domain = None,
    regions: Regions = None,
    as_json: AsJson = False,
    names_region: NamesRegion = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Show every region: its verdict and since when, the version that serves, who drained it, and its alarm."""
    with cloud(names_region, profile, endpoint_url):
        name = place.domain_in(place.here(), domain)
        seen = look_at(name, place.regions_of(name, regions))
        if not any(one.read_from for one in seen):
            raise CommandFailed(f"no region of {name} can be reached: {seen[0].region}: {seen[0].problem}")
        if as_json:
            told = {"domain": name, "regions": [one.to_mapping() for one in seen], "versions": versions(seen)}
            typer.echo(json.dumps(told, indent=2, sort_keys=True))
        else:
            _draw(name, seen)


def versions(seen: Sequence[Seen]) -> Mapping[str, Sequence[str]]:
    """By the digest of each version that serves, the regions that have it."""
    known = sorted({one.version for one in seen if one.version})
    return {version: [one.region for one in seen if one.version == version] for version in known}


def _draw(domain: str, seen: Sequence[Seen]) -> None:
    serving = sum(one.serves for one in seen)
    OUT.print(Text.assemble((domain, "bold"), f"  {serving} of {len(seen)} regions in service"))
    table = Table("region", "verdict", "since (UTC)", "version", "golden", "alarm", box=None, pad_edge=False)
    for one in seen:
        since = moment(one.since).removesuffix("+00:00").replace("T", " ")
        verdict = Text(one.status, style=_COLOURS.get(one.status, "red"))
        table.add_row(Text(one.region), verdict, since, Text(_version(one)), Text(one.golden), Text(one.alarm))
    OUT.print(table)
    for one in seen:
        for line in _notes(one):
            OUT.print(Text(f"{one.region}: {line}", style="dim"), soft_wrap=True)
    served = versions(seen)
    if len(served) > 1:
        each = "; ".join(f"{', '.join(regions)}: {_named(seen, version)}" for version, regions in served.items())
        OUT.print(Text(f"The regions serve different versions: {each}", style="bold yellow"), soft_wrap=True)


def _notes(one: Seen) -> list[str]:
    """What a person should know of a region, besides its verdict."""
    notes = []
    if one.drained is not None:
        when = f" at {moment(one.drained.at)}" if one.drained.at else ""
        soon = "" if one.status == DRAINED else "; its probe has not published that yet"
        notes.append(f"drained by {one.drained.by}{when}: {one.drained.reason or 'no reason given'}{soon}")
    if one.switch == OFF:
        notes.append("switched off: Route 53 leads nobody there")
    elif one.switch == UNKNOWN:
        notes.append("it has a switch, whose state cannot be asked")
    if one.reason and one.drained is None and one.status != IN_SERVICE:
        notes.append(one.reason)
    if one.bad_version:
        notes.append(f"the version {one.bad_version} is wrong wherever it serves; its release must go back")
    if one.problem:
        what = {"/health": "its table cannot be read, and /health says this", "table": "its alarm cannot be read"}
        notes.append(f"{what.get(one.read_from, 'it cannot be reached')}: {one.problem}")
    return notes


def _named(seen: Sequence[Seen], version: str) -> str:
    label = next((one.label for one in seen if one.version == version and one.label), "")
    return f"{label} ({version})" if label else version


def _version(one: Seen) -> str:
    return f"{one.label} ({one.version})" if one.label and one.version else one.label or one.version
