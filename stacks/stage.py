"""One environment of the whole platform: its stacks, and the order in which they deploy."""

from aws_cdk import Stage
from constructs import Construct

from stacks.environments import PlatformEnvironment
from stacks.foundation import FoundationStack
from stacks.registry import RegistryStack
from stacks.workspace import WorkspaceStack


class PlatformStage(Stage):
    """The stacks of one environment; they talk through published parameters, so their order is said here."""

    def __init__(self, scope: Construct, id: str, *, environment: PlatformEnvironment) -> None:
        super().__init__(scope, id, env=environment.aws)
        foundation = FoundationStack(self, "Foundation", environment=environment)
        registry = RegistryStack(self, "Registry", environment=environment)
        workspace = WorkspaceStack(self, "Workspace", environment=environment)
        registry.add_stack_dependency(foundation)
        workspace.add_stack_dependency(foundation)
