"""The app that is rehearsed where none is named: one endpoint, released step by step, with a gate on the way.

python -m mlplatform_cdk.local.rehearsal.app FOLDER
"""

from __future__ import annotations

import sys
from datetime import timedelta

from aws_cdk import App, Environment, RemovalPolicy

from mlplatform_cdk.foundation import ArtifactStore, Keys, Notifications, PlatformStack
from mlplatform_cdk.local.settings import DEFAULT_ACCOUNT, DEFAULT_REGION
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease, Gate, Strategy
from mlplatform_cdk.serving import ReleasedEndpoint

NAME = "rehearsal"
# The default's steps and rules. A shorter bake and fewer looks at each window: two cores look, serve and call at once.
STRATEGY = Strategy.linear(
    observe=timedelta(minutes=5), look_every=timedelta(seconds=30), bake=timedelta(minutes=10), gates=(Gate(20),)
)


def synthesize(folder: str) -> None:
    """Write the app's cloud assembly to ``folder``."""
    app = App(outdir=folder)
    stack = PlatformStack(app, "Rehearsal", env=Environment(account=DEFAULT_ACCOUNT, region=DEFAULT_REGION))
    key = Keys(stack, "Keys", removal_policy=RemovalPolicy.DESTROY).data
    artifacts = ArtifactStore(stack, "Artifacts", key=key, removal_policy=RemovalPolicy.DESTROY)
    registry = ModelRegistry(stack, "Models", model_package_group_name=NAME, removal_policy=RemovalPolicy.DESTROY)
    BlueGreenRelease(
        stack,
        "Release",
        endpoint=ReleasedEndpoint(stack, "Endpoint", endpoint_name=NAME, artifacts=artifacts, key=key),
        registry=registry,
        artifacts=artifacts,
        strategy=STRATEGY,
        notifications=Notifications(stack, "Topic", key=key),
    )
    app.synth()


if __name__ == "__main__":
    synthesize(sys.argv[1])
