"""The private addresses of network interfaces, in the order of their subnets: ``Address0``, ``Address1`` and so on."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlplatform_cdk.routing.internal_api.runtime.answering import answer
from mlplatform_cdk.runtimekit import aws


def handle(event: Mapping[str, Any], context: object) -> None:  # noqa: ARG001 - Lambda's signature
    """Answer CloudFormation for the interfaces that ``event`` names."""
    answer(event, "addresses", lambda: _addresses(event["ResourceProperties"]["NetworkInterfaceIds"]))


def _addresses(interfaces: Sequence[str]) -> dict[str, str]:
    found = aws.client("ec2").describe_network_interfaces(NetworkInterfaceIds=[*interfaces])["NetworkInterfaces"]
    ordered = sorted(found, key=lambda one: str(one["SubnetId"]))
    return {f"Address{index}": str(one["PrivateIpAddress"]) for index, one in enumerate(ordered)}
