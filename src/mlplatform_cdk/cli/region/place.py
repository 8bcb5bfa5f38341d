"""Finds the regions behind one name, and where the verdict on each lives."""

import os
from collections.abc import Sequence
from typing import Any

from mlplatform_cdk.cli.console import CommandFailed
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.region_address import NAMES_PREFIX, REGIONS_PREFIX, NamesAddress, RegionAddress
from mlplatform_cdk.runtimekit.region_names import existing, regions_beside

_PATIENCE_S = 3  # a region that is lost must not hold up the others
_ATTEMPTS = 2
_ANY = "us-east-1"  # of the partition that most accounts are in


def client(service: str, region: str | None) -> Any:
    """The client of a service in a region that may be lost."""
    return aws.client(service, region=region, patience_s=_PATIENCE_S, attempts=_ATTEMPTS)


def address_in(region: str, domain: str) -> RegionAddress:
    """Where the verdict on ``region`` lives."""
    ssm = client("ssm", region)
    try:
        found = ssm.get_parameter(Name=f"{REGIONS_PREFIX}{domain}")
    except ssm.exceptions.ParameterNotFound:
        raise CommandFailed(f"no verdict on {domain} is published in this account in {region}") from None
    return RegionAddress.from_json(found["Parameter"]["Value"])


def domain_in(region: str | None, domain: str | None) -> str:
    """``domain``, or else the only one that is published in ``region``."""
    from botocore.exceptions import ClientError

    if domain:
        return domain
    try:
        found = {*_below(region, NAMES_PREFIX), *_below(region, REGIONS_PREFIX)}
    except ClientError as error:
        if error.response["Error"].get("Code") != "AccessDeniedException":
            raise
        raise CommandFailed("name the domain: those that are published may not be listed by you") from error
    if len(found) != 1:
        there = ", ".join(sorted(found)) or f"none is published in this account in {region or 'the region'}"
        raise CommandFailed(f"name the domain: {there}")
    return found.pop()


def names_of(domain: str) -> NamesAddress | None:
    """What the stack of the names publishes, if that is in the environment's region."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        found = client("ssm", here()).get_parameter(Name=f"{NAMES_PREFIX}{domain}")
    except (BotoCoreError, ClientError):  # it is lost, or elsewhere: DNS knows the regions, too
        return None
    return NamesAddress.from_json(found["Parameter"]["Value"])


def regions_of(domain: str, given: str | None) -> Sequence[str]:
    """The regions of ``domain``: as given, else of the names' stack, else those whose names exist."""
    if given:
        return [*dict.fromkeys(one.strip() for one in given.split(",") if one.strip())]
    published = names_of(domain)
    if published is not None:
        return published.regions
    names = {region: f"{region}.{domain}" for region in regions_beside(here() or _ANY)}
    found = existing(names.values())
    regions = [region for region, name in names.items() if name in found]
    if not regions:
        raise CommandFailed(
            f"the regions of {domain} are not known: its names' stack is not in {here() or 'a known region'}, and no "
            "resolver finds a region's name; give --names-region, or --regions"
        )
    return regions


def here() -> str | None:
    """The region of the environment or of the profile."""
    import boto3

    return os.environ.get("AWS_REGION") or boto3.Session().region_name


def _below(region: str | None, prefix: str) -> list[str]:
    pages = client("ssm", region).get_paginator("get_parameters_by_path").paginate(Path=prefix)
    return [one["Name"].removeprefix(prefix) for page in pages for one in page["Parameters"]]
