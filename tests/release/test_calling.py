"""Is a call whose answer was lost made again without harm, and only where what is there is what was asked for?"""

from typing import Any

import pytest
from botocore.exceptions import ParamValidationError

from mlplatform_cdk.release.blue_green.runtime import calling
from mlplatform_cdk.release.blue_green.runtime.errors import NameTaken
from mlplatform_cdk.release.blue_green.tasks import _QUICK_S
from tests.release.model.endpoint import Endpoint, Refused

CONTAINER = {"Image": "serving:1", "ModelDataUrl": "s3://m", "Environment": {"MODEL_PACKAGE_ARN": "…/1"}}
MODEL: dict[str, Any] = {
    "ModelName": "dev-churn--v1",
    "ExecutionRoleArn": "role",
    "EnableNetworkIsolation": True,
    "PrimaryContainer": CONTAINER,
}
NAMED = {"EndpointName": "dev-churn"}
UPDATED: dict[str, Any] = {**NAMED, "RetainAllVariantProperties": True}


class SageMaker(Endpoint):
    """SageMaker in memory, in boto3's place."""

    class exceptions:  # noqa: N801 - boto3's name
        ClientError = Refused

    def client(self, _service: str, *, patience_s: int) -> "SageMaker":
        assert 5 * patience_s + 1 + 2 + 4 + 8 < _QUICK_S, "what its state has given up must not take effect later"
        return self


@pytest.fixture
def sagemaker(monkeypatch: pytest.MonkeyPatch) -> SageMaker:
    made = SageMaker()
    monkeypatch.setattr(calling, "aws", made)
    call("createModel", **MODEL)
    return made


@pytest.fixture
def live(sagemaker: SageMaker) -> SageMaker:
    call("createEndpointConfig", **config("before"))
    call("createEndpoint", **NAMED, EndpointConfigName="before")
    sagemaker.settle(well=True)
    return sagemaker


def call(operation: str, **parameters: Any) -> None:
    calling.call({"call": f"sagemaker:{operation}", "parameters": parameters})


def config(name: str, weight: float = 0.05, **more: Any) -> dict[str, Any]:
    variant = {"ModelName": "dev-churn--v1", "InitialInstanceCount": 2, "InitialVariantWeight": weight}
    return {"EndpointConfigName": name, "ProductionVariants": [{"VariantName": "a", **variant}], **more}


