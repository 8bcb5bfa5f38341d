"""Networks: what runs by the hour whether anybody uses it or not."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.intrinsics import text_with_holes
from mlplatform_cdk.assembly.cost.lines import Charge, Free, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.cost.resources import Resource


def _endpoint(endpoint: Resource) -> Iterator[Charge | Free | Unseen]:
    kind = endpoint.get("VpcEndpointType", default="Gateway")
    if not isinstance(kind, str):
        yield Unseen("a VPC endpoint whose kind deployment decides")
        return
    if kind == "Gateway":
        yield Free("gateway endpoints cost nothing")
        return
    prefix = "vpc.gateway-load-balancer-endpoint" if kind == "GatewayLoadBalancer" else "vpc.interface-endpoint"
    subnets = endpoint.get("SubnetIds", default=[])
    zones = len(subnets) if isinstance(subnets, list) else None
    where = "in the subnets of a parameter" if zones is None else f"in {zones} zone{'' if zones == 1 else 's'}"
    name = f"{kind.lower()} endpoint of {_service(endpoint)}"
    yield Charge(
        what=f"{name} {where}",
        item=f"{prefix}-hour",
        quantity=None if zones is None else zones * endpoint.usage.hours,
    )
    yield Charge(
        what=f"data through the {name}",
        item=f"{prefix}-gb",
        quantity=endpoint.use("endpoint_gb"),
        per="GB through a VPC endpoint",
    )


def _service(endpoint: Resource) -> str:
    """`com.amazonaws.eu-west-1.sagemaker.api` and `aws.sagemaker.eu-west-1.studio` without what all have."""
    text = text_with_holes(endpoint.raw.get("ServiceName"), endpoint.source.template, endpoint.region) or "a service"
    parts = [part for part in text.split(".") if part not in {"com", "amazonaws", "aws", endpoint.region}]
    return ".".join(part for part in parts if part.isascii()) or text


def _nat(gateway: Resource) -> Iterator[Charge]:
    yield Charge(what="NAT gateway", item="ec2.nat-gateway-hour", quantity=gateway.usage.hours)
    yield Charge(
        what="data through the NAT gateway",
        item="ec2.nat-gateway-gb",
        quantity=gateway.use("nat_gb"),
        per="GB through a NAT gateway",
    )


def _address(address: Resource) -> Iterator[Charge]:
    yield Charge(what="public IPv4 address", item="vpc.public-ipv4-hour", quantity=address.usage.hours)


def _flow_log(log: Resource) -> Iterator[Charge]:
    to_bucket = log.get("LogDestinationType", default="cloud-watch-logs") == "s3"
    yield Charge(
        what="VPC flow log",
        item="logs.vended-to-s3-gb" if to_bucket else "logs.vended-gb",
        quantity=log.use("flow_log_gb"),
        per="GB of flow log",
        units_per=Decimal(1),
    )


PRICED = {
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::EC2::NatGateway": _nat,
    "AWS::EC2::EIP": _address,
    "AWS::EC2::FlowLog": _flow_log,
}
