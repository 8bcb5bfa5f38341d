"""The app that is rehearsed: one model in two regions behind one name, each with its own front, and a stack of names.

python -m mlplatform_cdk.local.rehearsal.regions.app FOLDER ZONE_ID INVOCATIONS_PER_MINUTE
"""

from __future__ import annotations

import sys
from datetime import timedelta

from aws_cdk import App, Environment, RemovalPolicy

from mlplatform_cdk.foundation import ArtifactStore, Keys, PlatformStack
from mlplatform_cdk.local.rehearsal.regions.names import AT_MOST, AT_REST, DOMAIN, REGIONS, ZONE
from mlplatform_cdk.local.settings import DEFAULT_ACCOUNT
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease, ReleaseAlarms, Strategy
from mlplatform_cdk.routing import (
    GlobalNames,
    HealthProbe,
    HostedZoneReference,
    MultiRegionEndpoint,
    RegionalApi,
    VerdictTable,
)
from mlplatform_cdk.serving import ReleasedEndpoint, ScalingRange

NAME = "rehearsal"
# The way through the embedded API takes two busy cores longer than AWS.
OVERHEAD = timedelta(milliseconds=350)


def plan(zone_id: str) -> MultiRegionEndpoint:
    """The plan of the app.

    :param zone_id: of the hosted zone.
    """
    zone = HostedZoneReference(hosted_zone_id=zone_id, zone_name=ZONE)
    return MultiRegionEndpoint(domain_name=DOMAIN, zone=zone, regions=REGIONS)


def synthesize(folder: str, zone_id: str, invocations_per_minute: int) -> None:
    """Write the app's cloud assembly.

    :param folder: where to.
    :param zone_id: of the hosted zone, which exists already.
    :param invocations_per_minute: of one instance, beyond which an endpoint has more of them.
    """
    app, given = App(outdir=folder), plan(zone_id)
    scaling = ScalingRange(minimum=AT_REST, maximum=AT_MOST, invocations_per_minute=invocations_per_minute)
    fronts = [_front(app, given, region, scaling) for region in REGIONS]
    names = PlatformStack(app, "Rehearsal-Names", env=Environment(account=DEFAULT_ACCOUNT, region=REGIONS[-1]))
    GlobalNames(names, "Names", plan=given)
    for front in fronts:
        names.add_stack_dependency(front)
    app.synth()


def _front(app: App, given: MultiRegionEndpoint, region: str, scaling: ScalingRange) -> PlatformStack:
    env = Environment(account=DEFAULT_ACCOUNT, region=region)
    stack = PlatformStack(app, f"Rehearsal-{region}", env=env)
    key = Keys(stack, "Keys", removal_policy=RemovalPolicy.DESTROY).data
    artifacts = ArtifactStore(stack, "Artifacts", key=key, removal_policy=RemovalPolicy.DESTROY)
    registry = ModelRegistry(stack, "Models", model_package_group_name=NAME, removal_policy=RemovalPolicy.DESTROY)
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name=NAME, artifacts=artifacts, scaling=scaling, key=key)
    verdicts = VerdictTable(stack, "Verdicts", key=key)
    api = RegionalApi(stack, "Api", plan=given, endpoint=endpoint, verdicts=verdicts, key=key)
    probe = HealthProbe(
        stack,
        "Probe",
        plan=given,
        endpoint=endpoint,
        api=api,
        verdicts=verdicts,
        artifacts=artifacts,
        key=key,
        registry=registry,
        overhead=OVERHEAD,
    )
    strategy = Strategy.all_at_once()
    wrong = [probe.alarms.wrong_everywhere]
    alarms = ReleaseAlarms(stack, "Alarms", endpoint=endpoint, rules=strategy.rules, business=wrong)
    BlueGreenRelease(
        stack,
        "Release",
        endpoint=endpoint,
        registry=registry,
        artifacts=artifacts,
        strategy=strategy,
        alarms=alarms,
    )
    return stack


if __name__ == "__main__":
    synthesize(sys.argv[1], sys.argv[2], int(sys.argv[3]))
