"""Instances that answer: what template-owned and release-owned endpoints share."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.cost.catalogue import OPEN, key_of
from mlplatform_cdk.assembly.cost.intrinsics import HOLE, number
from mlplatform_cdk.assembly.cost.lines import Charge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.cost.resources import Resource

_SECONDS_PER_HOUR = Decimal(3600)
_MB_PER_GB = Decimal(1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Instances that stand by, or memory for those that do not.

    :param instances: at rest; None when it is decided later.
    :param volume_gb: of each instance; None when SageMaker chooses it.
    :param serverless: memory for each request in place of instances.
    :param serverless_mb: that memory; None when it is decided later.
    :param kept_warm: concurrency that a serverless variant keeps; None when it is decided later.
    """

    what: str
    instance_type: Any = None
    instances: Decimal | None = None
    volume_gb: Decimal | None = None
    serverless: bool = False
    serverless_mb: Decimal | None = None
    kept_warm: Decimal | None = None


def instance_item(name: str, instance_type: object) -> str:
    """The item of an instance type; one that is decided later has no price and says so."""
    known = isinstance(instance_type, str) and instance_type and HOLE not in instance_type
    return key_of(name, str(instance_type) if known else OPEN)


def variants_of(variants: Any, where: str) -> Iterator[Fleet]:
    """The fleets of ``ProductionVariants``, of a template or of a call."""
    for number_, variant in enumerate(variants if isinstance(variants, list) else [], start=1):
        name = variant.get("VariantName") or f"number {number_}"
        serverless = variant.get("ServerlessConfig")
        if isinstance(serverless, dict):
            yield Fleet(
                what=f"serverless variant {name} {where}",
                serverless=True,
                serverless_mb=number(serverless.get("MemorySizeInMB")),
                kept_warm=number(serverless.get("ProvisionedConcurrency", 0)),
            )
            continue
        yield Fleet(
            what=f"variant {name} {where}",
            instance_type=variant.get("InstanceType"),
            instances=number(variant.get("InitialInstanceCount", 1)),
            volume_gb=number(variant.get("VolumeSizeInGB")),
        )


def fleet_charges(owner: Resource, fleet: Fleet) -> Iterator[Charge]:
    """What the fleet commits to, and what its requests cost."""
    if fleet.serverless:
        yield from _serverless(owner, fleet)
    else:
        yield from _standing(owner, fleet)
    yield Charge(
        what=f"requests to and answers of the {fleet.what}",
        item="sagemaker.inference-gb",
        quantity=owner.use("inference_gb"),
        per="GB of requests and answers",
    )


def _standing(owner: Resource, fleet: Fleet) -> Iterator[Charge]:
    count = fleet.instances
    hours = owner.usage.hours
    yield Charge(
        what=f"{fleet.what}: {count if count is not None else 'an open number'} x {fleet.instance_type or OPEN}",
        item=instance_item("sagemaker.hosting-hour", fleet.instance_type),
        quantity=None if count is None else count * hours,
        discount="sagemaker_savings_plan",
    )
    if fleet.volume_gb is not None:
        yield Charge(
            what=f"volumes of the {fleet.what}: {fleet.volume_gb} GB each",
            item="sagemaker.hosting-storage-gb-month",
            quantity=None if count is None else count * fleet.volume_gb,
        )


def _serverless(owner: Resource, fleet: Fleet) -> Iterator[Charge]:
    yield Charge(
        what=f"running time of the {fleet.what}",
        item="sagemaker.serverless-gb-second",
        quantity=owner.use("serverless_gb_seconds"),
        per="GB-second of serverless inference",
    )
    if fleet.kept_warm == 0:
        return
    kept, memory = fleet.kept_warm, fleet.serverless_mb
    seconds = owner.usage.hours * _SECONDS_PER_HOUR
    yield Charge(
        what=f"provisioned concurrency of the {fleet.what}: {'an open number' if kept is None else kept}",
        item="sagemaker.serverless-provisioned-gb-second",
        quantity=None if kept is None or memory is None else kept * memory / _MB_PER_GB * seconds,
    )
