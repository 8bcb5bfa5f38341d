"""Reads the world: a version in the registry, an endpoint and what it runs."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.release.blue_green.runtime import scaling
from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseRefused
from mlplatform_cdk.release.blue_green.runtime.state import STAGE, Approval, Live, Variant, Version
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.endpoint_specification import PACKAGE_VARIABLE
from mlplatform_cdk.runtimekit.model_package import PackageFacts


def read_version(package_arn: str) -> Version:
    """The version ``package_arn``, with all that a release needs of it."""
    package = aws.found_in_sagemaker("describe_model_package", ModelPackageName=package_arn)
    if package is None:
        message = f"the version to release must exist, got {package_arn}, which does not"
        raise ReleaseRefused(message)
    containers = package.get("InferenceSpecification", {}).get("Containers", [])
    if len(containers) != 1 or not containers[0].get("ModelDataUrl"):
        message = (
            f"{package_arn} must have one container with ModelDataUrl to be released, got {len(containers)} containers"
        )
        raise ReleaseRefused(message)
    facts = PackageFacts.from_metadata(package.get("CustomerMetadataProperties", {}))
    stage = package.get("ModelLifeCycle", {})
    return Version(
        arn=package["ModelPackageArn"],
        approval=package.get("ModelApprovalStatus", "without approval status"),
        stage_status=stage.get("StageStatus", "") if stage.get("Stage") == STAGE else "",
        image=containers[0]["Image"],
        model_data_url=containers[0]["ModelDataUrl"],
        environment=containers[0].get("Environment", {}),
        manifest_uri=facts.manifest_uri,
        manifest_sha256=facts.manifest_sha256,
        model_data_sha256=facts.model_data_sha256,
        image_digest=containers[0].get("ImageDigest", ""),
    )


def read_approval(package_arn: str) -> Approval:
    """What the registry says of the version now, which people may change at any time."""
    package = aws.found_in_sagemaker("describe_model_package", ModelPackageName=package_arn)
    if package is None:
        return Approval(status="no such version")
    return Approval(
        status=package.get("ModelApprovalStatus", "without approval status"),
        reason=package.get("ApprovalDescription", ""),
    )


def read_endpoint(name: str) -> Live:
    """The endpoint ``name`` now; its variants are known while it is in service."""
    endpoint = aws.found_in_sagemaker("describe_endpoint", EndpointName=name)
    if endpoint is None:
        return Live(status="")
    state = {
        "status": endpoint["EndpointStatus"],
        "configuration": endpoint.get("EndpointConfigName", ""),
        "reason": endpoint.get("FailureReason", ""),
    }
    if endpoint["EndpointStatus"] != "InService":
        return Live(**state)
    configuration = aws.found_in_sagemaker("describe_endpoint_config", EndpointConfigName=state["configuration"]) or {}
    definitions = {one["VariantName"]: one for one in configuration.get("ProductionVariants", [])}
    return Live(
        **state,
        keyed=bool(configuration.get("KmsKeyId")),
        variants=tuple(_variant(one, definitions) for one in endpoint["ProductionVariants"]),
        targets=scaling.read_targets(name),
    )


def model_exists(name: str) -> bool:
    """True when the model ``name`` was made before."""
    return aws.found_in_sagemaker("describe_model", ModelName=name) is not None


def _variant(live: Mapping[str, Any], definitions: Mapping[str, Mapping[str, Any]]) -> Variant:
    definition = definitions.get(live["VariantName"], {})
    model = definition.get("ModelName", "")
    described = (aws.found_in_sagemaker("describe_model", ModelName=model) if model else None) or {}
    container = described.get("PrimaryContainer") or {}
    return Variant(
        name=live["VariantName"],
        model=model,
        package_arn=container.get("Environment", {}).get(PACKAGE_VARIABLE, ""),
        weight=live.get("CurrentWeight", 0.0),
        instances=live.get("CurrentInstanceCount") or definition.get("InitialInstanceCount", 1),
        definition=definition,
    )
