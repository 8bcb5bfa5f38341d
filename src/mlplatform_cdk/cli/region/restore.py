"""``mlplatform region restore``: a region that was drained may serve again."""

from rich.markup import escape

from mlplatform_cdk.cli.console import OUT
from mlplatform_cdk.cli.region import control, place
from mlplatform_cdk.cli.region.drains import update
from mlplatform_cdk.cli.region.options import Domain, NamesRegion, Place, Switch, SwitchesFile
from mlplatform_cdk.cli.region.view import drained_of
from mlplatform_cdk.cli.release.options import EndpointUrl, Profile, cloud, refuse


def restore(
    region: Place,
    domain: Domain = None,
    switch: Switch = False,
    switches: SwitchesFile = None,
    names_region: NamesRegion = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """End a drain: the region serves again when its probe finds it well."""
    with cloud(names_region, profile, endpoint_url):
        if switch or switches:
            taken = control.set_state(control.known(domain, switches), region, on=True)
            OUT.print(escape(f"{region} is switched on, by the cluster's endpoint in {taken}"), soft_wrap=True)
            return
        address = place.address_in(region, place.domain_in(region, domain))
        dynamodb = place.client("dynamodb", region)
        try:
            before = update(address, "REMOVE #drain", "attribute_exists(#drain)")
        except dynamodb.exceptions.ConditionalCheckFailedException:
            refuse(f"{region} is not drained; mlplatform region status says why it is not in service")
        had = drained_of(before)
        whose = f", which {had.by} had drained ({had.reason or 'no reason given'})" if had else ""
        OUT.print(escape(f"restored {region}{whose}; it serves when its probe finds it well"), soft_wrap=True)
