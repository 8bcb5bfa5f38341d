"""State machines that change endpoints and start jobs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mlplatform_cdk.assembly.check.loose import mapping, mappings
from mlplatform_cdk.assembly.check.permissions.check import FUNCTION, needs_of_code
from mlplatform_cdk.assembly.check.references import marks
from mlplatform_cdk.assembly.check.states.definitions import MACHINE, definitions
from mlplatform_cdk.assembly.check.states.machine import left_to_function, states
from mlplatform_cdk.assembly.check.templates import Resource, Template
from mlplatform_cdk.assembly.check.traps.words import Rule, caught, encrypts_itself, mentions, trap
from mlplatform_cdk.assembly.findings import Finding, Severity

_KEYS = {
    # call: (where its instances are, what its key is called)
    "createTrainingJob": ("ResourceConfig", "VolumeKmsKeyId"),
    "createTransformJob": ("TransformResources", "VolumeKmsKeyId"),
    "createProcessingJob": ("ProcessingResources.ClusterConfig", "VolumeKmsKeyId"),
}


def _tasks(template: Template) -> Iterator[tuple[Resource, dict[str, list[Mapping[str, Any]]]]]:
    """Each state machine, and the parameters of its calls by the call's name."""
    machines = {one.logical_id: one for one in template.of_type(MACHINE)}
    for name, definition in definitions(template.references):
        calls: dict[str, list[Mapping[str, Any]]] = {}
        for _, one in states(definition) if isinstance(definition, dict) else ():
            state = left_to_function(one) or one
            call = str(state.get("Resource", "")).rpartition(":sagemaker:")[2].partition(".")[0]
            calls.setdefault(call, []).append(state.get("Parameters", state.get("Arguments", {})))
        yield machines[name], calls


def silent_rollback(template: Template) -> Iterator[Finding]:
    """3: an update whose outcome nobody looks at."""
    for machine, calls in _tasks(template):
        if "updateEndpoint" in calls and "describeEndpoint" not in calls and not _function_looks(machine):
            yield caught(
                machine,
                trap(3, "silent-rollback"),
                Severity.WARNING,
                "a state updates an endpoint, and none looks at it afterwards",
                reason="an update that SageMaker rolls back ends InService as well, on the old configuration",
                way_out="describe the endpoint, and compare EndpointConfigName with the one that was asked for",
            )


def update_resets(template: Template) -> Iterator[Finding]:
    """4: an update, by a state, that takes autoscaled capacity back to its start."""
    scaled = any(
        one.properties.get("ServiceNamespace") == "sagemaker"
        for one in template.of_type("AWS::ApplicationAutoScaling::ScalableTarget")
    )
    for machine, calls in _tasks(template) if scaled else ():
        if any(one.get("RetainAllVariantProperties") is not True for one in calls.get("updateEndpoint", ())):
            yield caught(
                machine,
                trap(4, "capacity-reset"),
                Severity.WARNING,
                "a state updates a scaled endpoint without retaining its variants' properties",
                reason="the update takes capacity and weights back to those of the configuration, at any load",
                way_out="set RetainAllVariantProperties to true in its parameters",
            )


def never_deregistered(template: Template) -> Iterator[Finding]:
    """5: a state machine that registers scalable targets and deletes their endpoints, and never deregisters one."""
    for name, definition in definitions(template.references):
        text = json.dumps(definition).lower()
        if ":registerscalabletarget" in text and ":deleteendpoint" in text and ":deregisterscalabletarget" not in text:
            if _some_function_calls(template, "application-autoscaling:DeregisterScalableTarget"):
                continue
            machine = next(one for one in template.of_type(MACHINE) if one.logical_id == name)
            yield caught(
                machine,
                trap(5, "never-deregistered"),
                Severity.WARNING,
                "the states register a scalable target and delete an endpoint, and nothing deregisters the target",
                reason="the target outlives its variant: its alarms stay, and it scales the next endpoint of that name",
                way_out="deregister the scalable target before the endpoint or the variant goes",
            )


def job_key_on_nvme(template: Template) -> Iterator[Finding]:
    """8: a job's key for volumes that encrypt themselves."""
    for machine, calls in _tasks(template):
        for call, (path, key) in _KEYS.items():
            for parameters in calls.get(call, ()):
                place = _at(parameters, path)
                instance_type = place.get("InstanceType")
                if (key in place or f"{key}.$" in place) and encrypts_itself(instance_type):
                    yield caught(
                        machine,
                        trap(8, "key-on-nvme"),
                        Severity.ERROR,
                        f"{call} gives a key for the volume of {instance_type}, whose disks are NVMe",
                        reason="SageMaker refuses it: the hardware encrypts such disks",
                        way_out="leave the key out for this type",
                        at=f"{path}.{key}",
                    )


def run_per_object(template: Template) -> Iterator[Finding]:
    """30: a run for every object that arrives."""
    for rule in template.of_type("AWS::Events::Rule"):
        pattern = rule.properties.get("EventPattern", {})
        if "Object Created" not in str(pattern) or "aws.s3" not in str(pattern):
            continue
        for machine in template.of_type(MACHINE):
            if mentions([one.get("Arn") for one in mappings(rule.properties.get("Targets"))], machine.logical_id):
                yield caught(
                    rule,
                    trap(30, "run-per-object"),
                    Severity.WARNING,
                    f"each object that arrives starts a run of {machine.logical_id}",
                    reason="a data set of a thousand files starts a thousand runs at once",
                    way_out="put a queue with a quiet period between, or start by one manifest object",
                    at="Targets",
                )


def two_owners(template: Template) -> Iterator[Finding]:
    """31: an endpoint that CloudFormation and a state machine both write."""
    endpoints = [*template.of_type("AWS::SageMaker::Endpoint")]
    for machine, calls in _tasks(template):
        updates = calls.get("updateEndpoint", ())
        names = {str(mapping(one).get("EndpointName", "")) for one in updates} - {""}
        for endpoint in endpoints if updates else ():
            if mentions(machine.properties, endpoint.logical_id) or _name(endpoint) in names:
                yield caught(
                    machine,
                    trap(31, "two-owners"),
                    Severity.WARNING,
                    f"the state machine updates {endpoint.logical_id}, which the template owns",
                    reason="the next deployment takes the endpoint back to the template's configuration",
                    way_out="let one of them own the endpoint: the template, or the release",
                )


def _name(endpoint: Resource) -> str:
    """Its name as calls of the template write it; empty where two different values could read the same."""
    name = endpoint.template.references.text(endpoint.properties.get("EndpointName", ""))
    known = {*mapping(endpoint.template.document.get("Parameters")), "AWS::StackName"}
    return name if known.issuperset(marks(name)) else ""


def _some_function_calls(template: Template, action: str) -> bool:
    needs = (needs_of_code(one) for one in template.of_type(FUNCTION))
    return any(action in one.calls for one in needs if not isinstance(one, str))


def _function_looks(machine: Resource) -> bool:
    """Whether a function that the machine calls describes the endpoint."""
    functions = (one for one in machine.template.of_type(FUNCTION) if mentions(machine.properties, one.logical_id))
    needs = (needs_of_code(one) for one in functions)
    return any("sagemaker:DescribeEndpoint" in one.calls for one in needs if not isinstance(one, str))


def _at(parameters: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    place: Any = parameters
    for part in path.split("."):
        place = place.get(part, {}) if isinstance(place, Mapping) else {}
    return place if isinstance(place, Mapping) else {}


RULES: tuple[Rule, ...] = (
    silent_rollback,
    update_resets,
    never_deregistered,
    job_key_on_nvme,
    run_per_object,
    two_owners,
)