def shares(**weights: float) -> dict[str, Any]:
    changed = [{"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()]
    return {**NAMED, "DesiredWeightsAndCapacities": changed}


def test_a_model_that_is_made_twice_is_made_once(sagemaker: SageMaker) -> None:
    sagemaker.made[MODEL["ModelName"]] = {**MODEL, "CreationTime": "now", "ModelArn": "arn"}  # what SageMaker adds

    call("createModel", **MODEL)


def test_a_model_of_that_name_that_is_another_one_is_not_taken_for_it(sagemaker: SageMaker) -> None:
    other = {**MODEL, "PrimaryContainer": {**CONTAINER, "ModelDataUrl": "s3://other"}}

    with pytest.raises(NameTaken, match=r"must be the one .* differs in PrimaryContainer.ModelDataUrl is"):
        call("createModel", **other)


def test_a_configuration_that_is_made_twice_is_made_once_whatever_precision_its_weights_come_back_with(
    sagemaker: SageMaker,
) -> None:
    call("createEndpointConfig", **config("both"))
    sagemaker.made["both"] = config("both", weight=0.05000000074505806)

    call("createEndpointConfig", **config("both"))


@pytest.mark.parametrize(
    ("there", "differs"),
    [
        pytest.param({"InitialVariantWeight": 0.1}, "ProductionVariants.a.InitialVariantWeight", id="another weight"),
        pytest.param({"ModelName": "dev-churn--v0"}, "ProductionVariants.a.ModelName", id="another model"),
        pytest.param({"VariantName": "b"}, "ProductionVariants.b", id="one variant more"),
    ],
)
def test_a_configuration_of_that_name_that_is_another_one_is_not_taken_for_it(
    sagemaker: SageMaker, there: dict[str, Any], differs: str
) -> None:
    asked = config("both")
    call("createEndpointConfig", **asked)
    variant = asked["ProductionVariants"][0]
    others = [variant] if "VariantName" in there else []
    sagemaker.made["both"] = {**asked, "ProductionVariants": [*others, {**variant, **there}]}

    with pytest.raises(NameTaken, match=differs):
        call("createEndpointConfig", **asked)


def test_a_model_in_the_same_network_is_the_same_in_whatever_order_sagemaker_names_it(sagemaker: SageMaker) -> None:
    asked = {**MODEL, "ModelName": "dev-churn--v2", "VpcConfig": {"Subnets": ["b", "a"], "SecurityGroupIds": ["g"]}}
    call("createModel", **asked)
    sagemaker.made["dev-churn--v2"] = {**asked, "VpcConfig": {"Subnets": ["a", "b"], "SecurityGroupIds": ["g"]}}

    call("createModel", **asked)

    sagemaker.made["dev-churn--v2"] = {**asked, "VpcConfig": {"Subnets": ["a", "c"], "SecurityGroupIds": ["g"]}}
    with pytest.raises(NameTaken, match=r"differs in VpcConfig.Subnets is there"):
        call("createModel", **asked)


def test_a_configuration_with_another_key_is_another_one(sagemaker: SageMaker) -> None:
    call("createEndpointConfig", **config("both", KmsKeyId="theirs"))

    with pytest.raises(NameTaken, match="differs in KmsKeyId is there"):
        call("createEndpointConfig", **config("both", KmsKeyId="ours"))


def test_an_endpoint_that_is_made_twice_is_made_once(live: SageMaker) -> None:
    call("createEndpoint", **NAMED, EndpointConfigName="before")

    with pytest.raises(NameTaken, match="the endpoint dev-churn must be the one that this release makes"):
        call("createEndpoint", **NAMED, EndpointConfigName="another")


@pytest.mark.parametrize("is_over", [False, True], ids=["while it is under way", "when it is over"])
def test_an_update_that_is_asked_for_twice_is_made_once(live: SageMaker, *, is_over: bool) -> None:
    call("createEndpointConfig", **config("both"))
    call("updateEndpoint", **UPDATED, EndpointConfigName="both")
    if is_over:
        live.settle(well=True)
        live.status = "SystemUpdating"

    call("updateEndpoint", **UPDATED, EndpointConfigName="both")


def test_an_update_that_sagemaker_refuses_since_another_one_is_under_way_is_not_done(live: SageMaker) -> None:
    call("createEndpointConfig", **config("both"))
    call("updateEndpoint", **UPDATED, EndpointConfigName="both")

    with pytest.raises(Refused, match="Cannot update in-progress endpoint"):
        call("updateEndpoint", **UPDATED, EndpointConfigName="before")


def test_weights_that_are_asked_for_twice_are_set_once_and_others_are_not_done(live: SageMaker) -> None:
    call("updateEndpointWeightsAndCapacities", **shares(a=0.35))
    live.status = "Updating"

    call("updateEndpointWeightsAndCapacities", **shares(a=0.35))
    with pytest.raises(Refused, match="Cannot update in-progress endpoint"):
        call("updateEndpointWeightsAndCapacities", **shares(a=0.5))
    with pytest.raises(Refused, match="Cannot update in-progress endpoint"):
        call("updateEndpointWeightsAndCapacities", **shares(a=0.35, b=0.65))


@pytest.mark.parametrize("is_over", [False, True], ids=["while it is going", "when it is gone"])
def test_an_endpoint_that_is_deleted_twice_is_gone(live: SageMaker, *, is_over: bool) -> None:
    call("deleteEndpoint", **NAMED)
    if is_over:
        live.settle(well=True)

    call("deleteEndpoint", **NAMED)


def test_whatever_else_sagemaker_says_is_no_success(live: SageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    throttled = Refused("Rate exceeded")
    throttled.response["Error"]["Code"] = "ThrottlingException"

    def refuse(**_: Any) -> None:
        raise throttled

    for operation in ("create_model", "create_endpoint_config", "create_endpoint"):
        monkeypatch.setattr(live, operation, refuse)
    for operation in ("update_endpoint", "update_endpoint_weights_and_capacities", "delete_endpoint"):
        monkeypatch.setattr(live, operation, refuse)

    for name in (one for one in calling.CALLS if one.startswith("sagemaker:") and "Package" not in one):
        with pytest.raises(Refused, match="Rate exceeded"):
            calling.call({"call": name, "parameters": {}})


@pytest.mark.parametrize("more", [{}, {"EnableEnhancedMetrics": True}], ids=["nothing else", "another metric"])
def test_a_configuration_is_made_without_the_metric_that_an_older_boto3_does_not_know(
    sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    create, asked = sagemaker.create_endpoint_config, []

    def older(**parameters: Any) -> None:
        asked.append(parameters.get("MetricsConfig"))
        if "EnableDetailedObservability" in parameters.get("MetricsConfig", {}):
            raise ParamValidationError(report="Unknown parameter in MetricsConfig: 'EnableDetailedObservability'")
        create(**parameters)

    monkeypatch.setattr(sagemaker, "create_endpoint_config", older)
    whole = {"EnableDetailedObservability": False, **more}

    call("createEndpointConfig", **config("before", MetricsConfig=whole))

    assert asked == [whole, more or None]
    assert "before" in sagemaker.configurations


def test_what_no_boto3_would_take_is_an_error(sagemaker: SageMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise ParamValidationError(report="Missing required parameter")

    monkeypatch.setattr(sagemaker, "create_endpoint_config", refuse)

    with pytest.raises(ParamValidationError, match="Missing required parameter"):
        call("createEndpointConfig", **config("before"))
