"""Endpoints, their scaling, their roles and their keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlplatform_cdk.assembly.check.loose import listed, mapping, mappings
from mlplatform_cdk.assembly.check.references import unmarked
from mlplatform_cdk.assembly.check.templates import Resource, Template
from mlplatform_cdk.assembly.check.traps.words import (
    Rule,
    caught,
    encrypts_itself,
    mentions,
    ordered_after,
    trap,
)
from mlplatform_cdk.assembly.findings import Finding, Severity

_ENDPOINT, _CONFIG = "AWS::SageMaker::Endpoint", "AWS::SageMaker::EndpointConfig"
_TARGET, _POLICY = "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"
# Each kind publishes the one and not the other: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html
_OF_BACKLOG = frozenset({"ApproximateBacklogSize", "ApproximateBacklogSizePerInstance", "HasBacklogWithoutCapacity"})
_OF_REQUESTS = frozenset({"Invocations", "InvocationsPerInstance", "OverheadLatency"})
_POLICIES = ("AWS::IAM::Policy", "AWS::IAM::RolePolicy")


def capacity_reset(template: Template) -> Iterator[Finding]:
    """4: an update that takes autoscaled capacity back to its start."""
    if not any(_of_sagemaker(one) for one in template.of_type(_TARGET)):
        return
    for endpoint in template.of_type(_ENDPOINT):
        if endpoint.properties.get("RetainAllVariantProperties") is not True:
            yield caught(
                endpoint,
                trap(4, "capacity-reset"),
                Severity.WARNING,
                "the endpoint is scaled, and does not retain its variants' properties when it is updated",
                reason="an update takes capacity and weights back to those of the configuration, at any load",
                way_out="set RetainAllVariantProperties to true",
                at="RetainAllVariantProperties",
            )


def target_before_variant(template: Template) -> Iterator[Finding]:
    """5: a scalable target that may be made before the variant which it scales."""
    endpoints = [one.logical_id for one in template.of_type(_ENDPOINT)]
    for target in template.of_type(_TARGET):
        if _of_sagemaker(target) and endpoints and not any(ordered_after(target, one) for one in endpoints):
            yield caught(
                target,
                trap(5, "target-before-variant"),
                Severity.ERROR,
                "nothing orders the scalable target after its endpoint",
                reason="a target is refused while its variant does not exist",
                way_out="build ResourceId from the endpoint's name, or add a dependency on the endpoint",
                at="ResourceId",
            )


def wrong_metric(template: Template) -> Iterator[Finding]:
    """6: scaling by a metric that this kind of endpoint does not have."""
    kinds = {bool(one.properties.get("AsyncInferenceConfig")) for one in template.of_type(_CONFIG)}
    for policy in template.of_type(_POLICY):
        metric = _unpublished(policy, kinds) if _scales_sagemaker(template, policy) else None
        if metric:
            yield caught(
                policy,
                trap(6, "wrong-metric"),
                Severity.ERROR,
                f"an endpoint{' of the asynchronous kind' if kinds == {True} else ''} is scaled by {metric}",
                reason="it does not publish that metric, so it never scales",
                way_out="asynchronous: ApproximateBacklogSizePerInstance; real-time: the SageMakerVariant metrics",
            )


def scale_to_zero(template: Template) -> Iterator[Finding]:
    """6: scaling to zero, which real-time variants cannot."""
    if any(one.properties.get("AsyncInferenceConfig") for one in template.of_type(_CONFIG)):
        return
    for target in template.of_type(_TARGET):
        if target.properties.get("ScalableDimension") == "sagemaker:variant:DesiredInstanceCount" and (
            target.properties.get("MinCapacity") in (0, "0")
        ):
            yield caught(
                target,
                trap(6, "scale-to-zero"),
                Severity.ERROR,
                "a real-time variant's least capacity is 0",
                reason="only asynchronous endpoints and inference components scale to zero",
                way_out="set MinCapacity to 1, or serve it asynchronously or by an inference component",
                at="MinCapacity",
            )


def model_before_policy(template: Template) -> Iterator[Finding]:
    """7: a model that may be made before its role's policy is attached."""
    for model in template.of_type("AWS::SageMaker::Model"):
        role = model.properties.get("ExecutionRoleArn")
        for policy in template.of_type(*_POLICIES):
            roles = [*listed(policy.properties.get("Roles")), policy.properties.get("RoleName")]
            names = [one["Ref"] for one in roles if isinstance(one, Mapping) and isinstance(one.get("Ref"), str)]
            if any(mentions(role, name) for name in names) and not ordered_after(model, policy.logical_id):
                yield caught(
                    model,
                    trap(7, "model-before-policy"),
                    Severity.ERROR,
                    f"nothing orders the model after {policy.logical_id}, the policy of its role",
                    reason="SageMaker reads the artifact and the image under the role while it makes the model",
                    way_out="depend on the policy, or give the role a managed policy or an inline one",
                    at="ExecutionRoleArn",
                )


