"""Reads the endpoint, the registry and the alarms, and changes the endpoint."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlplatform_cdk.release.ab_test.runtime.errors import TestRefused
from mlplatform_cdk.release.ab_test.runtime.preparation import Challenger, Preparation
from mlplatform_cdk.release.ab_test.runtime.reach import Live
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.endpoint_specification import PACKAGE_VARIABLE
from mlplatform_cdk.runtimekit.model_package import PackageFacts

_APPROVED, _REJECTED = "Approved", "Rejected"
# Of a configuration, what the test's has, too.
_KEPT = ("KmsKeyId", "DataCaptureConfig", "MetricsConfig", "ExecutionRoleArn", "VpcConfig", "EnableNetworkIsolation")
_LONGEST_REASON = 1024  # of an approval's description, which is one line
_MODEL_KEPT = ("ExecutionRoleArn", "VpcConfig", "EnableNetworkIsolation")


def read_endpoint(name: str) -> Live:
    """The endpoint ``name`` now."""
    endpoint = aws.found_in_sagemaker("describe_endpoint", EndpointName=name) or {}
    variants = endpoint.get("ProductionVariants", [])
    return Live(
        status=endpoint.get("EndpointStatus", ""),
        configuration=endpoint.get("EndpointConfigName", ""),
        weights={one["VariantName"]: one.get("CurrentWeight", 0.0) for one in variants},
        counts={one["VariantName"]: one.get("CurrentInstanceCount", 1) for one in variants},
        reason=endpoint.get("FailureReason", ""),
    )


def read_configuration(name: str) -> dict[str, Any]:
    """The endpoint configuration ``name``."""
    answer: dict[str, Any] = aws.client("sagemaker").describe_endpoint_config(EndpointConfigName=name)
    return answer


def versions_of(configuration: Mapping[str, Any]) -> dict[str, str]:
    """Variant to the version behind its model, where the model says so."""
    versions = {}
    for one in configuration["ProductionVariants"]:
        described = aws.found_in_sagemaker("describe_model", ModelName=one.get("ModelName", "")) or {}
        container: dict[str, Any] = described.get("PrimaryContainer") or next(iter(described.get("Containers", [])), {})
        environment = container.get("Environment", {})
        versions[one["VariantName"]] = container.get("ModelPackageName") or environment.get(PACKAGE_VARIABLE, "")
    return versions


def read_challenger(
    package_arn: str, variant: str, model: str, *, environment: Mapping[str, str] | None = None
) -> Challenger:
    """The version ``package_arn`` as a challenger.

    :param package_arn: of the version.
    :param variant: what it is called on the endpoint.
    :param model: what its model is called.
    :param environment: variables of the endpoint, over the version's own; default: none.
    :raises TestRefused: when it must not serve.
    """
    package = aws.found_in_sagemaker("describe_model_package", ModelPackageName=package_arn) or {}
    if package.get("ModelApprovalStatus") not in {_APPROVED, "PendingManualApproval"}:
        status = package.get("ModelApprovalStatus", "no such version")
        raise TestRefused(f"a challenger must be a version that nobody rejected, got {package_arn}: {status}")
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1 or not containers[0].get("ModelDataUrl"):
        raise TestRefused(f"{package_arn} must have one container with ModelDataUrl, got {len(containers)} containers")
    facts = PackageFacts.from_metadata(package.get("CustomerMetadataProperties", {}))
    own = containers[0].get("Environment", {})
    return Challenger(
        variant=variant,
        version=package["ModelPackageArn"],
        model=model,
        container={
            "Image": containers[0]["Image"],
            "ModelDataUrl": containers[0]["ModelDataUrl"],
            "Environment": {**own, **(environment or {}), PACKAGE_VARIABLE: package["ModelPackageArn"]},
        },
        manifest_uri=facts.manifest_uri,
        manifest_sha256=facts.manifest_sha256,
    )


def rejected(versions: Iterable[str]) -> list[str]:
    """Those of ``versions`` that somebody has rejected meanwhile, or deleted."""
    found = {one: aws.found_in_sagemaker("describe_model_package", ModelPackageName=one) for one in versions}
    return [one for one, package in found.items() if package is None or package["ModelApprovalStatus"] == _REJECTED]


def make(preparation: Preparation) -> None:
    """Make the models and the configuration of a test; what is there stays."""
    sagemaker = aws.client("sagemaker")
    before = read_configuration(preparation.before)
    control = next(
        one["ModelName"] for one in before["ProductionVariants"] if one["VariantName"] == preparation.arms[0].variant
    )
    like = sagemaker.describe_model(ModelName=control)
    for one in preparation.challengers:
        if aws.found_in_sagemaker("describe_model", ModelName=one.model) is None:
            kept = {name: like[name] for name in _MODEL_KEPT if name in like}
            sagemaker.create_model(ModelName=one.model, PrimaryContainer=dict(one.container), **kept)
    if aws.found_in_sagemaker("describe_endpoint_config", EndpointConfigName=preparation.configuration) is None:
        sagemaker.create_endpoint_config(
            EndpointConfigName=preparation.configuration,
            ProductionVariants=[dict(one) for one in preparation.variants],
            **{name: before[name] for name in _KEPT if name in before},
        )


def unmake(preparation: Preparation) -> None:
    """Delete what ``make`` made."""
    if not preparation.challengers:
        return
    sagemaker = aws.client("sagemaker")
    if aws.found_in_sagemaker("describe_endpoint_config", EndpointConfigName=preparation.configuration) is not None:
        sagemaker.delete_endpoint_config(EndpointConfigName=preparation.configuration)
    for one in preparation.challengers:
        if aws.found_in_sagemaker("describe_model", ModelName=one.model) is not None:
            sagemaker.delete_model(ModelName=one.model)


def approve(package_arn: str, reason: str) -> None:
    """Approve a version that waits for it; one that somebody has decided upon meanwhile stays as it is."""
    sagemaker = aws.client("sagemaker")
    package = sagemaker.describe_model_package(ModelPackageName=package_arn)
    if package.get("ModelApprovalStatus") == "PendingManualApproval":
        said = " ".join(reason.split())[:_LONGEST_REASON]
        sagemaker.update_model_package(
            ModelPackageArn=package_arn, ModelApprovalStatus=_APPROVED, ApprovalDescription=said
        )


def set_weights(endpoint: str, weights: Mapping[str, float]) -> None:
    """Move the endpoint's traffic, in one call."""
    aws.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName=endpoint,
        DesiredWeightsAndCapacities=[
            {"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()
        ],
    )


def set_configuration(endpoint: str, configuration: str) -> None:
    """Bring another configuration up; variants that are in both keep their weights and their instances."""
    aws.client("sagemaker").update_endpoint(
        EndpointName=endpoint, EndpointConfigName=configuration, RetainAllVariantProperties=True
    )


def in_alarm(names: Sequence[str]) -> tuple[str, ...]:
    """Which of these alarms are in alarm."""
    if not names:
        return ()
    answer = aws.client("cloudwatch").describe_alarms(
        AlarmNames=[*names], AlarmTypes=["CompositeAlarm", "MetricAlarm"], StateValue="ALARM"
    )
    found = [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    return tuple(sorted(one["AlarmName"] for one in found if one["StateValue"] == "ALARM"))
