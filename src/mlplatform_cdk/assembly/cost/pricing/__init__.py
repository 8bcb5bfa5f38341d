"""What each CloudFormation type is charged for: one function per type, and those that cost nothing with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.lines import Free
from mlplatform_cdk.assembly.cost.pricing import (
    containers,
    edge,
    functions,
    messaging,
    network,
    observability,
    sagemaker,
    state_machines,
    storage,
)
from mlplatform_cdk.assembly.cost.pricing.free import reason_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlplatform_cdk.assembly.cost.lines import Charge, Unseen
    from mlplatform_cdk.assembly.cost.resources import Resource

    Finding = Charge | Free | Unseen
    Pricing = Callable[[Resource], Iterator[Finding]]

PRICED: dict[str, Pricing] = {
    **network.PRICED,
    **storage.PRICED,
    **functions.PRICED,
    **state_machines.PRICED,
    **sagemaker.PRICED,
    **observability.PRICED,
    **messaging.PRICED,
    **edge.PRICED,
    **containers.PRICED,
}


def charges_of(resource: Resource) -> tuple[Finding, ...] | None:
    """What the resource is charged for, or why it is free; None when the tool does not know its type."""
    if resource.type in PRICED:
        return tuple(PRICED[resource.type](resource))
    reason = reason_of(resource.type)
    return None if reason is None else (Free(reason),)
