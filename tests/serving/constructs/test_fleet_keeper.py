"""Does scaling survive whatever CloudFormation does to an endpoint, and is a silent rollback told?"""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.local.adapters.auto_scaling import tags
from mlplatform_cdk.runtimekit import aws, scalable_targets
from mlplatform_cdk.serving.realtime_endpoint.runtime import keeping
from mlplatform_cdk.serving.realtime_endpoint.runtime.handler import handle
from tests.serving.conftest import Context

DIMENSION = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
OWNER = "Serving/c8d0"
Answers = tuple[str, list[dict[str, Any]]]

tags.install()


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("SCALING_OWNER", OWNER)
    monkeypatch.setattr(keeping, "_POLL_S", 0.01)
    aws.client.cache_clear()
    with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        yield boto3.client("sagemaker")
    aws.client.cache_clear()


def fleet(variant: str = "a", *, instance_type: str = "ml.m5.large", least: int = 1, most: int = 3) -> dict[str, Any]:
    return {
        "variant": variant,
        "instance_type": instance_type,
        "minimum": least,
        "maximum": most,
        "invocations_per_minute": 600,
    }


def make(sagemaker: Any, *fleets: dict[str, Any], counts: int = 1) -> None:
    """An endpoint in service, as CloudFormation has made it."""
    sagemaker.create_model(
        ModelName="m", ExecutionRoleArn="arn:aws:iam::123456789012:role/m", PrimaryContainer={"Image": "i"}
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName="first",
        ProductionVariants=[
            {
                "VariantName": one["variant"],
                "ModelName": "m",
                "InstanceType": one["instance_type"],
                "InitialInstanceCount": counts,
            }
            for one in fleets
        ],
    )
    sagemaker.create_endpoint(EndpointName="churn", EndpointConfigName="first")


def ask(cloudformation: Answers, request: str, phase: str, *fleets: dict[str, Any], **more: str) -> dict[str, Any]:
    """What the function answers to CloudFormation."""
    url, answers = cloudformation
    properties = {"EndpointName": "churn", "Phase": phase, "Fleet": json.dumps(fleets)}
    event = {
        "RequestType": request,
        "ResponseURL": url,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": phase,
        "PhysicalResourceId": more.pop("physical_id", f"fleet/churn/{phase}"),
        "ResourceProperties": properties | ({"EndpointConfigName": "first"} if phase == "After" else {}) | more,
    }
    handle(event, Context())
    return answers[-1]


def scaled() -> dict[str, tuple[int, int]]:
    """Variant to the bounds of its scaling; each has its policy, and says whose it is."""
    client = boto3.client("application-autoscaling")
    targets = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    policies = client.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert {one["ResourceId"] for one in targets} <= {one["ResourceId"] for one in policies}
    for one in targets:
        carried = client.list_tags_for_resource(ResourceARN=one["ScalableTargetARN"])["Tags"]
        assert carried == {scalable_targets.OWNER_TAG: OWNER}
    return {one["ResourceId"].rpartition("/")[2]: (one["MinCapacity"], one["MaxCapacity"]) for one in targets}


def test_a_new_endpoint_scales_where_it_should(sagemaker: Any, cloudformation: Answers) -> None:
    make(sagemaker, fleet("a"), fleet("b"))

    answer = ask(cloudformation, "Create", "After", fleet("a"), fleet("b", most=1))

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "fleet/churn/After")
    assert scaled() == {"a": (1, 3)}


def test_before_an_endpoint_is_there_is_nothing_to_do(sagemaker: Any, cloudformation: Answers) -> None:
    assert ask(cloudformation, "Create", "Before", fleet())["Status"] == "SUCCESS"
    assert ask(cloudformation, "Update", "Before", fleet())["Status"] == "SUCCESS"
    assert scaled() == {}


@pytest.mark.parametrize(
    ("wanted", "still"),
    [
        pytest.param([fleet("a"), fleet("b")], {"a", "b"}, id="nothing of the fleets changes"),
        pytest.param([fleet("a", instance_type="ml.c5.large"), fleet("b")], {"b"}, id="other instances"),
        pytest.param([fleet("a")], {"a"}, id="a variant goes"),
    ],
)
def test_what_changes_its_instances_or_goes_stops_scaling_before_the_update(
    sagemaker: Any, cloudformation: Answers, wanted: list[dict[str, Any]], still: set[str]
) -> None:
    make(sagemaker, fleet("a"), fleet("b"))
    ask(cloudformation, "Create", "After", fleet("a"), fleet("b"))

    ask(cloudformation, "Update", "Before", *wanted)

    assert scaled().keys() == still


