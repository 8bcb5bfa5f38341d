"""Marks in the registry which version is in production, for evaluation and for people."""

from collections.abc import Iterator

from mlplatform_cdk.release.blue_green.runtime.rolling_back import Listed
from mlplatform_cdk.release.blue_green.runtime.state import IN_SERVICE, RETIRED, STAGE
from mlplatform_cdk.runtimekit import aws, logs

LONGEST_REASON = 1024  # of an approval's description
_LOG = logs.logger("production")


def mark(package_arn: str, group: str, *, description: str) -> list[str]:
    """Mark ``package_arn`` as in service and every other version of ``group`` that was as retired; the ARNs of those.

    The new mark comes first, so that there is always one; evaluation takes the newest version of several.

    :param package_arn: the version that serves now.
    :param group: its model package group.
    :param description: who released it to what.
    """
    _set(package_arn, IN_SERVICE, description)
    former = [arn for arn in in_service(group) if arn != package_arn]
    for arn in former:
        _set(arn, RETIRED, f"replaced by {package_arn}")
    return former


def in_service(group: str) -> Iterator[str]:
    """The versions of ``group`` that are marked as in service."""
    yield from (one.arn for one in versions(group) if one.stage_status == IN_SERVICE)


def versions(group: str) -> Iterator[Listed]:
    """All versions of ``group``."""
    pages = aws.client("sagemaker").get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    for page in pages:
        for one in page["ModelPackageSummaryList"]:
            stage = one.get("ModelLifeCycle", {})
            yield Listed(
                arn=one["ModelPackageArn"],
                number=one.get("ModelPackageVersion", 0),
                approval=one.get("ModelApprovalStatus", ""),
                stage_status=stage.get("StageStatus", "") if stage.get("Stage") == STAGE else "",
            )


def reject(package_arn: str, reason: str) -> None:
    """Mark ``package_arn`` as rejected, and say why; SageMaker takes a description of one line."""
    said = " ".join(reason.split())[:LONGEST_REASON]
    aws.client("sagemaker").update_model_package(
        ModelPackageArn=package_arn, ModelApprovalStatus="Rejected", ApprovalDescription=said
    )


def _set(package_arn: str, status: str, description: str) -> None:
    aws.client("sagemaker").update_model_package(
        ModelPackageArn=package_arn,
        ModelLifeCycle={"Stage": STAGE, "StageStatus": status, "StageDescription": description},
    )
    _LOG.info("marked", extra={"model_package": package_arn, "status": status})
