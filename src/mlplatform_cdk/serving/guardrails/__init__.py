"""How SageMaker updates an endpoint of the template, each of its limits checked while the app is built."""

from mlplatform_cdk.serving.guardrails.guardrails import MOST_VARIANTS, DeploymentGuardrails

__all__ = ["MOST_VARIANTS", "DeploymentGuardrails"]
