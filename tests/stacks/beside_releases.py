"""An endpoint of the template, and a release train from end to end, synthesized for the same tests as the stacks."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from aws_cdk import App
from aws_cdk import aws_sns as sns

from mlplatform_cdk.foundation import ArtifactStore, Keys, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.release.train import ReleaseTrain, Stop, TrainStation, Wave
from mlplatform_cdk.serving import (
    DataCapture,
    EndpointModel,
    EndpointVariant,
    RealtimeEndpoint,
    ReleasedEndpoint,
    ServingImage,
)
from stacks.environments import DEV
from tests.delivery.conftest import CONTEXT, HOME
from tests.stacks.conftest import Platform, read_stacks

HERE = replace(DEV, account="111122223333", region="us-east-1")
TOPIC = "arn:aws:sns:us-east-1:111122223333:people"


def realtime_endpoint(folder: Path) -> Platform:
    """An endpoint with capture, whose models stand in the template."""
    app = App(context=CONTEXT, outdir=str(folder / "cdk.out"))
    stack = PlatformStack(app, "Realtime", env=HOME)
    key = Keys(stack, "Keys").data
    RealtimeEndpoint(
        stack,
        "Endpoint",
        endpoint_name="churn",
        variants=[EndpointVariant(model=EndpointModel.from_archive("runs/1/model.tar.gz"))],
        artifacts=ArtifactStore(stack, "Artifacts", key=key),
        key=key,
        capture=DataCapture(),
    )
    app.synth()
    return Platform(HERE, read_stacks(folder / "cdk.out"), ())


def release_train(folder: Path) -> Platform:
    """A train with an approval, at home; its stations stand in the stacks of others."""
    app = App(context=CONTEXT, outdir=str(folder / "cdk.out"))
    stack = PlatformStack(app, "Train", env=HOME)
    key = Keys(stack, "Keys").data
    stop = Stop(
        name="prod", account="444455556666", region="eu-west-1", endpoint_name="prod-churn", external_id="train/7f3a9c"
    )
    ReleaseTrain(
        stack,
        "Train",
        waves=[Wave(name="production", stops=[stop], approval=timedelta(hours=8))],
        registry=ModelRegistry.from_group_name(stack, "Registry", "churn"),
        artifacts=ArtifactStore(stack, "Artifacts", key=key),
        image=ServingImage(stack, "ServingImage"),
        records=ReleaseRecords(stack, "Records", key=key),
        key=key,
        notifications=sns.Topic.from_topic_arn(stack, "People", TOPIC),
    )
    app.synth()
    return Platform(HERE, read_stacks(folder / "cdk.out"), ())


def train_station(folder: Path) -> Platform:
    """Where a train arrives: an endpoint, its releases with nobody to tell, and the station."""
    app = App(context=CONTEXT, outdir=str(folder / "cdk.out"))
    stack = PlatformStack(app, "Station", env=HOME)
    key = Keys(stack, "Keys").data
    artifacts = ArtifactStore(stack, "Artifacts", key=key)
    registry = ModelRegistry.from_group_name(stack, "Registry", "churn")
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name="prod-churn", artifacts=artifacts, key=key)
    TrainStation(
        stack,
        "Station",
        endpoint=endpoint,
        release=BlueGreenRelease(stack, "Release", endpoint=endpoint, registry=registry, artifacts=artifacts),
        registry=registry,
        artifacts=artifacts,
        train_account="444455556666",
        external_id="train/7f3a9c",
    )
    app.synth()
    return Platform(HERE, read_stacks(folder / "cdk.out"), ())
