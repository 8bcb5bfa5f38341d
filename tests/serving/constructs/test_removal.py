"""Does an endpoint go with its stack, whatever state it is in, and is CloudFormation always answered?"""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.local.adapters.auto_scaling import tags
from mlplatform_cdk.runtimekit import aws, scalable_targets
from mlplatform_cdk.serving.released_endpoint.runtime import removal
from mlplatform_cdk.serving.released_endpoint.runtime.handler import handle
from tests.serving.conftest import Context

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
tags.install()


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr(removal, "_POLL_S", 0.01)
    monkeypatch.setattr(scalable_targets, "_TAG_IS_SEEN_S", 0.0)
    aws.client.cache_clear()
    with mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1.*"]}}}):
        yield boto3.client("sagemaker")
    aws.client.cache_clear()


def event(kind: str, url: str, name: str = "churn", **more: object) -> dict[str, Any]:
    return {
        "RequestType": kind,
        "ResponseURL": url,
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Removal",
        "ResourceProperties": {"EndpointName": name},
        **more,
    }


def make(sagemaker: Any, name: str, *, endpoint: bool = True) -> None:
    """What releases leave: a model, two configurations, an endpoint, its scaling."""
    sagemaker.create_model(
        ModelName=f"{name}--v1-0",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/model",
        PrimaryContainer={"Image": "i"},
    )
    for kind in ("both", "only"):
        sagemaker.create_endpoint_config(
            EndpointConfigName=f"{name}--v1-0-{kind}",
            ProductionVariants=[
                {
                    "VariantName": "a",
                    "ModelName": f"{name}--v1-0",
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                }
            ],
        )
    if endpoint:
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=f"{name}--v1-0-only")
        boto3.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="sagemaker",
            ResourceId=f"endpoint/{name}/variant/a",
            ScalableDimension=DIMENSION,
            MinCapacity=1,
            MaxCapacity=2,
        )


def left(sagemaker: Any) -> set[str]:
    """The names of everything that is there."""
    targets = boto3.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    return {
        *(one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]),
        *(one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]),
        *(one["ModelName"] for one in sagemaker.list_models()["Models"]),
        *(one["ResourceId"] for one in targets["ScalableTargets"]),
    }


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_until_it_is_deleted_nothing_happens(sagemaker: Any, cloudformation: Any, kind: str) -> None:
    url, answers = cloudformation
    make(sagemaker, "churn")
    before = left(sagemaker)

    handle(event(kind, url), Context())

    assert left(sagemaker) == before
    assert [(one["Status"], one["PhysicalResourceId"]) for one in answers] == [("SUCCESS", "released-endpoint/churn")]


def test_the_endpoint_goes_with_all_that_releases_and_tests_made(sagemaker: Any, cloudformation: Any) -> None:
    url, answers = cloudformation
    make(sagemaker, "churn")
    boto3.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId="endpoint/churn/variant/t9",
        ScalableDimension=DIMENSION,
        MinCapacity=1,
        MaxCapacity=2,
    )

    handle(event("Delete", url, PhysicalResourceId="released-endpoint/churn"), Context())

    assert left(sagemaker) == set()
    assert [one["Status"] for one in answers] == ["SUCCESS"]


def test_an_endpoint_whose_name_begins_alike_stays(sagemaker: Any, cloudformation: Any) -> None:
    url, _ = cloudformation
    make(sagemaker, "churn-eu")
    before = left(sagemaker)
    make(sagemaker, "churn")

    handle(event("Delete", url, PhysicalResourceId="released-endpoint/churn"), Context())

    assert left(sagemaker) == before


def test_what_was_never_released_is_gone_already(sagemaker: Any, cloudformation: Any) -> None:
    url, answers = cloudformation

    for _ in range(2):
        handle(event("Delete", url, PhysicalResourceId="released-endpoint/churn"), Context())

    assert [one["Status"] for one in answers] == ["SUCCESS", "SUCCESS"]
    assert left(sagemaker) == set()


def test_the_rollback_of_a_creation_that_was_never_answered_removes_nothing(
    sagemaker: Any, cloudformation: Any
) -> None:
    url, answers = cloudformation
    make(sagemaker, "churn")

    handle(event("Delete", url, PhysicalResourceId="Serving-Removal-1A2B3C"), Context())

    assert "churn" in left(sagemaker)
    assert [(one["Status"], one["PhysicalResourceId"]) for one in answers] == [("SUCCESS", "Serving-Removal-1A2B3C")]


def test_an_endpoint_that_does_not_end_in_time_is_told_before_lambda_stops(
    sagemaker: Any, cloudformation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, answers = cloudformation
    make(sagemaker, "churn")
    monkeypatch.setattr(removal, "_status", lambda _name: "Creating")

    handle(event("Delete", url, PhysicalResourceId="released-endpoint/churn"), Context(seconds=30.2))

    (answer,) = answers
    assert answer["Status"] == "FAILED"
    assert (
        answer["Reason"]
        == "endpoint churn must be gone for the stack to go, got status Creating; delete the stack again"
    )


def test_an_unexpected_error_is_an_answer_too(
    sagemaker: Any, cloudformation: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, answers = cloudformation
    monkeypatch.setattr(removal, "remove", lambda _name, **_: 1 / 0)

    handle(event("Delete", url, PhysicalResourceId="released-endpoint/churn"), Context())

    (answer,) = answers
    assert (answer["Status"], answer["Reason"]) == ("FAILED", "removing endpoint churn failed: division by zero")
