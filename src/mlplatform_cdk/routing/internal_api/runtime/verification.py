"""Asks AWS to look at the record that proves the name of an endpoint service, until it has seen it."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from mlplatform_cdk.routing.internal_api.runtime.answering import answer
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.errors import KnownError

_RESERVE_S = 30.0  # to answer in
_PAUSE_S = 15.0  # a record takes a minute or more to be seen everywhere


def handle(event: Mapping[str, Any], context: Any) -> None:
    """Answer CloudFormation for the service that ``event`` names."""
    given = event["ResourceProperties"]
    service, name = given["ServiceId"], given["Name"]
    end = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - _RESERVE_S
    answer(event, f"{service}/{name}", lambda: prove(service, name, seconds_left=lambda: end - time.monotonic()))


def prove(service: str, name: str, *, seconds_left: Callable[[], float], pause_s: float = _PAUSE_S) -> dict[str, str]:
    """Wait until AWS has verified the name of ``service``; a try that failed is followed by another.

    :raises KnownError: where it has not within the time.
    """
    ec2 = aws.client("ec2")
    state, asked = _state(ec2, service), False
    while state != "verified":
        if seconds_left() <= pause_s:
            raise KnownError(f"the name {name} was not verified in time, it is {state}; is its zone reached in public?")
        if not asked or state == "failed":
            ec2.start_vpc_endpoint_service_private_dns_verification(ServiceId=service)
            asked = True
        time.sleep(pause_s)
        state = _state(ec2, service)
    return {}


def _state(ec2: Any, service: str) -> str:
    (found,) = ec2.describe_vpc_endpoint_service_configurations(ServiceIds=[service])["ServiceConfigurations"]
    return str(found["PrivateDnsNameConfiguration"]["State"])
