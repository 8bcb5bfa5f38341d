"""The stack of what answers: the endpoint, the releases that bring models to it, and its part of the one name."""

from constructs import Construct

from mlplatform_cdk import resilience
from mlplatform_cdk.core import machine_arn
from mlplatform_cdk.foundation import PlatformStack, publish
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.serving import ReleasedEndpoint
from stacks import breast_cancer
from stacks.environments import PlatformEnvironment
from stacks.published import Published
from stacks.regions import Regions


class ServingStack(PlatformStack):
    """An endpoint that gets each approved version of the model, blue beside green.

    Where there is a name for several regions, the release train brings the versions, and an approval alone starts no
    release; so the first further region changes as little here as any other.
    """

    def __init__(
        self, scope: Construct, id: str, *, environment: PlatformEnvironment, regions: Regions | None = None
    ) -> None:
        super().__init__(scope, id, env=environment.aws)
        below = Published(self, "Published", environment=environment)
        registry = ModelRegistry.from_group_name(self, "Registry", breast_cancer.group_name(environment))
        endpoint = ReleasedEndpoint(
            self,
            "Endpoint",
            endpoint_name=breast_cancer.endpoint_name(environment),
            artifacts=below.artifacts,
            key=below.key,
            instance_type=environment.endpoint_instance,
            scaling=environment.endpoint_scaling,
            network=below.network,
            log_removal_policy=environment.removal_policy,
        )
        front = None
        if regions is not None:
            # Here and below: an environment of one region loads none of what these stand on.
            from stacks.front import Front

            front = Front(
                self,
                "Front",
                plan=regions.endpoints,
                endpoint=endpoint,
                registry=registry,
                below=below,
                requests_per_second=environment.requests_per_second,
            )
        release = BlueGreenRelease(
            self,
            "Release",
            endpoint=endpoint,
            registry=registry,
            artifacts=below.artifacts,
            strategy=environment.strategy,
            records=ReleaseRecords(self, "ReleaseRecords", key=below.key, removal_policy=environment.removal_policy),
            notifications=below.notifications,
            business=[front.probe.alarms.wrong_everywhere] if front is not None else (),
            on_approval=regions is None,
        )
        if regions is not None and front is not None:
            from mlplatform_cdk.release.train import TrainStation

            TrainStation(
                self,
                "Station",
                endpoint=endpoint,
                release=release,
                registry=registry,
                artifacts=below.artifacts,
                train_account=regions.data.account,
                external_id=regions.stop_in(environment.region).external_id,
                removal_policy=environment.removal_policy,
            )
            resilience.Runbooks(
                self,
                "Runbooks",
                endpoint=endpoint,
                release=release,
                registry=registry,
                plan=regions.endpoints,
                verdicts=front.verdicts,
                tables=[resilience.RestorableTable(table=release.records, key=below.key)],
                archives=below.artifacts if environment.region == regions.data.home else None,
            )
        publish(self, environment.parameter("serving", "endpoint-name"), endpoint.endpoint_name)
        publish(self, environment.parameter("serving", "release-arn"), machine_arn(release.state_machine))
        resilience.Teardown(self, "Teardown", key=below.key, releases=[release])
