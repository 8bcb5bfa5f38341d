"""Approves a registered model by rule, where a person need not look."""

from mlplatform_cdk.registry.approval.construct import ApprovalByRule
from mlplatform_cdk.registry.approval.rule import ApprovalRule

__all__ = ["ApprovalByRule", "ApprovalRule"]
