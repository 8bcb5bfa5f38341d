"""The request that registers a model: what the registry shall know of it. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.runtimekit.model_package import PackageFacts

_JSON = "application/json"


class RegistrationError(KnownError):
    """A model that was not accepted, or whose parts do not belong together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the run's steps have left so far, as the state machine hands it over."""

    run_id: str
    execution_arn: str
    dataset_uri: str
    dataset_version: str
    profile_uri: str
    model_data_url: str
    evaluation_uri: str


def facts_of(run: Run, manifest: bytes, evaluation: Mapping[str, Any]) -> PackageFacts:
    """The lineage of the run's model; refuses one that evaluation did not accept, or whose manifest was changed."""
    if evaluation.get("accepted") is not True:
        reasons = "; ".join(evaluation.get("reasons", [])) or "no reason"
        raise RegistrationError(f"a model must be accepted by evaluation to be registered, got {reasons}")
    digest = hashlib.sha256(manifest).hexdigest()
    if evaluation.get("manifest_sha256") != digest:
        raise RegistrationError("the manifest must be the one that evaluation wrote, got one with another digest")
    return PackageFacts(
        run_id=run.run_id,
        dataset_version=run.dataset_version,
        dataset_uri=run.dataset_uri,
        code_version=Manifest.from_json(manifest).code_version,
        manifest_uri=manifest_uri(run),
        manifest_sha256=digest,
        evaluation_uri=run.evaluation_uri,
        model_data_sha256=evaluation["model_data_sha256"],
        execution_arn=run.execution_arn,
        metrics=evaluation["metrics"],
    )


def manifest_uri(run: Run) -> str:
    """Evaluation leaves the manifest beside its verdict."""
    return f"{run.evaluation_uri.rsplit('/', 1)[0]}/manifest.json"


def create_request(run: Run, facts: PackageFacts, manifest: Manifest, *, group: str, image: str) -> dict[str, Any]:
    """The parameters of CreateModelPackage; the same run asks for the same package, however often."""
    return {
        "ModelPackageGroupName": group,
        "ModelPackageDescription": f"{manifest.model_name} of run {run.run_id}, data {run.dataset_version}",
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [{"Image": image, "ModelDataUrl": run.model_data_url}],
            "SupportedContentTypes": list(manifest.content_types),
            "SupportedResponseMIMETypes": [_JSON],
        },
        "ModelMetrics": {
            "ModelQuality": {"Statistics": {"ContentType": _JSON, "S3Uri": run.evaluation_uri}},
            "ModelDataQuality": {"Statistics": {"ContentType": _JSON, "S3Uri": run.profile_uri}},
        },
        "MetadataProperties": {"GeneratedBy": run.execution_arn, "CommitId": facts.code_version},
        "CustomerMetadataProperties": facts.to_metadata(),
        "ClientToken": hashlib.sha256(run.execution_arn.encode()).hexdigest()[:36],
    }
