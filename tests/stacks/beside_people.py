"""What asks people about a version, synthesized for the same tests as the stacks: gates, and tests with customers."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from aws_cdk import App
from aws_cdk import aws_kms as kms
from aws_cdk import aws_stepfunctions as sfn

from mlplatform_cdk.foundation import ArtifactStore, Keys, Notifications, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.release.ab_test import ABRouter, ABTest
from mlplatform_cdk.release.gates import ChatButtons, Gates, SignedLinks, SlackChannel
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.runtimekit.ab_test import Metric, TestPlan
from mlplatform_cdk.serving import Endpoint, ReleasedEndpoint
from stacks.environments import DEV
from tests.delivery.conftest import CONTEXT, HOME
from tests.stacks.conftest import Platform, read_stacks

HERE = replace(DEV, account="111122223333", region="us-east-1")
KEY = "arn:aws:kms:us-east-1:111122223333:key/data"
MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:Release"
PLAN = TestPlan(metric=Metric(name="accepted", effect=0.01), look_every=timedelta(hours=1))


def release_gates(folder: Path) -> Platform:
    """Every way in which people answer for a release: by letter, by a public page, by buttons in a chat."""
    app = App(context=CONTEXT, outdir=str(folder / "cdk.out"))
    stack = PlatformStack(app, "Gates", env=HOME)
    key = kms.Key.from_key_arn(stack, "Key", KEY)
    records = ReleaseRecords(stack, "Records", key=key)
    channel = SlackChannel(workspace_id="T0123ABCD", channel_id="C0123ABCD")
    gates = Gates(
        stack,
        "Gates",
        endpoint_name="churn",
        records=records,
        key=key,
        notifications=Notifications(stack, "People", key=key),
        links=SignedLinks(stack, "Links", endpoint_name="churn", records=records, key=key),
        chat=ChatButtons(stack, "Chat", endpoint_name="churn", records=records, key=key, channel=channel),
    )
    quiet = Gates(stack, "Quiet", endpoint_name="scores", records=records, key=key)
    for one in (gates, quiet):
        one.open_for(sfn.StateMachine.from_state_machine_arn(one, "Machine", MACHINE))
    app.synth()
    return Platform(HERE, read_stacks(folder / "cdk.out"), ())


def ab_tests(folder: Path) -> Platform:
    """A test on an endpoint that releases own, behind a public router, and one between a template's variants."""
    app = App(context=CONTEXT, outdir=str(folder / "cdk.out"))
    stack = PlatformStack(app, "Tests", env=HOME)
    key = kms.Key.from_key_arn(stack, "Key", KEY)
    artifacts = ArtifactStore(stack, "Artifacts", key=Keys(stack, "Keys").data)
    topic = Notifications(stack, "People", key=key)
    registry = ModelRegistry.from_group_name(stack, "Registry", "churn")
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name="churn", artifacts=artifacts, key=key)
    release = BlueGreenRelease(
        stack, "Release", endpoint=endpoint, registry=registry, artifacts=artifacts, notifications=topic
    )
    own = ABTest(
        stack,
        "Own",
        test_name="churn",
        endpoint=endpoint,
        plan=PLAN,
        records=release.records,
        artifacts=artifacts,
        key=key,
        registry=registry,
        release=release,
        alarms=release.alarms.of_variant("a")[:1] if release.alarms else (),
        notifications=topic,
    )
    ABRouter(stack, "Router", test=own, http_api=True)
    templated = ABTest(
        stack,
        "Templated",
        test_name="scores",
        endpoint=Endpoint.from_endpoint_name(stack, "Scores", "scores", variants=("a", "b")),
        plan=PLAN,
        records=release.records,
        artifacts=artifacts,
        key=key,
    )
    ABRouter(stack, "Plain", test=templated)
    app.synth()
    return Platform(HERE, read_stacks(folder / "cdk.out"), ())
