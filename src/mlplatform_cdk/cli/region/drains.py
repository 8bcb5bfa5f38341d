"""``mlplatform region drain``: callers are led to the other regions, until somebody restores this one."""

import time
from typing import Annotated, Any

import typer
from rich.markup import escape

from mlplatform_cdk.cli.console import OUT
from mlplatform_cdk.cli.region import control, place
from mlplatform_cdk.cli.region.options import Domain, NamesRegion, Place, Regions, Switch, SwitchesFile
from mlplatform_cdk.cli.region.view import drained_of, look_at, moment
from mlplatform_cdk.cli.release.options import EndpointUrl, Profile, cloud, refuse
from mlplatform_cdk.runtimekit.region_address import RegionAddress

Row = dict[str, Any]
Why = Annotated[str, typer.Option("--reason", "-r", help="Why; it is kept beside the verdict, with your name.")]
EvenTheLast = Annotated[
    bool, typer.Option("--even-the-last", help="Even if no other region is known to be in service.")
]


def drain(
    region: Place,
    domain: Domain = None,
    *,
    reason: Why,
    even_the_last: EvenTheLast = False,
    switch: Switch = False,
    switches: SwitchesFile = None,
    regions: Regions = None,
    names_region: NamesRegion = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Take a region out of service: nobody is led there, and its own name still answers."""
    with cloud(names_region, profile, endpoint_url):
        if switch or switches:
            known = control.known(domain, switches)
            others = [] if even_the_last else _others(known.domain, region, regions or ",".join(known.controls))
            taken = control.set_state(known, region, on=False)
            OUT.print(
                escape(f"{region} is switched off, by the cluster's endpoint in {taken}{_left(others)}"), soft_wrap=True
            )
            return
        name = place.domain_in(region, domain)
        address = place.address_in(region, name)
        others = [] if even_the_last else _others(name, region, regions)
        told = _drain(address, reason)
        if not even_the_last and not _in_service(name, others):  # somebody drained the others meanwhile
            _take_back(address, told)
            refuse(f"{region} was drained and at once restored: meanwhile, no other region of {name} is in service")
        by = told["M"]["by"]["S"]
        said = f"{region} is drained by {by}; its probe publishes that with its next round{_left(others)}"
        OUT.print(escape(said), soft_wrap=True)


def update(address: RegionAddress, expression: str, condition: str, values: Row | None = None) -> Row:
    """Change ``drain`` of the region's row, and nothing else; gives the row as it was."""
    dynamodb = place.client("dynamodb", address.region)
    given: Row = {"ExpressionAttributeValues": values} if values else {}
    answer: Row = dynamodb.update_item(
        TableName=address.table,
        Key={"endpoint": {"S": address.endpoint}},
        UpdateExpression=expression,
        ConditionExpression=condition,
        ExpressionAttributeNames={"#drain": "drain"},
        ReturnValues="ALL_OLD",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
        **given,
    )
    before: Row = answer.get("Attributes", {})
    return before


def _others(domain: str, region: str, given: str | None) -> list[str]:
    """The other regions that are in service; there must be one."""
    candidates = [one for one in place.regions_of(domain, given) if one != region]
    left = _in_service(domain, candidates)
    if not left:
        known = ", ".join(candidates) or "there is none"
        refuse(
            f"no other region of {domain} is in service ({known}), and {region} would be the last; "
            "see mlplatform region status, or drain --even-the-last"
        )
    return left


def _in_service(domain: str, regions: list[str]) -> list[str]:
    return [one.region for one in look_at(domain, regions) if one.serves] if regions else []


def _drain(address: RegionAddress, reason: str) -> Row:
    """Write who drains the region and why, unless somebody has."""
    who: str = place.client("sts", address.region).get_caller_identity()["Arn"]
    by = who.split(":", 5)[-1]
    told = {"M": {"by": {"S": by}, "reason": {"S": reason}, "at": {"N": str(int(time.time() * 1000))}}}
    dynamodb = place.client("dynamodb", address.region)
    try:
        update(address, "SET #drain = :drain", "attribute_not_exists(#drain)", {":drain": told})
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        had = drained_of(error.response.get("Item", {}))
        since = f" by {had.by} since {moment(had.at)}: {had.reason or 'no reason given'}" if had else ""
        refuse(f"{address.region} is drained already{since}")
    return told


def _take_back(address: RegionAddress, told: Row) -> None:
    """End this drain, and nobody else's."""
    dynamodb = place.client("dynamodb", address.region)
    try:
        update(address, "REMOVE #drain", "#drain = :drain", {":drain": told})
    except dynamodb.exceptions.ConditionalCheckFailedException:
        return  # somebody has restored it already


def _left(regions: list[str]) -> str:
    return f"; callers are led to {', '.join(regions)}" if regions else ""
