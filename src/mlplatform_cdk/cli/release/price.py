"""What a release will cost, from its strategy, the fleet that serves now, and the package's prices."""

from dataclasses import dataclass, field
from typing import Any

from mlplatform_cdk.runtimekit import aws, release_facts
from mlplatform_cdk.runtimekit.release_address import ReleaseAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What is told before a release starts.

    :param sentences: for people.
    :param figures: for programs.
    """

    sentences: tuple[str, ...]
    figures: dict[str, Any] = field(default_factory=dict)

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return dict(self.figures)


def price_of(address: ReleaseAddress) -> Quote:
    """The cost of a release to ``address.endpoint`` as it is now."""
    instances = _serving(address.endpoint)
    if not instances:
        return Quote(sentences=("It is the first version of this endpoint: no second fleet, so no cost of its own.",))
    if not address.strategy:
        return Quote(sentences=("Its cost is unknown: the strategy was not published.",))
    return _quote(address, instances)


def _quote(address: ReleaseAddress, instances: int) -> Quote:
    from mlplatform_cdk.assembly.cost import packaged
    from mlplatform_cdk.assembly.cost.money import rate, told
    from mlplatform_cdk.assembly.cost.releases import release_cost
    from mlplatform_cdk.runtimekit.release_strategy import Strategy

    region = aws.client("sagemaker").meta.region_name
    cost = release_cost(
        Strategy.from_mapping(address.strategy),
        instance_type=address.instance_type,
        instances=instances,
        region=region,
        prices=packaged(),
    )
    hours = cost.hours
    fleet = f"{instances} {address.instance_type}"
    kept = f"; then one of them for {_time(hours.retention)}" if hours.retention else ""
    longest = _time(hours.longest_shift + hours.bake)
    lines = [f"A second fleet of {fleet} for {_time(hours.shift + hours.bake)}, at most {longest}{kept}."]
    if cost.price is None:
        lines.append(f"Its cost is unknown: the package has no price of {address.instance_type} in {region}.")
    else:
        each = f"{rate(cost.price.amount)} an hour in {region}, as of {cost.price.date}"
        lines.append(f"It costs about {told(cost.expected)}, at most {told(cost.most)} ({each}).")
    figures = {
        "instance_type": address.instance_type,
        "instances": instances,
        "region": region,
        "instance_hours": {"expected": round(hours.expected, 3), "most": round(hours.most, 3)},
        "usd": None if cost.price is None else {"expected": str(cost.expected.known), "most": str(cost.most.known)},
    }
    return Quote(sentences=tuple(lines), figures=figures)


def _serving(endpoint: str) -> int:
    """How many instances serve now; 0: there is no endpoint yet."""
    client = aws.client("sagemaker")
    try:
        found = client.describe_endpoint(EndpointName=endpoint)
    except client.exceptions.ClientError as error:
        if "Could not find" in error.response["Error"]["Message"]:
            return 0
        raise
    return sum(
        one.get("CurrentInstanceCount") or 1 for one in found.get("ProductionVariants", []) if one.get("CurrentWeight")
    )


def _time(length: Any) -> str:
    return release_facts.since(length.total_seconds())
