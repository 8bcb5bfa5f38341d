"""Experiments with each fault there is, as the tests of this folder want them."""

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sns as sns

from mlplatform_cdk.core import PlatformFunction
from mlplatform_cdk.foundation import ArtifactStore, Keys
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.resilience import (
    ApiThrottled,
    CapacityLost,
    ChaosExperiments,
    EndpointStopped,
    Fault,
    InterfaceEndpointLost,
    LambdaErrors,
    LambdaLatency,
    NetworkLatency,
    ZoneLost,
)
from mlplatform_cdk.serving import Endpoint
from tests.resilience.building import findings
from tests.routing.regional_api.building import Built

CRON = "cron(0 10 ? * TUE *)"
CALLERS = {"app": "shop"}


def subnets(stack: Stack, count: int = 1) -> list[ec2.ISubnet]:
    return [ec2.Subnet.from_subnet_id(stack, f"Subnet{at}", f"subnet-{at}") for at in range(count)]


def lost(stack: Stack) -> CapacityLost:
    return CapacityLost(endpoint=Endpoint.from_endpoint_name(stack, "Lost", "churn"))


def alarm(stack: Stack, name: str = "callers") -> cloudwatch.IAlarm:
    return cloudwatch.Alarm.from_alarm_arn(stack, name, f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}")


def experiments(stack: Stack, faults: dict[str, Fault], **more: Any) -> ChaosExperiments:
    given: dict[str, Any] = {"stop_on": [alarm(stack)]} | more
    if "reports" not in given:
        given["reports"] = ArtifactStore(stack, "Artifacts", key=Keys(stack, "ReportKeys").data)
    return ChaosExperiments(stack, "Chaos", faults=faults, **given)


def statements(resources: Mapping[str, Any], prefix: str) -> list[dict[str, Any]]:
    (found,) = [
        one["Properties"]["PolicyDocument"]["Statement"]
        for name, one in resources.items()
        if one["Type"] == "AWS::IAM::ManagedPolicy" and name.startswith(prefix)
    ]
    return list(found)


def as_asked(made: Any) -> Any:
    """A template's properties as the API of AWS FIS takes them; what CloudFormation fills in is a text."""
    if isinstance(made, list):
        return [as_asked(one) for one in made]
    if not isinstance(made, dict):
        return made
    if any(name == "Ref" or name.startswith("Fn::") for name in made):
        return "arn:aws:service:eu-west-1:123456789012:filled/in"
    plain = {"ExperimentReportS3Configuration": "s3Configuration"}  # which CloudFormation calls otherwise
    return {plain.get(name, name[0].lower() + name[1:]): as_asked(value) for name, value in made.items()}


class Everything:
    """Each fault there is, in one region's stack."""

    def __init__(self, outdir: Path) -> None:
        self.built = Built(outdir=str(outdir), name="Stack")
        self.stack = stack = self.built.stack
        artifacts = ArtifactStore(stack, "Artifacts", key=self.built.key)
        records = ReleaseRecords(stack, "Records", key=self.built.key)
        out, alone = alarm(stack, "out"), alarm(stack, "alone")
        endpoint = Endpoint.from_endpoint_name(stack, "Capacity", "churn")
        probe = PlatformFunction(
            stack, "Probe", package="mlplatform_cdk.routing.health_probe.runtime", description="Looks"
        )
        link = ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
            stack, "Link", vpc_endpoint_id="vpce-1", port=443
        )
        faults: dict[str, Fault] = {
            "capacity": CapacityLost(endpoint=endpoint, records=records),
            "zone": ZoneLost(subnets=subnets(stack, 2), lasts=timedelta(minutes=5)),
            "throttled": ApiThrottled(api=self.built.api, rate=10, burst=5),
            "stopped": EndpointStopped(api=self.built.api, records=records, rings=[out]),
            "errors": LambdaErrors(functions=[probe], told_by=artifacts, rings=[out]),
            "late": LambdaLatency(functions=[probe], told_by=artifacts, delay=timedelta(milliseconds=300), percent=50),
            "slow": NetworkLatency(tasks=CALLERS, to=["eu-west-1.models.example.com"]),
            "link": InterfaceEndpointLost(endpoints=[link]),
        }
        topic = sns.Topic(stack, "People")
        self.chaos = experiments(
            stack,
            faults,
            reports=artifacts,
            stop_on=[out, alone],
            schedule={"stopped": CRON},
            timezone="Europe/Berlin",
            dashboard="regions",
            notifications=topic,
        )
        self.findings = findings(stack, outdir, "Chaos")
        self.made = json.loads((outdir / "Stack.template.json").read_text())
        self.resources: dict[str, Any] = self.made["Resources"]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [one["Properties"] for one in self.resources.values() if one["Type"] == kind]

    def template(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(
            one["Properties"]
            for one in self.resources.values()
            if one["Type"] == "AWS::FIS::ExperimentTemplate" and one["Properties"]["Tags"]["Name"] == name
        )
        return found

    def document(self, name: str, which: str) -> dict[str, Any]:
        found: dict[str, Any] = next(
            one["Properties"]["Content"]
            for logical, one in self.resources.items()
            if one["Type"] == "AWS::SSM::Document" and logical.startswith(f"Chaos{name}{which}")
        )
        return found

    def steps(self, name: str, which: str = "Break") -> dict[str, dict[str, Any]]:
        return {step["name"]: step for step in self.document(name, which)["mainSteps"]}

    def allows(self, name: str, action: str) -> bool:
        """May the role of the experiment ``name`` do it, to anything."""
        given = [one["Action"] for one in self.may(f"{name}Role")]
        return any(action == one if isinstance(one, str) else action in one for one in given)

    def may(self, name: str) -> list[dict[str, Any]]:
        return statements(self.resources, f"Chaos{name}")
