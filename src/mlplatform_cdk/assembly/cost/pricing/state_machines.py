"""Step Functions: transitions, the jobs that an execution starts, and the endpoint that releases keep."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.intrinsics import number
from mlplatform_cdk.assembly.cost.lines import Charge, Unseen
from mlplatform_cdk.assembly.cost.machines import definition_of, released_endpoint, states_in, tasks_of
from mlplatform_cdk.assembly.cost.pricing.instances import Fleet, fleet_charges, instance_item, variants_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from mlplatform_cdk.assembly.cost.machines import ReleasedEndpoint, Task
    from mlplatform_cdk.assembly.cost.resources import Resource

_THOUSAND, _MILLION = Decimal(1000), Decimal(1_000_000)
_SMALLEST_EXPRESS_GB = Decimal(64) / Decimal(1024)  # memory is charged in steps of 64 MB

# action: (item, unit of use, hours in the usage file, where its cluster is)
_JOBS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "createTrainingJob": ("training", "training_hours", ("ResourceConfig",)),
    "createProcessingJob": ("processing", "processing_hours", ("ProcessingResources", "ClusterConfig")),
    "createTransformJob": ("transform", "transform_hours", ("TransformResources",)),
}


def _machine(machine: Resource) -> Iterator[Charge | Unseen]:
    definition = definition_of(machine)
    if definition is None:
        yield Unseen("a state machine whose definition is not in the template")
        return
    executions = machine.use("executions")
    if machine.get("StateMachineType", default="STANDARD") == "EXPRESS":
        yield from _express(machine, executions)
    else:
        yield Charge(
            what=f"transitions, {states_in(definition)} in an execution",
            item="states.transition",
            quantity=executions * states_in(definition),
            per="thousand state transitions",
            units_per=_THOUSAND,
        )
    for task in tasks_of(definition):
        if task.action in _JOBS:
            yield from _job(machine, task, executions)
        elif task.action == "createHyperParameterTuningJob":
            yield Unseen(f"the training jobs that the tuning job of the state {task.name} starts")
    yield from _endpoint(machine, definition, executions)


def _express(machine: Resource, executions: Decimal) -> Iterator[Charge]:
    yield Charge(
        what="executions",
        item="states.express-request",
        quantity=executions,
        per="million express executions",
        units_per=_MILLION,
    )
    yield Charge(
        what="running time of executions",
        item="states.express-gb-second",
        quantity=executions * machine.use("express_seconds") * _SMALLEST_EXPRESS_GB,
        per="GB-second of express executions",
    )


def _job(machine: Resource, task: Task, executions: Decimal) -> Iterator[Charge]:
    """One job; where an execution takes one of several states, each counts for its share of the executions."""
    kind, hours_name, cluster = _JOBS[task.action]
    instances = number(task.at(*cluster, "InstanceCount"))
    instance_type = task.at(*cluster, "InstanceType")
    spot = kind == "training" and task.at("EnableManagedSpotTraining") is True
    hours = executions * machine.use(hours_name, task.name) / task.alternatives
    size = number(task.at(*cluster, "VolumeSizeInGB"))
    count = instances or Decimal(1)
    among = f", one of {task.alternatives} alternatives" if task.alternatives > 1 else ""
    yield Charge(
        what=f"{kind} job {task.name}: {_many(instances, instance_type)}{', managed spot' if spot else ''}{among}",
        item=instance_item(f"sagemaker.{kind}-hour", instance_type),
        quantity=None if instances is None else hours * instances,
        per=f"{kind} hour",
        units_per=count,
        discount="managed_spot_training" if spot else "sagemaker_savings_plan",
    )
    if size and kind != "transform":
        yield Charge(
            what=f"volume of the {kind} job {task.name}: {size} GB",
            item=f"sagemaker.{kind}-storage-gb-month",
            quantity=hours * count * size / machine.usage.hours,
            per=f"{kind} hour, its volume",
            units_per=count * size / machine.usage.hours,
        )


def _endpoint(machine: Resource, definition: Mapping[str, Any], executions: Decimal) -> Iterator[Charge]:
    """What the releases keep up; in force from the first release on."""
    endpoint = released_endpoint(definition)
    if endpoint is not None:
        yield from _released(machine, endpoint, executions)
        return
    for task in tasks_of(definition):
        if task.action == "createEndpointConfig":
            for fleet in variants_of(task.at("ProductionVariants"), f"of the state {task.name}"):
                yield from fleet_charges(machine, fleet)


def _released(machine: Resource, endpoint: ReleasedEndpoint, executions: Decimal) -> Iterator[Charge]:
    fleet = Fleet(what=f"endpoint {endpoint.name}", instance_type=endpoint.instance_type, instances=endpoint.minimum)
    yield from fleet_charges(machine, fleet)
    item = instance_item("sagemaker.hosting-hour", endpoint.instance_type)
    beside = endpoint.minimum or Decimal(1)
    yield Charge(
        what=f"green of the endpoint {endpoint.name} beside blue",
        item=item,
        quantity=executions * machine.use("release_hours") * beside,
        per="hour of a release",
        units_per=beside,
        discount="sagemaker_savings_plan",
    )
    if endpoint.maximum is not None and endpoint.minimum is not None and endpoint.maximum > endpoint.minimum:
        yield Charge(
            what=f"endpoint {endpoint.name} scaled out, to {endpoint.maximum} instances at most",
            item=item,
            quantity=machine.use("scaled_out_hours"),
            per="instance-hour above the minimum",
            discount="sagemaker_savings_plan",
        )


def _many(instances: Decimal | None, instance_type: object) -> str:
    return (
        f"{instances if instances is not None else 'an open number'} x {instance_type or 'a type decided at run time'}"
    )


PRICED = {"AWS::StepFunctions::StateMachine": _machine}
