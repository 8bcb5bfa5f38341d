"""The stack of the people's workspace."""

from constructs import Construct

from mlplatform_cdk.core import reading
from mlplatform_cdk.foundation import PlatformStack
from mlplatform_cdk.resilience import Teardown
from mlplatform_cdk.workspace import StudioDomain
from stacks.environments import PlatformEnvironment
from stacks.published import Published


class WorkspaceStack(PlatformStack):
    """The Studio domain, whose people may read what the runs made."""

    def __init__(self, scope: Construct, id: str, *, environment: PlatformEnvironment) -> None:
        super().__init__(scope, id, env=environment.aws)
        below = Published(self, "Published", environment=environment)
        studio = StudioDomain(
            self,
            "Studio",
            domain_name=f"mlplatform-{environment.name}",
            vpc_id=below.vpc_id,
            network=below.network,
            key=below.key,
            users=environment.users,
            access=[reading(below.artifacts)],
            removal_policy=environment.removal_policy,
        )
        Teardown(self, "Teardown", key=below.key, studios=[studio])
