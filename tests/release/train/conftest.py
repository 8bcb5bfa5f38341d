"""A train of three waves, and a station of one of its stops, each in a stack."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from aws_cdk import App, Environment
from aws_cdk.assertions import Template
from moto import mock_aws

from mlplatform_cdk.foundation import ArtifactStore, Keys, Notifications, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.release.train import ReleaseTrain, Stop, TrainStation, Wave
from mlplatform_cdk.release.train.runtime.promotion import version
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.serving import ReleasedEndpoint, ServingImage
from tests.contracts.rendering import machines
from tests.release.train import two_accounts as two
from tests.release.train.two_accounts import FACTS, OTHER, Layers, WithLayers, World

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


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, value in {"DEFAULT_REGION": two.REGION, "ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    aws.client.cache_clear()
    made = World()
    with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}), Layers(made) as url:
        monkeypatch.setattr(version, "_home_ecr", lambda _region: WithLayers(made, url))
        made.home("s3").create_bucket(Bucket="home", CreateBucketConfiguration={"LocationConstraint": two.REGION})
        made.home("sagemaker").create_model_package_group(ModelPackageGroupName="churn")
        made.home("ecr").create_repository(repositoryName="serving")
        made.abroad("s3").create_bucket(Bucket="abroad")
        made.abroad("sagemaker").create_model_package_group(ModelPackageGroupName="prod-churn")
        for repository in ("assets", "promoted"):
            made.abroad("ecr").create_repository(repositoryName=repository)
        made.push(made.home("ecr"), "serving", "7", b"debian", b"python")
        made.push(made.abroad("ecr"), "assets", "own", b"another image", known=False)
        address = {
            "machine": f"arn:aws:states:{OTHER}:{two.ABROAD}:stateMachine:release",
            "group": "prod-churn",
            "bucket": "abroad",
            "prefix": "runs/promoted/",
            "repository": "promoted",
            "image": f"{two.ABROAD}.dkr.ecr.{OTHER}.amazonaws.com/assets:own",
        }
        made.abroad("ssm").put_parameter(Name=FACTS.parameter, Value=json.dumps(address), Type="String")
        yield made
    aws.client.cache_clear()
