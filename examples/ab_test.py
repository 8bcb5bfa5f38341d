"""Two versions of a model side by side: the one that more customers accept wins, and is released."""

from datetime import timedelta

from aws_cdk import App, Stack

from mlplatform_cdk.foundation import ArtifactStore, Keys, Notifications
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.release.ab_test import ABRouter, ABTest
from mlplatform_cdk.runtimekit.ab_test import Guard, Metric, TestPlan
from mlplatform_cdk.serving import ReleasedEndpoint

app = App()
stack = Stack(app, "Offers")
key = Keys(stack, "Keys").data
artifacts = ArtifactStore(stack, "Artifacts", key=key)
registry = ModelRegistry(stack, "Models", model_package_group_name="offers")
endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name="offers", artifacts=artifacts, key=key)
topic = Notifications(stack, "Topic", key=key)
release = BlueGreenRelease(
    stack, "Release", endpoint=endpoint, registry=registry, artifacts=artifacts, notifications=topic
)

plan = TestPlan(
    metric=Metric(name="accepted", effect=0.01, unreported_is_zero=True),
    guards=(
        Guard(metric=Metric(name="failed", goal="decrease", effect=0.005), margin=0.001),
        Guard(metric=Metric(name="latency_ms", kind="mean", goal="decrease", effect=10.0), margin=20.0),
    ),
    look_every=timedelta(hours=1),
    duration=timedelta(days=28),
)
test = ABTest(
    stack,
    "Test",
    test_name="offers",
    endpoint=endpoint,
    plan=plan,
    records=release.records,
    artifacts=artifacts,
    key=key,
    registry=registry,
    release=release,
    notifications=topic,
)
ABRouter(stack, "Router", test=test, http_api=True)
app.synth()
