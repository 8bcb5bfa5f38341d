"""Do the scripts break what they say, and mend what they broke?"""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.resilience.chaos.runtime import capacity, throttle

GIVEN = {"EndpointName": "churn", "InstancesLeft": "1"}


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


def broken(given: dict[str, str]) -> dict[str, Any]:
    """Looked at and broken, as the two steps do."""
    kept = capacity.look(given, None)
    capacity.break_it({**given, **kept}, None)
    return kept


def test_the_variant_that_serves_loses_its_instances_and_gets_them_back() -> None:
    client = endpoint(green=4, blue=5)

    kept = broken(GIVEN)

    assert counts(client) == {"green": 1, "blue": 5}
    assert kept == {"VariantName": "green", "InstanceCount": "4", "Configuration": "c"}
    capacity.mend({**GIVEN, **kept}, None)
    assert counts(client) == {"green": 4, "blue": 5}


def test_what_has_been_scaled_further_meanwhile_is_left_as_it_is() -> None:
    client = endpoint(green=2)
    kept = broken(GIVEN)
    wanted = [{"VariantName": "green", "DesiredInstanceCount": 6}]
    client.update_endpoint_weights_and_capacities(EndpointName="churn", DesiredWeightsAndCapacities=wanted)

    assert capacity.mend({**GIVEN, **kept}, None) == {"Mended": "by itself"}
    assert counts(client) == {"green": 6}


def test_what_was_given_other_instances_or_another_configuration_since_is_not_overwritten() -> None:
    client = endpoint(green=4)
    kept = broken(GIVEN)
    wanted = [{"VariantName": "green", "DesiredInstanceCount": 2}]
    client.update_endpoint_weights_and_capacities(EndpointName="churn", DesiredWeightsAndCapacities=wanted)

    told = capacity.mend({**GIVEN, **kept}, None)
    released = capacity.mend({**GIVEN, **kept, "Configuration": "former", "InstancesLeft": "2"}, None)

    assert told == {"Mended": "nothing: by now green was given 2 instances"}
    assert released == {"Mended": "nothing: by now the endpoint is c"}
    assert counts(client) == {"green": 2}


def test_an_endpoint_that_is_gone_has_nothing_to_mend() -> None:
    kept = {"VariantName": "green", "InstanceCount": "3", "Configuration": "c"}

    assert capacity.mend({**GIVEN, **kept}, None) == {"Mended": "nothing: the endpoint is gone"}


def test_a_variant_that_a_release_took_away_meanwhile_is_not_missed() -> None:
    endpoint(green=2)

    told = capacity.mend({**GIVEN, "VariantName": "blue", "InstanceCount": "3", "Configuration": "c"}, None)

    assert told == {"Mended": "by itself"}


def test_an_endpoint_with_nothing_to_lose_is_not_broken() -> None:
    client = endpoint(green=1)

    with pytest.raises(RuntimeError, match="must be in service with more than 1 instances, got 1"):
        broken(GIVEN)

    assert counts(client) == {"green": 1}


class Gateway:
    """A stage's settings, as API Gateway answers: a method has its own, or those of all methods."""

    def __init__(self, **own: dict[str, Any]) -> None:
        common = {"throttlingRateLimit": 100.0, "throttlingBurstLimit": 50, "metricsEnabled": True}
        self.settings: dict[str, dict[str, Any]] = {"*/*": common | {"loggingLevel": "ERROR"}, **own}

    def get_stage(self, **_stage: str) -> dict[str, Any]:
        return {"methodSettings": {name: dict(values) for name, values in self.settings.items()}}

    def update_stage(self, *, patchOperations: list[dict[str, str]], **stage: str) -> None:  # noqa: N803
        assert stage == {"restApiId": "abc", "stageName": "live"}
        names = {
            "throttling/rateLimit": "throttlingRateLimit",
            "throttling/burstLimit": "throttlingBurstLimit",
            "metrics/enabled": "metricsEnabled",
            "logging/loglevel": "loggingLevel",
        }
        for one in patchOperations:
            path, verb, *name = one["path"].removeprefix("/").split("/", 2)
            if one["op"] == "remove":
                assert name == []
                del self.settings[f"{path}/{verb}"]
            else:
                value = one["value"]
                own = self.settings.setdefault(f"{path}/{verb}", {"metricsEnabled": False})
                own[names[name[0]]] = float(value) if "throttling" in name[0] else {"true": True}.get(value, value)


STAGE = {"RestApiId": "abc", "StageName": "live", "Rate": "0", "Burst": "0"}


def throttled(gateway: Gateway, method: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(boto3, "client", lambda _service: gateway)
    stage = {**STAGE, "Methods": method}
    kept = throttle.look(stage, None)
    throttle.break_it({**stage, **kept}, None)
    return {**stage, **kept}


def test_an_api_that_another_drill_has_broken_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway()
    throttled(gateway, "*/*", monkeypatch)

    with pytest.raises(RuntimeError, match="another drill has broken them, or its mending failed"):
        throttle.look({**STAGE, "Methods": "*/*"}, None)


def test_an_api_lets_nothing_through_and_then_what_it_did_before(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway()
    former = gateway.get_stage()

    stage = throttled(gateway, "*/*", monkeypatch)

    assert (gateway.settings["*/*"]["throttlingRateLimit"], gateway.settings["*/*"]["throttlingBurstLimit"]) == (0, 0)
    throttle.mend(stage, None)
    assert gateway.get_stage() == former


def test_one_method_lets_nothing_through_with_its_logs_as_before_and_then_has_no_settings_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway = Gateway()
    former = gateway.get_stage()

    stage = throttled(gateway, "~1invocations/POST", monkeypatch)

    own = gateway.settings["~1invocations/POST"]
    assert (own["throttlingRateLimit"], own["metricsEnabled"], own["loggingLevel"]) == (0, True, "ERROR")
    assert gateway.settings["*/*"] == former["methodSettings"]["*/*"]
    throttle.mend(stage, None)
    throttle.mend(stage, None)  # its answer may be lost, and it is run again
    assert gateway.get_stage() == former


def test_a_rate_that_somebody_has_set_since_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway()
    stage = throttled(gateway, "*/*", monkeypatch)
    gateway.settings["*/*"]["throttlingRateLimit"] = 25.0

    told = throttle.mend(stage, None)

    assert gateway.settings["*/*"]["throttlingRateLimit"] == 25
    assert told["Mended"].endswith("no longer broken: */*")


def test_of_two_methods_each_gets_back_what_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(**{"~1predictions/POST": {"throttlingRateLimit": 7.0, "throttlingBurstLimit": 3.0}})
    former = gateway.get_stage()

    stage = throttled(gateway, "~1invocations/POST ~1predictions/POST", monkeypatch)

    assert [one["throttlingRateLimit"] for one in gateway.settings.values()] == [100, 0, 0]
    throttle.mend(stage, None)
    assert gateway.get_stage() == former


def test_a_method_with_settings_of_its_own_gets_them_back(monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(**{"~1invocations/POST": {"throttlingRateLimit": 7.0, "throttlingBurstLimit": 3.0}})
    former = gateway.get_stage()

    stage = throttled(gateway, "~1invocations/POST", monkeypatch)

    assert gateway.settings["~1invocations/POST"]["throttlingRateLimit"] == 0
    throttle.mend(stage, None)
    assert gateway.get_stage() == former
