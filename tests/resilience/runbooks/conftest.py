"""A region's endpoint with every runbook, and every kind of alarm that the library makes."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam

from mlplatform_cdk.foundation import Keys, Notifications, PlatformStack
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.resilience import AllRegionsAlarm, RegionAlarm
from mlplatform_cdk.resilience.runbooks import Approval, RestorableTable, Runbook, Runbooks
from mlplatform_cdk.routing import (
    HostedZoneReference,
    MultiRegionEndpoint,
    RegionalArtifacts,
    RegionalData,
    VerdictTable,
)
from mlplatform_cdk.routing.health_probe.alarms import ProbeAlarms
from mlplatform_cdk.serving import ReleasedEndpoint
from tests.release import platforms

REGION, ACCOUNT = "eu-west-1", "123456789012"
ZONE = HostedZoneReference(hosted_zone_id="Z0123456789ABCDEFGHIJ", zone_name="example.com")
PLAN = MultiRegionEndpoint(domain_name="models.example.com", zone=ZONE, regions=[REGION, "eu-central-1"])


def errors(stack: Stack) -> cloudwatch.Alarm:
    metric = cloudwatch.Metric(namespace="Shop", metric_name="OrdersLost")
    return cloudwatch.Alarm(stack, "Orders", metric=metric, threshold=1, evaluation_periods=1)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stack, Path]:
    """The region's stack, the stack of the names, and the folder of both."""
    outdir = tmp_path_factory.mktemp("runbooks") / "cdk.out"
    app = App(outdir=str(outdir))
    base = platforms.base(app, "Stack", Environment(account=ACCOUNT, region=REGION), group="churn")
    stack, key = base.stack, base.key
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name="churn", artifacts=base.artifacts, key=key)
    topic = Notifications(stack, "Topic", key=key)
    release = BlueGreenRelease(
        stack, "Release", endpoint=endpoint, registry=base.registry, artifacts=base.artifacts, notifications=topic
    )
    team = iam.Role.from_role_arn(stack, "Team", "arn:aws:iam::123456789012:role/team")
    books = Runbooks(
        stack,
        "Runbooks",
        endpoint=endpoint,
        release=release,
        registry=base.registry,
        plan=PLAN,
        verdicts=VerdictTable(stack, "Verdicts", key=key),
        tables=[RestorableTable(table=release.records, key=key)],
        archives=base.artifacts,
        approval=Approval(approvers=[team], notifications=topic, key=key),
    )
    own = errors(stack)
    probe = ProbeAlarms(stack, "Probe", plan=PLAN, release_takes=timedelta(days=2), notifications=topic)
    data = RegionalData(name="churn-data", account=ACCOUNT, home="eu-central-1", regions=[REGION, "eu-central-1"])
    RegionalArtifacts(stack, "Copies", plan=data, key=key, notifications=topic)
    below = [own, probe.out_of_service, probe.alone, probe.wrong_everywhere]
    RegionAlarm(stack, "Region", plan=PLAN, alarms=below, notifications=topic)
    books.link(own, Runbook.RESTORE, sentence="Orders are lost")
    books.grant_start(iam.Role(stack, "Starter", assumed_by=iam.AccountRootPrincipal()))
    names = PlatformStack(app, "Names", env=Environment(account=ACCOUNT, region="us-east-1"))
    Runbooks.lead_elsewhere(names, endpoint_name="churn")
    AllRegionsAlarm(
        names,
        "Alarm",
        plan=PLAN,
        health_checks=dict.fromkeys(PLAN.targets, "check"),
        notifications=Notifications(names, "Topic", key=Keys(names, "Keys").data),
    )
    app.synth()
    return stack, outdir


@pytest.fixture(scope="session")
def resources(built: tuple[Stack, Path]) -> dict[str, Any]:
    """Of the region's stack."""
    found: dict[str, Any] = json.loads((built[1] / "Stack.template.json").read_text())["Resources"]
    return found


@pytest.fixture(scope="session")
def alarms(built: tuple[Stack, Path]) -> dict[str, str]:
    """What each alarm of both stacks says, by its name, or by its logical id."""
    found: dict[str, str] = {}
    for name in ("Stack", "Names"):
        resources = json.loads((built[1] / f"{name}.template.json").read_text())["Resources"]
        for logical_id, one in resources.items():
            if one["Type"] in ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"):
                found[one["Properties"].get("AlarmName", logical_id)] = json.dumps(
                    one["Properties"]["AlarmDescription"]
                )
    return found
