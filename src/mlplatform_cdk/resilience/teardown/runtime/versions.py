"""Deletes the versions of model package groups, without which SageMaker refuses to delete the groups."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.resilience.teardown.runtime.door import answer_to
from mlplatform_cdk.resilience.teardown.runtime.rounds import DONE, Round, SecondsLeft
from mlplatform_cdk.resilience.teardown.runtime.settings import targets
from mlplatform_cdk.runtimekit import aws, logs

_LOG = logs.logger("teardown")


def handle(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Delete the versions."""
    return answer_to(event, context, _work)


def _work(seconds_left: SecondsLeft) -> Round:
    sagemaker = aws.client("sagemaker")
    for group in targets()["groups"]:
        for arn in _of(group):
            if seconds_left() <= 0:
                return Round(waits_for=f"the last versions of {group}", pause_s=1)
            _LOG.info("deleting", extra={"model_package_arn": arn})
            sagemaker.delete_model_package(ModelPackageName=arn)
    return DONE


def _of(group: str) -> list[str]:
    """The ARNs of the group's versions; a group that is gone has none."""
    sagemaker = aws.client("sagemaker")
    pages = sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    try:
        return [one["ModelPackageArn"] for page in pages for one in page["ModelPackageSummaryList"]]
    except sagemaker.exceptions.ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return []
        raise
