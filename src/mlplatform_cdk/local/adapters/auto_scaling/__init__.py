"""Application Auto Scaling of endpoints: moto keeps targets and policies, and nobody acts on them, nor tags them."""

from __future__ import annotations

from mlplatform_cdk.local.adapters.auto_scaling import policies, tags


def install() -> None:
    """Let target tracking policies of variants watch their metric, and act, and targets carry tags."""
    policies.install()
    tags.install()
