"""The stack of the models' registry: apart from training and serving, which both stand on it and come and go."""

from aws_cdk import RemovalPolicy
from constructs import Construct

from mlplatform_cdk.foundation import PlatformStack, publish
from mlplatform_cdk.registry import ApprovalRule, ModelRegistry
from mlplatform_cdk.resilience import Teardown
from stacks import breast_cancer
from stacks.environments import PlatformEnvironment
from stacks.published import Published


class RegistryStack(PlatformStack):
    """The versions of the model, and the rule that approves them.

    :param approval: the rule; None: versions come approved, as a release train brings them.
    """

    def __init__(
        self, scope: Construct, id: str, *, environment: PlatformEnvironment, approval: ApprovalRule | None
    ) -> None:
        super().__init__(scope, id, env=environment.aws)
        below = Published(self, "Published", environment=environment)
        registry = ModelRegistry(
            self,
            "Models",
            model_package_group_name=breast_cancer.group_name(environment),
            auto_approve=approval,
            key=below.key if approval is not None else None,  # of the approval's logs
            removal_policy=environment.removal_policy,
        )
        publish(self, environment.parameter("registry", "model-package-group"), registry.model_package_group_name)
        if environment.removal_policy is RemovalPolicy.DESTROY:
            Teardown(self, "Teardown", key=below.key, registries=[registry])
