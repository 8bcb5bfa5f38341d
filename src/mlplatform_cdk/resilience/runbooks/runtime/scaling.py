"""Which variant serves, and whether its bounds may change: a release holds scaling still, and sets it at its end."""

from collections.abc import Mapping
from typing import Any

_NAMESPACE, _DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"


def look(events: Mapping[str, str], _context: object) -> dict[str, Any]:
    """The bounds that the serving variant gets, and those that it had.

    :param events: ``EndpointName``, ``Minimum``, ``Maximum``; ``same`` leaves that, but not below the minimum; and
        ``Fewer``: ``yes`` lets go of instances beyond the maximum.
    :raises RuntimeError: when no variant, or more than one, has the traffic, when it does not scale, when a release
        holds it still, or when the maximum is below the minimum, or below what runs.
    """
    name, minimum = events["EndpointName"], int(events["Minimum"])
    variant, runs = _serving(name)
    target = _target(name, variant)
    if any((target.get("SuspendedState") or {}).values()):
        raise RuntimeError(
            f"no release may run on {name}, and one holds its scaling still, and sets the bounds at its end: wait for "
            "it, or run the runbook roll-back first"
        )
    maximum = max(target["MaxCapacity"], minimum) if events["Maximum"] == "same" else int(events["Maximum"])
    if maximum < minimum:
        raise RuntimeError(f"Maximum must not be below Minimum, which is {minimum}, got {maximum}")
    if maximum < runs and events["Fewer"] != "yes":
        raise RuntimeError(
            f"Maximum must not be below the {runs} instances that {variant} of {name} has now, got {maximum}: it would "
            "take some away; ask for more, or say Fewer=yes if that is meant"
        )
    return {
        "ResourceId": target["ResourceId"],
        "Minimum": minimum,
        "Maximum": maximum,
        "FormerMinimum": str(target["MinCapacity"]),
        "FormerMaximum": str(target["MaxCapacity"]),
    }


def _serving(name: str) -> tuple[str, int]:
    """The variant that has the traffic, and the instances that it is to have."""
    endpoint = client("sagemaker").describe_endpoint(EndpointName=name)
    serving = [one for one in endpoint["ProductionVariants"] if one.get("CurrentWeight", 0) > 0]
    if len(serving) != 1:
        names = ", ".join(one["VariantName"] for one in serving) or "none"
        raise RuntimeError(f"one variant of {name} must have the traffic, got {names}")
    return str(serving[0]["VariantName"]), int(serving[0].get("DesiredInstanceCount", 0))


def _target(name: str, variant: str) -> dict[str, Any]:
    found = client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace=_NAMESPACE,
        ResourceIds=[f"endpoint/{name}/variant/{variant}"],
        ScalableDimension=_DIMENSION,
    )["ScalableTargets"]
    if not found:
        raise RuntimeError(
            f"variant {variant} of {name} must scale; it has a fixed number of instances, by its template"
        )
    target: dict[str, Any] = found[0]
    return target


def client(service: str) -> Any:
    """boto3's client of ``service``."""
    import boto3

    return boto3.client(service)
