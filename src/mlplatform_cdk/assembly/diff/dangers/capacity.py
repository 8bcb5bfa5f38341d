"""Jumps of what is kept running, and stacks near CloudFormation's limits; ``mlplatform cost`` knows the prices."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.diff.dangers.blocks import judged
from mlplatform_cdk.assembly.diff.dangers.place import danger
from mlplatform_cdk.assembly.diff.model import Action, PropertyChange, ResourceChange, StackDiff, shown
from mlplatform_cdk.assembly.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.diff.sources import Source

FACTOR = 2.0  # from here a growth is a jump
NEAR = 0.8  # the share of a limit from which a stack is near it
_LIMITS = {"resources": 500, "bytes of template": 1_000_000, "parameters": 200, "outputs": 200}
_AMOUNTS = re.compile(
    r"(Initial)?InstanceCount|\w*MinCapacity|\w*MaxCapacity|\w*DesiredCapacity|DesiredCount|MinSize|MaxSize"
    r"|AllocatedStorage|VolumeSize(InGB)?|EbsVolumeSizeInGb|\w*CapacityUnits|MemorySize|MemorySizeInMB|MaxConcurrency"
    r"|Provisioned(Concurrent\w*|Concurrency)|ShardCount|NumCacheClusters|NumberOfNodes|NodeCount|Iops|Throughput"
    r"|StorageCapacity|Cpu|Memory|Vcpus|(Min|Max|Desired|Initial)?(Instance)?(Count|Instances)"
)
_UNSAID = {"MemorySize": 128, "ProvisionedConcurrentExecutions": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0}
_AMOUNT = re.compile(r"(-?[\d.]+) ?(vCPU|GB)?")  # of the units there are 1,024 parts
_TYPES = re.compile(r"\w*(InstanceType|InstanceClass|NodeType|CacheNodeType|InstanceTypes)\w*")
_SIZE = re.compile(
    r"(?P<family>[a-z]+\d\w*|[a-z]+-\w+)\.(?P<times>\d*)(?P<size>nano|micro|small|medium|large|xlarge|metal)"
)
_SIZES = {"nano": 0.0625, "micro": 0.125, "small": 0.25, "medium": 0.5, "large": 1.0, "xlarge": 2.0, "metal": 64.0}
_ACCELERATED = re.compile(r"(p|g|trn|inf|dl|f|vt)\d")
_IDLE = {
    "AWS::EC2::Instance", "AWS::EC2::NatGateway", "AWS::EC2::TransitGateway", "AWS::EKS::Cluster",
    "AWS::ElastiCache::ReplicationGroup", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::MSK::Cluster",
    "AWS::OpenSearchService::Domain", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::Redshift::Cluster",
    "AWS::SageMaker::Endpoint", "AWS::SageMaker::MlflowTrackingServer", "AWS::SageMaker::NotebookInstance",
}  # fmt: skip


def jumps(stack: StackDiff) -> Iterator[Finding]:
    """Where the changes of ``stack`` multiply what is kept running."""
    for change in stack.changes:
        if change.action is Action.ADDED and change.resource.type in _IDLE:
            yield _jump(stack, change, None, f"a new {change.resource.type} costs by the hour, used or not")
        if change.before is None or change.after is None:
            continue
        for one in change.properties:
            yield from judged(change, one, partial(_grown, stack, change))


def _grown(stack: StackDiff, change: ResourceChange, one: PropertyChange) -> Iterator[Finding]:
    if told := _amount(one) or _instance(one):
        yield _jump(stack, change, one, told)


def limits(stack: StackDiff) -> Iterator[Finding]:
    """Limits that ``stack`` comes nearer to, from a share of it on."""
    if stack.after is None:
        return
    before = _measures(stack.before, len(stack.resources_before)) if stack.before else {}
    for what, count in _measures(stack.after, len(stack.resources_after)).items():
        limit = _LIMITS[what]
        if count >= NEAR * limit and count > before.get(what, 0):
            yield danger(
                "stack-near-limit",
                Severity.ERROR if count > limit else Severity.WARNING,
                f"{count:,} {what} of {limit:,} ({count / limit:.0%}), {before.get(what, 0):,} before",
                stack=stack,
                reason="CloudFormation refuses a stack beyond the limit, and a split later moves resources",
                way_out="move a part with a life of its own into another stack now",
            )


def _measures(source: Source, resources: int) -> dict[str, int]:
    template = source.template
    counts = (resources, source.size, len(template.get("Parameters") or {}), len(template.get("Outputs") or {}))
    return dict(zip(_LIMITS, counts, strict=True))


def _amount(one: PropertyChange) -> str:
    if not _AMOUNTS.fullmatch(one.leaf):
        return ""
    before, after = _parts(one.before if one.before is not None else _UNSAID.get(one.leaf)), _parts(one.after)
    if before is None or after is None or after < max(before * FACTOR, 1) or after == before:
        return ""
    times = f"{after / before:.3g} times as much" if before else "from none"
    return f"{one.leaf} goes from {shown(one.before)} to {one.after}: {times}"


def _parts(value: object) -> float | None:
    match = _AMOUNT.fullmatch(str(value))
    try:
        return float(match[1]) * (1024 if match[2] else 1) if match else None
    except ValueError:
        return None


def _instance(one: PropertyChange) -> str:
    if not _TYPES.fullmatch(one.leaf):
        return ""
    before, after = (_size(str(value)) for value in (one.before, one.after))
    if after is None:
        return ""
    if _accelerated(str(one.after)) and not _accelerated(str(one.before)):
        return f"{one.leaf} goes from {shown(one.before)} to {one.after}, an accelerated type"
    if before is None or after < before * FACTOR:
        return ""
    return f"{one.leaf} goes from {one.before} to {one.after}: {after / before:.3g} times the size"


def _size(name: str) -> float | None:
    match = _SIZE.search(name)
    if match is None:
        return None
    return _SIZES[match["size"]] * int(match["times"] or 1)


def _accelerated(name: str) -> bool:
    match = _SIZE.search(name)
    return bool(match and _ACCELERATED.match(match["family"]))


def _jump(stack: StackDiff, change: ResourceChange, one: PropertyChange | None, message: str) -> Finding:
    return danger(
        "capacity-jump",
        Severity.WARNING,
        message,
        stack=stack,
        resource=change.resource,
        change=one,
        reason="the bill grows with it, from the deployment on",
        way_out="see mlplatform cost for the price, and the account's quota for the type",
    )