def test_after_the_update_it_scales_again(sagemaker: Any, cloudformation: Answers) -> None:
    make(sagemaker, fleet())
    ask(cloudformation, "Create", "After", fleet())
    ask(cloudformation, "Update", "Before", fleet(instance_type="ml.c5.large"))

    ask(cloudformation, "Update", "After", fleet(instance_type="ml.c5.large", most=5))

    assert scaled() == {"a": (1, 5)}


def test_a_stack_that_rolls_back_gets_its_scaling_back(sagemaker: Any, cloudformation: Answers) -> None:
    make(sagemaker, fleet())
    ask(cloudformation, "Create", "After", fleet())
    ask(cloudformation, "Update", "Before", fleet(instance_type="ml.c5.large"))  # and the endpoint's update fails

    ask(cloudformation, "Update", "Before", fleet())

    assert scaled() == {"a": (1, 3)}


def test_a_variant_that_no_longer_scales_is_taken_out(sagemaker: Any, cloudformation: Answers) -> None:
    make(sagemaker, fleet())
    ask(cloudformation, "Create", "After", fleet())

    ask(cloudformation, "Update", "After", fleet(most=1))

    assert scaled() == {}


@pytest.mark.parametrize(("least", "most", "count"), [(3, 5, 3), (1, 1, 1), (1, 4, 2)])
def test_a_fleet_is_brought_within_its_bounds(
    sagemaker: Any, cloudformation: Answers, least: int, most: int, count: int
) -> None:
    make(sagemaker, fleet(), counts=2)

    answer = ask(cloudformation, "Update", "After", fleet(least=least, most=most))

    assert answer["Status"] == "SUCCESS", answer["Reason"]
    (variant,) = sagemaker.describe_endpoint(EndpointName="churn")["ProductionVariants"]
    assert variant["DesiredInstanceCount"] == count


def test_an_update_that_sagemaker_took_back_fails_the_deployment(sagemaker: Any, cloudformation: Answers) -> None:
    make(sagemaker, fleet())

    answer = ask(cloudformation, "Update", "After", fleet(), EndpointConfigName="second")

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].startswith("endpoint churn must run second, got first: SageMaker rolled the update back")


def test_an_endpoint_that_does_not_come_to_rest_is_told(
    sagemaker: Any, cloudformation: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "_describe", lambda _name: {"EndpointStatus": "Failed"})

    answer = ask(cloudformation, "Update", "After", fleet())

    assert answer["Reason"] == (
        "endpoint churn must be InService to be scaled, got Failed; look at it and deploy again"
    )


def test_an_endpoint_that_goes_stops_scaling_first(sagemaker: Any, cloudformation: Answers) -> None:
    make(sagemaker, fleet())
    ask(cloudformation, "Create", "After", fleet())

    ask(cloudformation, "Delete", "Before", fleet())
    assert scaled() == {"a": (1, 3)}
    ask(cloudformation, "Delete", "After", fleet())

    assert scaled() == {}


def test_an_endpoint_that_got_another_name_leaves_no_scaling_behind(sagemaker: Any, cloudformation: Answers) -> None:
    """CloudFormation makes the new endpoint first, and then deletes what the answer no longer names."""
    make(sagemaker, fleet("a"), fleet("b"))
    first = ask(cloudformation, "Create", "After", fleet("a"), fleet("b"))
    sagemaker.create_endpoint(EndpointName="leavers", EndpointConfigName="first")

    ask(cloudformation, "Update", "Before", fleet("a"), EndpointName="leavers")
    second = ask(cloudformation, "Update", "After", fleet("a"), EndpointName="leavers")
    assert second["PhysicalResourceId"] != first["PhysicalResourceId"]
    sagemaker.delete_endpoint(EndpointName="churn")
    gone = ask(cloudformation, "Delete", "After", fleet("a"), fleet("b"), physical_id=first["PhysicalResourceId"])

    assert gone["Status"] == "SUCCESS"
    client = boto3.client("application-autoscaling")
    targets = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert [one["ResourceId"] for one in targets] == ["endpoint/leavers/variant/a"]


def test_the_rollback_of_a_creation_that_was_never_answered_touches_nothing(
    sagemaker: Any, cloudformation: Answers
) -> None:
    make(sagemaker, fleet())
    ask(cloudformation, "Create", "After", fleet())

    answer = ask(cloudformation, "Delete", "After", fleet(), physical_id="Serving-After-1A2B3C")

    assert (answer["Status"], answer["PhysicalResourceId"]) == ("SUCCESS", "Serving-After-1A2B3C")
    assert scaled() == {"a": (1, 3)}