def key_on_nvme(template: Template) -> Iterator[Finding]:
    """8: a key for volumes that encrypt themselves."""
    for config in template.of_type(_CONFIG):
        for variant in _variants(config):
            if config.properties.get("KmsKeyId") and encrypts_itself(variant.get("InstanceType")):
                yield _nvme(config, str(variant["InstanceType"]), "KmsKeyId")
    for notebook in template.of_type("AWS::SageMaker::NotebookInstance", "AWS::SageMaker::Cluster"):
        if notebook.properties.get("KmsKeyId") and encrypts_itself(notebook.properties.get("InstanceType")):
            yield _nvme(notebook, str(notebook.properties["InstanceType"]), "KmsKeyId")


def schedule_order(template: Template) -> Iterator[Finding]:
    """24: a monitoring schedule that may outlive what it names, while the stack goes."""
    for schedule in template.of_type("AWS::SageMaker::MonitoringSchedule"):
        config = schedule.properties.get("MonitoringScheduleConfig")
        told = config if isinstance(config, Mapping) else {}
        names = [told.get("MonitoringJobDefinitionName"), _watches(told.get("MonitoringJobDefinition"))]
        for other in template.resources:
            name = other.properties.get("EndpointName" if other.type == _ENDPOINT else "JobDefinitionName")
            if isinstance(name, str) and name in names and not ordered_after(schedule, other.logical_id):
                yield caught(
                    schedule,
                    trap(24, "schedule-order"),
                    Severity.WARNING,
                    f"the schedule names {other.logical_id} by its text, so that nothing orders the two",
                    reason="a stack that goes may take it away first, and SageMaker refuses while an execution runs",
                    way_out="refer to it, or depend on it, and stop the schedule before the stack goes",
                )


def _unpublished(policy: Resource, kinds: set[bool]) -> str | None:
    """A metric of the policy that endpoints of the template's ``kinds``, asynchronous or not, do not publish."""
    tracked = mapping(policy.get("TargetTrackingScalingPolicyConfiguration"))
    named = mapping(tracked.get("PredefinedMetricSpecification")).get("PredefinedMetricType")
    if isinstance(named, str) and (not named.startswith("SageMaker") or kinds == {True}):
        return named
    absent = _OF_REQUESTS if kinds == {True} else _OF_BACKLOG if kinds == {False} else frozenset()
    return next((name for name in _own_metrics(tracked.get("CustomizedMetricSpecification")) if name in absent), None)


def _own_metrics(specification: Any) -> Iterator[str]:
    """SageMaker's among the metrics that a policy names itself: one, or several in a formula."""
    told = mapping(specification)
    several = [mapping(mapping(one.get("MetricStat")).get("Metric")) for one in mappings(told.get("Metrics"))]
    for one in (told, *several):
        if one.get("Namespace") == "AWS/SageMaker" and isinstance(one.get("MetricName"), str):
            yield one["MetricName"]


def _watches(definition: Any) -> str | None:
    """The endpoint that a schedule's own definition names by its text."""
    inputs = listed(definition.get("MonitoringInputs")) if isinstance(definition, Mapping) else []
    places = [one.get("EndpointInput") for one in inputs if isinstance(one, Mapping)]
    names = [one.get("EndpointName") for one in places if isinstance(one, Mapping)]
    return next((name for name in names if isinstance(name, str)), None)


def _nvme(resource: Resource, instance_type: str, at: str) -> Finding:
    return caught(
        resource,
        trap(8, "key-on-nvme"),
        Severity.ERROR,
        f"a key is given for the volume of {instance_type}, whose disks are NVMe",
        reason="SageMaker refuses it: the hardware encrypts such disks",
        way_out="leave the key out for this type",
        at=at,
    )


def _variants(config: Resource) -> Iterator[Mapping[str, Any]]:
    for name in ("ProductionVariants", "ShadowProductionVariants"):
        yield from (one for one in listed(config.properties.get(name)) if isinstance(one, Mapping))


def _of_sagemaker(target: Resource) -> bool:
    return target.properties.get("ServiceNamespace") == "sagemaker"


def _scales_sagemaker(template: Template, policy: Resource) -> bool:
    targets = [one.logical_id for one in template.of_type(_TARGET) if _of_sagemaker(one)]
    resource_id = unmarked(template.references.text(policy.properties.get("ResourceId", "")))
    return resource_id.startswith("endpoint/") or any(mentions(policy.properties, one) for one in targets)


RULES: tuple[Rule, ...] = (
    capacity_reset,
    target_before_variant,
    wrong_metric,
    scale_to_zero,
    model_before_policy,
    key_on_nvme,
    schedule_order,
)
