"""The stack of the models' registry: apart from training and serving, which both stand on it and come and go."""

from constructs import Construct

from mlplatform_cdk.foundation import PlatformStack, publish
from mlplatform_cdk.registry import ModelRegistry
from stacks import breast_cancer
from stacks.environments import PlatformEnvironment
from stacks.published import Published


class RegistryStack(PlatformStack):
    """The versions of the model, and the rule that approves them."""

    def __init__(self, scope: Construct, id: str, *, environment: PlatformEnvironment) -> None:
        super().__init__(scope, id, env=environment.aws)
        below = Published(self, "Published", environment=environment)
        registry = ModelRegistry(
            self,
            "Models",
            model_package_group_name=breast_cancer.group_name(environment),
            auto_approve=breast_cancer.APPROVAL,
            key=below.key,
            removal_policy=environment.removal_policy,
        )
        publish(self, environment.parameter("registry", "model-package-group"), registry.model_package_group_name)
