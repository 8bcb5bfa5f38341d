"""The stack of what answers: the endpoint, and the releases that bring models to it."""

from constructs import Construct

from mlplatform_cdk.foundation import PlatformStack, publish
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.serving import ReleasedEndpoint
from stacks import breast_cancer
from stacks.environments import PlatformEnvironment
from stacks.published import Published


class ServingStack(PlatformStack):
    """An endpoint that gets each approved version of the model, blue beside green."""

    def __init__(self, scope: Construct, id: str, *, environment: PlatformEnvironment) -> None:
        super().__init__(scope, id, env=environment.aws)
        below = Published(self, "Published", environment=environment)
        endpoint = ReleasedEndpoint(
            self,
            "Endpoint",
            endpoint_name=breast_cancer.endpoint_name(environment),
            artifacts=below.artifacts,
            key=below.key,
            instance_type=environment.endpoint_instance,
            scaling=environment.endpoint_scaling,
            network=below.network,
        )
        release = BlueGreenRelease(
            self,
            "Release",
            endpoint=endpoint,
            registry=ModelRegistry.from_group_name(self, "Registry", breast_cancer.group_name(environment)),
            artifacts=below.artifacts,
            strategy=environment.strategy,
            records=ReleaseRecords(self, "ReleaseRecords", key=below.key, removal_policy=environment.removal_policy),
            notifications=below.notifications,
        )
        publish(self, environment.parameter("serving", "endpoint-name"), endpoint.endpoint_name)
        publish(self, environment.parameter("serving", "release-arn"), release.state_machine.state_machine_arn)
