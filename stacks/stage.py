"""One environment of the whole platform: its stacks, and the order in which they deploy."""

from aws_cdk import Stage
from constructs import Construct

from stacks.data import DataStack
from stacks.environments import PlatformEnvironment
from stacks.foundation import FoundationStack
from stacks.registry import RegistryStack
from stacks.workspace import WorkspaceStack


class PlatformStage(Stage):
    """The stacks of one environment; they talk through published parameters, so their order is said here."""

    def __init__(self, scope: Construct, id: str, *, environment: PlatformEnvironment) -> None:
        super().__init__(scope, id, env=environment.aws)
        foundation = FoundationStack(self, "Foundation", environment=environment)
        for stack in (
            RegistryStack(self, "Registry", environment=environment),
            DataStack(self, "Data", environment=environment),
            WorkspaceStack(self, "Workspace", environment=environment),
        ):
            stack.add_stack_dependency(foundation)
