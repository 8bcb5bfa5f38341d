"""Guardrails as SageMaker and CloudFormation spell them."""

from typing import TYPE_CHECKING, Any

from mlplatform_cdk.runtimekit.release_rules import seconds

if TYPE_CHECKING:
    from mlplatform_cdk.serving.guardrails.guardrails import DeploymentGuardrails

_SIZE = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
_KEPT = {
    "keep_capacity": "DesiredInstanceCount",
    "keep_weights": "DesiredWeight",
    "keep_capture": "DataCaptureConfig",
}


def deployment_of(guardrails: "DeploymentGuardrails") -> dict[str, Any]:
    """A ``DeploymentConfig``."""
    names = [{"AlarmName": alarm.alarm_name} for alarm in guardrails.alarms]
    config: dict[str, Any] = {"AutoRollbackConfiguration": {"Alarms": names}} if names else {}
    common = {"MaximumExecutionTimeoutInSeconds": seconds(guardrails.longest)}
    wait = {"WaitIntervalInSeconds": seconds(guardrails.observe)}
    kind, step = guardrails.kind, guardrails.step
    if kind == "ROLLING":
        assert step is not None
        back = {"RollbackMaximumBatchSize": guardrails.back.rendered()} if guardrails.back else {}
        return config | {"RollingUpdatePolicy": {"MaximumBatchSize": step.rendered(), **wait, **back, **common}}
    size = {} if step is None else {_SIZE[kind]: step.rendered()}
    routing = {"Type": kind, **wait, **size}
    last = {"TerminationWaitInSeconds": seconds(guardrails.bake)}
    return config | {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, **last, **common}}


def retained_by(guardrails: "DeploymentGuardrails") -> dict[str, Any]:
    """The endpoint's retain flags."""
    if not any(getattr(guardrails, name) for name in _KEPT):
        return {"RetainAllVariantProperties": False}
    dropped = [{"VariantPropertyType": kind} for name, kind in _KEPT.items() if not getattr(guardrails, name)]
    return {"RetainAllVariantProperties": True, "ExcludeRetainedVariantProperties": dropped}
