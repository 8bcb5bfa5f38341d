"""Answers the event that a version of a model waits for approval."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.registry.approval.runtime.decision import Decision, decide
from mlplatform_cdk.runtimekit import aws, logs, settings
from mlplatform_cdk.runtimekit.model_package import PackageError, PackageFacts

_PENDING = "PendingManualApproval"
_LOG = logs.logger("approval")


def handle(event: Mapping[str, Any], context: object) -> dict[str, str]:  # noqa: ARG001 - Lambda's signature
    """Approve the version that ``event`` names, or say on it why it waits.

    EventBridge may deliver an event twice, and writing a description makes a new event: a version that somebody has
    decided upon, or that already carries the same reason, is left alone.
    """
    arn = event["detail"]["ModelPackageArn"]
    package = aws.client("sagemaker").describe_model_package(ModelPackageName=arn)
    if package.get("ModelApprovalStatus") != _PENDING:
        return _answer(arn, "unchanged", f"the version is {package.get('ModelApprovalStatus')} already")
    decision = _decide(package.get("CustomerMetadataProperties", {}))
    if not decision.approved and package.get("ApprovalDescription") == decision.reason:
        return _answer(arn, "unchanged", decision.reason)
    # A version that waits is not told so again: a person may have decided since it was described.
    approval = {"ModelApprovalStatus": "Approved"} if decision.approved else {}
    aws.client("sagemaker").update_model_package(ModelPackageArn=arn, ApprovalDescription=decision.reason, **approval)
    return _answer(arn, approval.get("ModelApprovalStatus", _PENDING), decision.reason)


def _decide(metadata: Mapping[str, str]) -> Decision:
    """A version that no run of ours registered has no metrics to judge by, which is a person's business."""
    try:
        facts = PackageFacts.from_metadata(metadata)
    except PackageError as problem:
        return Decision(approved=False, reason=f"waits for a person: {problem}")
    return decide(facts.metrics, metric=settings.required("METRIC"), at_least=settings.number("AT_LEAST", 0.0))


def _answer(arn: str, status: str, reason: str) -> dict[str, str]:
    _LOG.info("decided", extra={"model_package": arn, "status": status, "reason": reason})
    return {"model_package": arn, "status": status, "reason": reason}
