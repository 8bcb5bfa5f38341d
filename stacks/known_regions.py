"""Regions that CDK knows: a misspelt one looks like any other, and its stacks would go nowhere."""

from collections.abc import Iterable


def listed(told: object) -> tuple[str, ...]:
    """The names in a list of the context, such as ``us-west-2,ap-south-1``."""
    return tuple(one.strip() for one in str(told or "").split(",") if one.strip())


def unknown_region(regions: Iterable[str], newer: Iterable[str]) -> str:
    """What is wrong with the first of ``regions`` that is neither known nor among ``newer``, or nothing."""
    # Here, since an environment of one region, as it stands in environments.py, loads neither.
    from difflib import get_close_matches

    from aws_cdk import region_info

    known = {*region_info.Fact.regions, *newer}
    name = next((region for region in regions if region not in known), None)
    if name is None:
        return ""
    close = get_close_matches(name, sorted(known), n=1)
    meant = f"; try {close[0]!r}, or" if close else "; try"
    return f"the region must be one that CDK knows, got {name!r}{meant} -c newer_regions={name} if CDK is older than it"
