"""A train of three waves, and a station of one of its stops, each in a stack."""

from datetime import timedelta
from typing import Any

import pytest
from aws_cdk import App, Environment
from aws_cdk.assertions import Template

from mlplatform_cdk.foundation import ArtifactStore, Keys, Notifications, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.release.train import ReleaseTrain, Stop, TrainStation, Wave
from mlplatform_cdk.serving import ReleasedEndpoint, ServingImage
from tests.contracts.rendering import machines

HOME, ABROAD = "111111111111", "222222222222"
EXTERNAL_ID = "train/7f3a9c"


def stop(name: str, account: str = ABROAD, region: str = "eu-west-1", endpoint: str = "churn") -> Stop:
    return Stop(name=name, account=account, region=region, endpoint_name=f"{name}-{endpoint}", external_id=EXTERNAL_ID)


WAVES = (
    Wave(name="staging", stops=[stop("staging", HOME)]),
    Wave(name="europe", stops=[stop("prod-eu")], approval=timedelta(hours=8)),
    Wave(name="america", stops=[stop("prod-us", region="us-east-1"), stop("prod-ca", region="ca-central-1")]),
)


class BuiltTrain:
    """A synthesized train."""

    def __init__(self, *, notify: bool = True, **arguments: Any) -> None:
        self.stack = PlatformStack(App(), "Train", env=Environment(account=HOME, region="eu-west-1"))
        key = Keys(self.stack, "Keys").data
        given: dict[str, Any] = {"waves": WAVES, **arguments}
        self.train = ReleaseTrain(
            self.stack,
            "Train",
            registry=ModelRegistry.from_group_name(self.stack, "Registry", "churn"),
            artifacts=ArtifactStore(self.stack, "Artifacts", key=key),
            image=ServingImage(self.stack, "Image"),
            records=ReleaseRecords(self.stack, "Records", key=key),
            key=key,
            notifications=Notifications(self.stack, "Topic", key=key) if notify else None,
            **given,
        )
        self.template = Template.from_stack(self.stack)
        ((self.machine, self.definition),) = machines(self.template.to_json()).items()

    def state(self, name: str) -> dict[str, Any]:
        state: dict[str, Any] = self.definition["States"][name]
        return state


@pytest.fixture(scope="session")
def built() -> BuiltTrain:
    return BuiltTrain()


def station_stack(**arguments: Any) -> PlatformStack:
    """A stop's stack: its endpoint, its releases, and the station."""
    stack = PlatformStack(App(), "Serving", env=Environment(account=ABROAD, region="eu-west-1"))
    key = Keys(stack, "Keys").data
    artifacts = ArtifactStore(stack, "Artifacts", key=key)
    registry = ModelRegistry.from_group_name(stack, "Registry", "churn")
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name="prod-eu-churn", artifacts=artifacts, key=key)
    release = BlueGreenRelease(stack, "Release", endpoint=endpoint, registry=registry, artifacts=artifacts)
    TrainStation(
        stack,
        "Station",
        endpoint=endpoint,
        release=release,
        registry=registry,
        artifacts=artifacts,
        train_account=HOME,
        external_id=EXTERNAL_ID,
        **arguments,
    )
    return stack
