"""The stack of what brings an approved version to every region, one after the other, the home first."""

from constructs import Construct

from mlplatform_cdk.foundation import PlatformStack, publish
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.release.train import DepartureOnApproval, ReleaseTrain, Wave
from mlplatform_cdk.resilience import Teardown
from mlplatform_cdk.serving import ServingImage
from stacks import breast_cancer
from stacks.environments import PlatformEnvironment
from stacks.published import Published
from stacks.regions import Regions


class TrainStack(PlatformStack):
    """The release train of the home: an approval sends it off, and each region is a wave of its own."""

    def __init__(self, scope: Construct, id: str, *, environment: PlatformEnvironment, regions: Regions) -> None:
        super().__init__(scope, id, env=environment.aws)
        below = Published(self, "Published", environment=environment)
        registry = ModelRegistry.from_group_name(self, "Registry", breast_cancer.group_name(environment))
        train = ReleaseTrain(
            self,
            "Train",
            waves=[Wave(name=stop.name, stops=[stop]) for stop in regions.stops],
            registry=registry,
            artifacts=below.artifacts,
            image=ServingImage(self, "ServingImage"),
            records=ReleaseRecords(self, "Records", key=below.key, removal_policy=environment.removal_policy),
            key=below.key,
            notifications=below.notifications,
        )
        departure = DepartureOnApproval(self, "Departure", train=train, registry=registry)
        publish(self, environment.parameter("train", "machine-arn"), train.state_machine.state_machine_arn)
        Teardown(self, "Teardown", key=below.key, machines=[train.state_machine], starters=[departure])
