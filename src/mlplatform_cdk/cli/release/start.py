"""``mlplatform release start``: what a release will do and cost, and then its start."""

import json
from typing import Annotated, Any

import typer
from rich.markup import escape

from mlplatform_cdk.cli.console import ERR, OUT, CommandFailed
from mlplatform_cdk.cli.release.options import (
    AsJson,
    EndpointUrl,
    Follow,
    Profile,
    Reason,
    Region,
    caller,
    cloud,
    refuse,
)
from mlplatform_cdk.cli.release.place import find
from mlplatform_cdk.cli.release.place import start as start_machine
from mlplatform_cdk.cli.release.price import price_of
from mlplatform_cdk.cli.release.status import follow_release
from mlplatform_cdk.runtimekit import aws, release_facts
from mlplatform_cdk.runtimekit.release_address import ReleaseAddress

_APPROVED = "Approved"


def start(
    endpoint: Annotated[str, typer.Argument(help="The endpoint.")],
    version: Annotated[str, typer.Argument(help="The version: its number, or the ARN of its model package.")],
    reason: Reason = "",
    supersede: Annotated[
        bool, typer.Option("--supersede", help="End the release that runs, and take its place.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether what is shown is meant.")] = False,
    follow: Follow = False,
    as_json: AsJson = False,
    region: Region = None,
    profile: Profile = None,
    endpoint_url: EndpointUrl = None,
) -> None:
    """Show what the release of a version will do and cost, and start it."""
    with cloud(region, profile, endpoint_url):
        address = find(endpoint)
        package = _package(address, version)
        if package["ModelApprovalStatus"] != _APPROVED:
            name = release_facts.label(package["ModelPackageArn"])
            refuse(f"{name} must be Approved to be released, got {package['ModelApprovalStatus']}")
        price = price_of(address)
        for line in (_what(address, package["ModelPackageArn"]), *(() if address.is_train else price.sentences)):
            ERR.print(escape(line), soft_wrap=True)
        if not (yes or as_json) and not typer.confirm("Start it?", err=True):
            refuse("nothing was started")
        request = {"action": "release", "model_package_arn": package["ModelPackageArn"], "by": "hand", "who": caller()}
        request |= {"reason": reason} if reason else {}
        arn = start_machine(address, request | ({"supersede": True} if supersede else {}))
        if as_json:
            typer.echo(json.dumps({"release": arn, "endpoint": endpoint, "cost": price.to_mapping()}, indent=2))
        else:
            OUT.print(escape(f"started {arn}"), soft_wrap=True)
        if follow:
            follow_release(address, arn, as_json=False)


def _package(address: ReleaseAddress, version: str) -> dict[str, Any]:
    """The model package that is meant."""
    arn = version if version.startswith("arn:") else _arn_of(address, version)
    client = aws.client("sagemaker")
    found: dict[str, Any] = client.describe_model_package(ModelPackageName=arn)
    return found


def _arn_of(address: ReleaseAddress, number: str) -> str:
    if not number.isdecimal():
        raise CommandFailed(f"the version must be a number or the ARN of a model package, got {number!r}")
    if not address.group:
        raise CommandFailed(f"the releases of {address.endpoint} name no group of versions; give the version's ARN")
    pages = aws.client("sagemaker").get_paginator("list_model_packages")
    for page in pages.paginate(ModelPackageGroupName=address.group):
        for one in page["ModelPackageSummaryList"]:
            if str(one.get("ModelPackageVersion")) == number:
                return str(one["ModelPackageArn"])
    raise CommandFailed(f"{address.group} has no version {number}")


def _what(address: ReleaseAddress, package_arn: str) -> str:
    """The plan in a sentence."""
    if address.is_train:
        return f"{release_facts.label(package_arn)} by the train {address.endpoint}; each stop's release has its price."
    strategy = address.strategy
    steps = ", ".join(f"{one:g}" for one in strategy.get("steps", [])) or "an unknown schedule"
    gates = ", ".join(f"{one['at_percent']:g}" for one in strategy.get("gates", []))
    asks = f"; a person is asked at {gates} %" if gates else ""
    return f"{release_facts.label(package_arn)} to {address.endpoint}: {steps} % of the traffic{asks}."
