"""Registers the run's model, pending approval, and makes the run's data the reference for the next one."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.runtimekit import aws, logs, s3, settings
from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.training.register.runtime.package import Run, create_request, facts_of, manifest_uri

_LOG = logs.logger("register")


def handle(event: Mapping[str, Any], context: object) -> dict[str, str]:  # noqa: ARG001 - Lambda's signature
    """Create the model package of the run in ``event``; called again, it answers with the same one."""
    run = Run(**event)
    logs.bind(run_id=run.run_id)
    manifest = s3.read_bytes(manifest_uri(run))
    facts = facts_of(run, manifest, s3.read_json(run.evaluation_uri))
    request = create_request(
        run,
        facts,
        Manifest.from_json(manifest),
        group=settings.required("MODEL_PACKAGE_GROUP_NAME"),
        image=settings.required("INFERENCE_IMAGE"),
    )
    arn: str = aws.client("sagemaker").create_model_package(**request)["ModelPackageArn"]
    s3.write_bytes(settings.required("REFERENCE_URI"), s3.read_bytes(run.profile_uri), content_type="application/json")
    _LOG.info("registered", extra={"model_package": arn, "metrics": dict(facts.metrics)})
    return {"model_package_arn": arn}
