"""Which variant serves, and whether its bounds may change: a release holds scaling still, and sets it at its end."""

from collections.abc import Mapping
from typing import Any

_NAMESPACE, _DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"


def look(events: Mapping[str, str], _context: object) -> dict[str, Any]:
    """The bounds that the serving variant gets, and those that it had.

    :param events: ``EndpointName``, ``Minimum``, and ``Maximum``; ``same`` leaves that, but not below the minimum.
    :raises RuntimeError: when no variant, or more than one, has the traffic, when it does not scale, or when a release
        holds it still.
    """
    name, minimum = events["EndpointName"], int(events["Minimum"])
    target = _target(name, _serving(name))
    if any((target.get("SuspendedState") or {}).values()):
        raise RuntimeError(
            f"no release may run on {name}, and one holds its scaling still, and sets the bounds at its end: wait for "
            "it, or run the runbook roll-back first"
        )
    wanted = target["MaxCapacity"] if events["Maximum"] == "same" else int(events["Maximum"])
    return {
        "ResourceId": target["ResourceId"],
        "Minimum": minimum,
        "Maximum": max(wanted, minimum),
        "FormerMinimum": str(target["MinCapacity"]),
        "FormerMaximum": str(target["MaxCapacity"]),
    }


def _serving(name: str) -> str:
    endpoint = client("sagemaker").describe_endpoint(EndpointName=name)
    serving = [one["VariantName"] for one in endpoint["ProductionVariants"] if one.get("CurrentWeight", 0) > 0]
    if len(serving) != 1:
        raise RuntimeError(f"one variant of {name} must have the traffic, got {', '.join(serving) or 'none'}")
    return str(serving[0])


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
