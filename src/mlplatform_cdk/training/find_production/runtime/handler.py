"""Looks the model that serves now up in the registry."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.runtimekit import aws, logs, settings

_LOG = logs.logger("find_production")
_IN_PRODUCTION = {"Stage": "Production", "StageStatus": "InService"}


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Where the model in production lies; ``found`` is false, and the rest empty, where there is none."""
    logs.bind(run_id=event["run_id"])
    arn = _newest_in_production(settings.required("MODEL_PACKAGE_GROUP_NAME"))
    if arn is None:
        _LOG.info("no model is in production")
        return {"found": False, "model_data_url": "", "model_package_arn": ""}
    package = aws.client("sagemaker").describe_model_package(ModelPackageName=arn)
    url = package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"]
    _LOG.info("found", extra={"model_package": arn, "model_data_url": url})
    return {"found": True, "model_data_url": url, "model_package_arn": arn}


def _newest_in_production(group: str) -> str | None:
    """The newest version that release has put into service; it retires the ones before."""
    pages = aws.client("sagemaker").get_paginator("list_model_packages")
    for page in pages.paginate(ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"):
        for one in page["ModelPackageSummaryList"]:
            stage = one.get("ModelLifeCycle", {})
            if all(stage.get(name) == value for name, value in _IN_PRODUCTION.items()):
                arn: str = one["ModelPackageArn"]
                return arn
    return None
