"""Takes instances from an endpoint, and gives them back."""

import time
from collections.abc import Mapping
from typing import Any

_PATIENCE_S, _PAUSE_S = 540, 10  # a script may run for ten minutes


def look(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """What ``mend`` needs: the variant that most requests go to, and its instances, more than ``InstancesLeft``."""
    import boto3

    client, name, left = boto3.client("sagemaker"), events["EndpointName"], int(events["InstancesLeft"])
    described = client.describe_endpoint(EndpointName=name)
    variant = max(described["ProductionVariants"], key=lambda one: one.get("CurrentWeight", 0))
    before = variant.get("CurrentInstanceCount") or 0
    if described["EndpointStatus"] != "InService" or before <= left:
        raise RuntimeError(
            f"the endpoint must be in service with more than {left} instances, got {before}, "
            f"{described['EndpointStatus']}"
        )
    return {
        "VariantName": variant["VariantName"],
        "InstanceCount": str(before),
        "Configuration": described["EndpointConfigName"],
    }


def break_it(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Leave ``InstancesLeft`` to ``VariantName``."""
    import boto3

    _set(boto3.client("sagemaker"), events["EndpointName"], events["VariantName"], int(events["InstancesLeft"]))
    return {"Broken": f"{events['VariantName']} has {events['InstancesLeft']} instances"}


def mend(events: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Give the variant as many instances as it had, if it still has what ``break_it`` left, by the same configuration.

    What a release or scaling has changed since is theirs.
    """
    import boto3

    client, name = boto3.client("sagemaker"), events["EndpointName"]
    described = _settled(client, name)
    if described is None:
        return {"Mended": "nothing: the endpoint is gone"}
    if events["Configuration"] != described["EndpointConfigName"]:
        return {"Mended": f"nothing: by now the endpoint is {described['EndpointConfigName']}"}
    now = {one["VariantName"]: _wanted(one) for one in described["ProductionVariants"]}
    variant, before = events["VariantName"], int(events["InstanceCount"])
    if variant not in now or now[variant] >= before:
        return {"Mended": "by itself"}
    if now[variant] != int(events["InstancesLeft"]):
        return {"Mended": f"nothing: by now {variant} was given {now[variant]} instances"}
    _set(client, name, variant, before)
    return {"Mended": f"{variant} has {before} instances again"}


def _wanted(variant: Mapping[str, Any]) -> int:
    return variant.get("DesiredInstanceCount") or variant.get("CurrentInstanceCount") or 0


def _set(client: Any, name: str, variant: str, count: int) -> None:
    wanted = [{"VariantName": variant, "DesiredInstanceCount": count}]
    client.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=wanted)


def _settled(client: Any, name: str) -> Mapping[str, Any] | None:
    """The endpoint, once SageMaker takes changes again; None: there is none."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            described: Mapping[str, Any] = client.describe_endpoint(EndpointName=name)
        except client.exceptions.ClientError as error:
            if "Could not find" in str(error):
                return None
            raise
        if described["EndpointStatus"] == "InService" or time.monotonic() > until:
            return described
        time.sleep(_PAUSE_S)
