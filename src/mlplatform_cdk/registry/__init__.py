"""Which models exist, where they come from, which may serve."""

from mlplatform_cdk.registry.approval import ApprovalRule
from mlplatform_cdk.registry.model_registry import ModelRegistry

__all__ = ["ApprovalRule", "ModelRegistry"]
