"""One model in two regions behind one name: a front in each region, and a stack for the name."""

from aws_cdk import App, Environment

from mlplatform_cdk.foundation import ArtifactStore, Keys, Notifications, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.routing import (
    GlobalNames,
    HealthProbe,
    HostedZoneReference,
    MultiRegionEndpoint,
    RegionalApi,
    VerdictTable,
)
from mlplatform_cdk.serving import ReleasedEndpoint

ACCOUNT = "123456789012"
PLAN = MultiRegionEndpoint(
    domain_name="models.example.com",
    zone=HostedZoneReference(hosted_zone_id="Z0123456789ABC", zone_name="example.com"),
    regions=["eu-west-1", "us-east-1"],  # another region is another entry here, and changes no stack of these
)

app = App()
fronts = []
for region in PLAN.regions:
    stack = PlatformStack(app, f"Churn-{region}", env=Environment(account=ACCOUNT, region=region))
    key = Keys(stack, "Keys").data
    artifacts = ArtifactStore(stack, "Artifacts", key=key)
    registry = ModelRegistry(stack, "Models", model_package_group_name="churn")
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name="churn", artifacts=artifacts, key=key)
    people = Notifications(stack, "People", key=key)
    verdicts = VerdictTable(stack, "Verdicts", key=key)
    api = RegionalApi(stack, "Api", plan=PLAN, endpoint=endpoint, verdicts=verdicts, key=key)
    probe = HealthProbe(
        stack,
        "Probe",
        plan=PLAN,
        endpoint=endpoint,
        api=api,
        verdicts=verdicts,
        artifacts=artifacts,
        key=key,
        registry=registry,
        notifications=people,
    )
    BlueGreenRelease(
        stack,
        "Release",
        endpoint=endpoint,
        registry=registry,
        artifacts=artifacts,
        notifications=people,
        business=[probe.alarms.wrong_everywhere],  # a version that is wrong in every region goes back
    )
    fronts.append(stack)

names = PlatformStack(app, "Churn-Names", env=Environment(account=ACCOUNT, region="us-east-1"))
GlobalNames(names, "Names", plan=PLAN)
for stack in fronts:
    names.add_stack_dependency(stack)
app.synth()
