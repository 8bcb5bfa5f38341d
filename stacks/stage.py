"""One environment of the whole platform: its stacks, and the order in which they deploy."""

from aws_cdk import Stage
from constructs import Construct

from stacks.data import DataStack
from stacks.environments import PlatformEnvironment
from stacks.foundation import FoundationStack
from stacks.registry import RegistryStack
from stacks.serving import ServingStack
from stacks.training import TrainingStack
from stacks.workspace import WorkspaceStack


class PlatformStage(Stage):
    """The stacks of one environment; they talk through published parameters, so their order is said here."""

    def __init__(self, scope: Construct, id: str, *, environment: PlatformEnvironment) -> None:
        super().__init__(scope, id, env=environment.aws, permissions_boundary=environment.boundary)
        foundation = FoundationStack(self, "Foundation", environment=environment)
        registry = RegistryStack(self, "Registry", environment=environment)
        data = DataStack(self, "Data", environment=environment)
        workspace = WorkspaceStack(self, "Workspace", environment=environment)
        training = TrainingStack(self, "Training", environment=environment)
        serving = ServingStack(self, "Serving", environment=environment)
        for stack in (registry, data, workspace):
            stack.add_stack_dependency(foundation)
        for below in (foundation, registry, data):
            training.add_stack_dependency(below)
        for below in (foundation, registry):
            serving.add_stack_dependency(below)
