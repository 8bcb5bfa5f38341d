"""What moto lacks, one small module each: every adapter patches moto through its extension points and says what for.

An adapter is a module with ``install() -> None``, which may be called twice; they install in the order given.
"""

from __future__ import annotations

from importlib import import_module

ADAPTERS: tuple[str, ...] = (
    "mlplatform_cdk.local.adapters.shortcuts",
    "mlplatform_cdk.local.adapters.configuration",
    "mlplatform_cdk.local.adapters.cloudformation",
    "mlplatform_cdk.local.adapters.buckets",
    "mlplatform_cdk.local.adapters.health_checks",
    "mlplatform_cdk.local.adapters.iam",
    "mlplatform_cdk.local.adapters.lambda_functions",
    "mlplatform_cdk.local.adapters.step_functions",
    "mlplatform_cdk.local.adapters.automation",
    "mlplatform_cdk.local.adapters.experiments",
    "mlplatform_cdk.local.adapters.queues",
    "mlplatform_cdk.local.adapters.targets",
    "mlplatform_cdk.local.adapters.events",
    "mlplatform_cdk.local.adapters.cloudwatch",
    "mlplatform_cdk.local.adapters.jobs",
    "mlplatform_cdk.local.adapters.endpoints",
    "mlplatform_cdk.local.adapters.auto_scaling",
    "mlplatform_cdk.local.adapters.model_packages",
    "mlplatform_cdk.local.adapters.studio",
    "mlplatform_cdk.local.adapters.service_quotas",
    "mlplatform_cdk.local.adapters.throttling",
    "mlplatform_cdk.local.adapters.api_gateway",
)


def install_all() -> None:
    """Install every adapter in this process, which is then the embedded AWS."""
    for name in ADAPTERS:
        import_module(name).install()
