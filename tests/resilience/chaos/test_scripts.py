"""Do the scripts break what they say, and mend what they broke?"""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.resilience.chaos.runtime import capacity, throttle

NAME = {"EndpointName": "churn"}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        yield


def endpoint(**instances: int) -> Any:
    """An endpoint with these variants; the first takes all requests."""
    client = boto3.client("sagemaker")
    role = "arn:aws:iam::123456789012:role/models"
    client.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": "image"})
    variants = [
        {
            "VariantName": name,
            "ModelName": "m",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": count,
            "InitialVariantWeight": 1 - min(at, 1),
        }
        for at, (name, count) in enumerate(instances.items())
    ]
    client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=variants)
    client.create_endpoint(EndpointName="churn", EndpointConfigName="c")
    return client


def counts(client: Any) -> dict[str, int]:
    described = client.describe_endpoint(EndpointName="churn")
    return {one["VariantName"]: one["CurrentInstanceCount"] for one in described["ProductionVariants"]}


def test_the_variant_that_serves_loses_its_instances_and_gets_them_back() -> None:
    client = endpoint(green=4, blue=5)

    kept = capacity.break_it({**NAME, "InstancesLeft": "1"}, None)

    assert counts(client) == {"green": 1, "blue": 5}
    assert kept == {"VariantName": "green", "InstanceCount": "4"}
    capacity.mend({**NAME, **kept}, None)
    assert counts(client) == {"green": 4, "blue": 5}


def test_what_has_been_scaled_further_meanwhile_is_left_as_it_is() -> None:
    client = endpoint(green=2)
    kept = capacity.break_it({**NAME, "InstancesLeft": "1"}, None)
    wanted = [{"VariantName": "green", "DesiredInstanceCount": 6}]
    client.update_endpoint_weights_and_capacities(EndpointName="churn", DesiredWeightsAndCapacities=wanted)

    assert capacity.mend({**NAME, **kept}, None) == {"Mended": "by itself"}
    assert counts(client) == {"green": 6}


def test_a_variant_that_a_release_took_away_meanwhile_is_not_missed() -> None:
    endpoint(green=2)

    told = capacity.mend({**NAME, "VariantName": "blue", "InstanceCount": "3"}, None)

    assert told == {"Mended": "by itself"}


def test_an_endpoint_with_nothing_to_lose_is_not_broken() -> None:
    client = endpoint(green=1)

    with pytest.raises(RuntimeError, match="must be in service with more than 1 instances, got 1"):
        capacity.break_it({**NAME, "InstancesLeft": "1"}, None)

    assert counts(client) == {"green": 1}


class Gateway:
    """A stage's throttling, as API Gateway answers."""

    def __init__(self) -> None:
        self.settings: dict[str, float] = {"throttlingRateLimit": 100.0, "throttlingBurstLimit": 50}

    def get_stage(self, **_stage: str) -> dict[str, Any]:
        return {"methodSettings": {"*/*": dict(self.settings)}}

    def update_stage(self, *, patchOperations: list[dict[str, str]], **stage: str) -> None:  # noqa: N803
        assert stage == {"restApiId": "abc", "stageName": "live"}
        for one in patchOperations:
            assert one["op"] == "replace"
            name = {"rateLimit": "throttlingRateLimit", "burstLimit": "throttlingBurstLimit"}[
                one["path"].split("/")[-1]
            ]
            assert one["path"].startswith("/*/*/throttling/")
            self.settings[name] = float(one["value"])


def test_an_api_lets_nothing_through_and_then_what_it_did_before(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway()
    monkeypatch.setattr(boto3, "client", lambda _service: gateway)
    stage = {"RestApiId": "abc", "StageName": "live", "Rate": "0", "Burst": "0"}

    kept = throttle.break_it(stage, None)

    assert set(gateway.settings.values()) == {0}
    throttle.mend({**stage, **kept}, None)
    assert gateway.settings == {"throttlingRateLimit": 100, "throttlingBurstLimit": 50}
