"""Endpoints and versions as the decisions see them."""

from dataclasses import replace
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.plan import Request, make_plan
from mlplatform_cdk.release.blue_green.runtime.state import Live, Target, Variant, Version
from mlplatform_cdk.runtimekit.endpoint_specification import EndpointSpecification

GROUP = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/churn"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:Release:one"
SPECIFICATION = EndpointSpecification(
    endpoint_name="dev-churn",
    instance_type="ml.m5.large",
    minimum=1,
    maximum=4,
    invocations_per_minute=600,
    model_role_arn="arn:aws:iam::123456789012:role/model",
    network_isolation=True,
)


def version(number: int, **changes: Any) -> Version:
    known = Version(
        arn=f"{GROUP}/{number}",
        approval="Approved",
        stage_status="",
        image="serving:1",
        model_data_url=f"s3://artifacts/runs/{number}/model.tar.gz",
        environment={},
        manifest_uri=f"s3://artifacts/runs/{number}/evaluation/manifest.json",
        manifest_sha256="0" * 64,
    )
    return replace(known, **changes)


def request(number: int, *, specification: EndpointSpecification = SPECIFICATION, **changes: Any) -> Request:
    by_approval = changes.pop("by_approval", False)
    return Request(
        version=version(number, **changes),
        specification=specification,
        execution_arn=EXECUTION,
        by_approval=by_approval,
    )


def variant(name: str, number: int, weight: float = 1.0, instances: int = 1) -> Variant:
    model = request(number).model_name
    definition = {"VariantName": name, "ModelName": model, "InstanceType": "ml.m5.large", "InitialVariantWeight": 1.0}
    return Variant(
        name=name,
        model=model,
        package_arn=f"{GROUP}/{number}",
        weight=weight,
        instances=instances,
        definition=definition,
    )


def scaled(name: str, **changes: Any) -> Target:
    return replace(Target(variant=name, minimum=1, maximum=4, suspended=False), **changes)


def live(*variants: Variant, configuration: str = "dev-churn--before", **changes: Any) -> Live:
    status = changes.pop("status", "InService")
    return Live(status=status, configuration=configuration, variants=variants, **changes)


def plan_for(number: int, endpoint: Live, **changes: Any) -> dict[str, Any]:
    others_marked = changes.pop("others_marked", False)
    model_exists = changes.pop("model_exists", False)
    shadow_percent = changes.pop("shadow_percent", 0.0)
    rejected = changes.pop("rejected", ())
    return make_plan(
        request(number, **changes),
        endpoint,
        model_exists=model_exists,
        others_marked=others_marked,
        rejected=rejected,
        shadow_percent=shadow_percent,
    )
