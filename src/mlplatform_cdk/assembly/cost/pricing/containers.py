"""Containers that run without instances of one's own: tasks of ECS services on Fargate."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.lines import Charge, Free, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.cost.resources import Resource

_UNITS_PER_VCPU = Decimal(1024)
_MIB_PER_GIB = Decimal(1024)
SPOT = "fargate_spot"


def _service(service: Resource) -> Iterator[Charge | Free | Unseen]:
    providers = {one.get("CapacityProvider") for one in service.mappings("CapacityProviderStrategy")}
    if service.get("LaunchType", default="EC2") != "FARGATE" and not providers & {"FARGATE", "FARGATE_SPOT"}:
        yield Free("tasks on instances cost nothing; the instances do")
        return
    task = _task_of(service)
    if task is None:
        yield Unseen("the tasks of a service whose task definition is not in its template")
        return
    system = task.get("RuntimePlatform", "OperatingSystemFamily", default="LINUX")
    if system != "LINUX":
        yield Unseen(f"the price of tasks on {system or 'a system that deployment decides'}")
        return
    if task.get("EphemeralStorage") is not None:
        yield Unseen("the disk of a task beyond 20 GB")
    yield from _tasks(service, task, spot=providers == {"FARGATE_SPOT"})


def _task_of(service: Resource) -> Resource | None:
    named = service.raw.get("TaskDefinition")
    logical_id = named.get("Ref") if isinstance(named, dict) else None
    return next((one for one in service.neighbours("AWS::ECS::TaskDefinition") if one.logical_id == logical_id), None)


def _tasks(service: Resource, task: Resource, *, spot: bool) -> Iterator[Charge]:
    """What stands: as many tasks as are desired; scaling changes that, as the service's own rules say."""
    count = service.number("DesiredCount", default=1)
    processor = "arm" if task.get("RuntimePlatform", "CpuArchitecture") == "ARM64" else "x86"
    among = " on Fargate Spot" if spot else ""
    for name, size, item in (
        ("vCPU", _divided(task.number("Cpu"), _UNITS_PER_VCPU), "vcpu-hour"),
        ("GB of memory", _divided(task.number("Memory"), _MIB_PER_GIB), "gb-hour"),
    ):
        known = count is not None and size is not None
        yield Charge(
            what=f"{_tasks_in_words(count)} of {size or 'open'} {name}{among}",
            item=f"fargate.{item}-{processor}",
            quantity=count * size * service.usage.hours if known else None,  # type: ignore[operator]
            discount=SPOT if spot else "",
        )


def _tasks_in_words(count: Decimal | None) -> str:
    return "an open number of tasks" if count is None else "1 task" if count == 1 else f"{count} tasks"


def _divided(value: Decimal | None, by: Decimal) -> Decimal | None:
    return None if value is None else value / by


PRICED = {"AWS::ECS::Service": _service}
