"""The VPCs of a plan's other regions, whose probes ask this one: what of them could never be."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network, ip_network
from itertools import combinations

from mlplatform_cdk.core import is_known


def wrong_vpcs(here: str, regions: Sequence[str], vpcs: Mapping[str, str]) -> str:
    """Why the regions could not ask each other by ``vpcs``; empty: each could.

    :param here: this region.
    :param regions: all regions of the plan.
    :param vpcs: region to the addresses of its VPC; empty: none is reached.
    """
    others = [one for one in regions if one != here]
    if vpcs and {*vpcs} != {*others}:
        return (
            f"other_vpcs must name each other region of the plan ({', '.join(others) or 'it has none'}), "
            f"got {', '.join(vpcs)}"
        )
    known = {region: addresses for region, addresses in vpcs.items() if is_known(addresses)}
    networks = {region: _network(addresses) for region, addresses in known.items()}
    for region, network in networks.items():
        if network is None:
            return f"other_vpcs must be addresses such as '10.1.0.0/16', got {known[region]!r} for {region}"
    # AWS peers no VPCs whose addresses overlap: https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html
    for (one, its), (other, theirs) in combinations(networks.items(), 2):
        if its is not None and theirs is not None and its.overlaps(theirs):
            return f"other_vpcs must not overlap, or no route leads to both, got {its} of {one} and {theirs} of {other}"
    return ""


def _network(addresses: str) -> IPv4Network | None:
    try:
        found = ip_network(addresses)
    except ValueError:
        return None
    return found if isinstance(found, IPv4Network) else None
