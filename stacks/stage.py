"""One environment of the whole platform: its stacks, region by region, and the order in which they deploy."""

from aws_cdk import Stage
from constructs import Construct

from stacks import breast_cancer
from stacks.data import DataStack
from stacks.environments import PlatformEnvironment
from stacks.foundation import FoundationStack
from stacks.regions import Regions
from stacks.registry import RegistryStack
from stacks.serving import ServingStack
from stacks.training import TrainingStack
from stacks.workspace import WorkspaceStack


class PlatformStage(Stage):
    """The stacks of one environment; they talk through published parameters, so their order is said here.

    One stage for all regions, since CDK knows no order between stages: see docs/adr/0019.
    """

    def __init__(self, scope: Construct, id: str, *, environment: PlatformEnvironment) -> None:
        super().__init__(scope, id, env=environment.aws, permissions_boundary=environment.boundary)
        regions = Regions.of(environment)
        foundation = FoundationStack(self, "Foundation", environment=environment, regions=regions)
        registry = RegistryStack(self, "Registry", environment=environment, approval=breast_cancer.APPROVAL)
        data = DataStack(self, "Data", environment=environment)
        workspace = WorkspaceStack(self, "Workspace", environment=environment)
        training = TrainingStack(self, "Training", environment=environment)
        serving = ServingStack(self, "Serving", environment=environment, regions=regions)
        for stack in (registry, data, workspace):
            stack.add_stack_dependency(foundation)
        for below in (foundation, registry, data):
            training.add_stack_dependency(below)
        for below in (foundation, registry):
            serving.add_stack_dependency(below)
        if regions is not None:
            self._define_regions(environment, regions, foundation, serving)

    def _define_regions(
        self, environment: PlatformEnvironment, regions: Regions, foundation: FoundationStack, serving: ServingStack
    ) -> None:
        """What serves elsewhere, the train that goes there, and the names, last of all."""
        # Here, since an environment of one region loads none of what these stand on.
        from stacks.names import NamesStack
        from stacks.train import TrainStack

        fronts = [serving]
        for region in environment.further_regions:
            here = environment.at(region)
            its_foundation = FoundationStack(self, f"Foundation-{region}", environment=here, regions=regions)
            its_registry = RegistryStack(self, f"Registry-{region}", environment=here, approval=None)
            its_serving = ServingStack(self, f"Serving-{region}", environment=here, regions=regions)
            foundation.add_stack_dependency(its_foundation)  # S3 replicates into buckets that are there
            its_registry.add_stack_dependency(its_foundation)
            its_serving.add_stack_dependency(its_foundation)
            its_serving.add_stack_dependency(its_registry)
            fronts.append(its_serving)
        names = NamesStack(self, "Names", environment=environment, regions=regions)
        train = TrainStack(self, "Train", environment=environment, regions=regions)
        for front in fronts:
            names.add_stack_dependency(front)
            train.add_stack_dependency(front)
        train.add_stack_dependency(foundation)
