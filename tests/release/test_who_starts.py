"""Who starts a release where a train goes, and what stops it besides its own alarms?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk.assertions import Template

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import ArtifactStore, Keys, PlatformStack
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release import BlueGreenRelease, ReleaseAlarms
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.release.train import DepartureOnApproval, ReleaseTrain, Stop, Wave
from mlplatform_cdk.serving import ReleasedEndpoint, ServingImage

STOP = Stop(name="home", account="123456789012", region="eu-west-1", endpoint_name="dev-churn", external_id="train")


def build(**arguments: Any) -> Stack:
    stack = PlatformStack(App(), "Serving", env=Environment(account="123456789012", region="eu-west-1"))
    key = Keys(stack, "Keys").data
    artifacts = ArtifactStore(stack, "Artifacts", key=key)
    registry = ModelRegistry.from_group_name(stack, "Registry", "churn")
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name="dev-churn", artifacts=artifacts, key=key)
    orders = cloudwatch.Alarm.from_alarm_name(stack, "Orders", "orders-low")
    twice = arguments.pop("twice", False)
    BlueGreenRelease(
        stack,
        "Release",
        endpoint=endpoint,
        registry=registry,
        artifacts=artifacts,
        alarms=ReleaseAlarms(stack, "Alarms", endpoint=endpoint) if twice else None,
        business=[orders],
        **arguments,
    )
    if not arguments.get("on_approval", True):
        train = ReleaseTrain(
            stack,
            "Train",
            waves=[Wave(name="home", stops=[STOP])],
            registry=registry,
            artifacts=artifacts,
            image=ServingImage(stack, "Image"),
            records=ReleaseRecords(stack, "Records", key=key),
            key=key,
        )
        DepartureOnApproval(stack, "Departure", train=train, registry=registry)
    return stack


def test_an_approval_starts_the_train_alone_with_its_version_and_a_rejection_still_takes_the_live_one_back() -> None:
    template = Template.from_stack(build(on_approval=False))

    rules = template.find_resources("AWS::Events::Rule").values()
    starts = {
        one["Properties"]["EventPattern"]["detail"]["ModelApprovalStatus"][0]: one["Properties"]["Targets"]
        for one in rules
        if "ModelApprovalStatus" in one["Properties"].get("EventPattern", {}).get("detail", {})
    }
    assert {status: len(targets) for status, targets in starts.items()} == {"Approved": 1, "Rejected": 1}
    (target,) = starts["Approved"]
    assert target["Arn"]["Ref"].startswith("TrainMachine")
    assert json.loads(target["InputTransformer"]["InputTemplate"].replace("<", '"<').replace(">", '>"')) == {
        "model_package_arn": "<detail-ModelPackageArn>",
        "by": "approval",
    }
    assert "DeadLetterConfig" in target


def test_an_alarm_of_the_caller_stops_a_release_beside_its_own() -> None:
    template = Template.from_stack(build())

    (rule,) = [
        one["Properties"]
        for one in template.find_resources("AWS::Events::Rule").values()
        if one["Properties"].get("EventPattern", {}).get("detail-type") == ["CloudWatch Alarm State Change"]
    ]
    assert "orders-low" in json.dumps(rule["EventPattern"])
    assert '\\"business\\":[\\"orders-low\\"]' in json.dumps(rule["Targets"])


def test_alarms_of_the_caller_are_given_once() -> None:
    with pytest.raises(ConfigurationError, match=r"business must be given to the ReleaseAlarms of alarms, got both"):
        build(twice=True)
