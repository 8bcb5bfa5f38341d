"""What may a template give the containers of its models, and what is refused before SageMaker would?"""

import json
from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Token
from botocore.loaders import Loader

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.runtimekit.endpoint_specification import EndpointSpecification
from mlplatform_cdk.serving import EndpointModel, EndpointVariant, model_container
from tests.serving.constructs.test_endpoints import SPECIFICATION, Ground, released
from tests.serving.constructs.test_realtime_endpoint import MODEL, endpoint, only

METRICS = {"METRICS_NAMESPACE": "Churn"}
WRONG: list[Any] = [
    pytest.param({"1ST": "x"}, "a name in environment must be 1 to 1024 letters.*got '1ST'", id="a digit first"),
    pytest.param({"A-B": "x"}, "a name in environment must be .*got 'A-B'", id="a hyphen"),
    pytest.param({"A" * 1025: "x"}, "a name in environment must be 1 to 1024", id="a long name"),
    pytest.param({Token.as_string({"Ref": "Name"}): "x"}, "a name in environment must.*got a token", id="a token"),
    pytest.param({"CACHE_BYTES": 1000}, "must have texts as values, got CACHE_BYTES=1000; write it", id="a number"),
    pytest.param({"A": "é" * 513}, "must be at most 1024 bytes long, got 1026 of A", id="a long value"),
    pytest.param({f"A{n}": "" for n in range(100)}, "must have at most 99 variables.*got 100", id="too many"),
    pytest.param({f"A{n}": "x" * 1000 for n in range(40)}, "at most 32768 bytes long in all, got 401", id="too much"),
    pytest.param({"MODEL_PACKAGE_ARN": "arn"}, "MODEL_PACKAGE_ARN in environment is what a release says", id="ours"),
]


def limits(name: str) -> dict[str, Any]:
    shapes: dict[str, Any] = Loader().load_service_model("sagemaker", "service-2")["shapes"]
    return {limit: shapes[name].get(limit) for limit in ("min", "max", "pattern")}


def test_the_limits_are_those_of_sagemakers_own_model() -> None:
    assert limits("EnvironmentMap")["max"] == model_container._MOST + 1
    assert {limits(one)["max"] for one in ("EnvironmentKey", "EnvironmentValue")} == {model_container._LONGEST}
    assert limits("EnvironmentKey")["pattern"] == model_container._NAME.pattern
    for name in ("ContainerStartupHealthCheck", "ModelDataDownload"):
        found = limits(f"ProductionVariant{name}TimeoutInSeconds")
        assert (found["min"] * 1000, found["max"] * 1000) == (
            model_container._SHORTEST_START_MS,
            model_container._LONGEST_START_MS,
        )


@pytest.mark.parametrize(("environment", "problem"), WRONG)
def test_variables_that_no_container_could_have_are_refused_on_both_kinds_of_endpoint(
    ground: Ground, environment: dict[str, str], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"\[Serving/Endpoint\] .*{problem}"):
        released(ground, environment=environment)
    with pytest.raises(ValueError, match=problem):
        EndpointModel.from_archive("runs/1/model.tar.gz", environment=environment)


def test_a_released_endpoints_variables_are_part_of_what_a_release_brings_it_to(ground: Ground) -> None:
    namespace = CfnParameter(ground.stack, "Namespace").value_as_string

    made = released(ground, environment={"METRICS_NAMESPACE": namespace, "CACHE_BYTES": "1000000"}).specification

    assert made.environment == {"METRICS_NAMESPACE": namespace, "CACHE_BYTES": "1000000"}
    assert EndpointSpecification.from_mapping(json.loads(json.dumps(made.to_mapping()))) == made


def test_a_model_of_the_template_may_have_variables_that_only_the_deployment_knows(ground: Ground) -> None:
    namespace = CfnParameter(ground.stack, "Namespace").value_as_string
    model = EndpointModel.from_archive("runs/1/model.tar.gz", environment={"METRICS_NAMESPACE": namespace})
    endpoint(ground, EndpointVariant(model=model))

    container = only(ground, "AWS::SageMaker::Model")["Properties"]["PrimaryContainer"]
    assert container["Environment"] == {"METRICS_NAMESPACE": {"Ref": "Namespace"}}


def test_a_machine_with_a_gpu_may_be_told_to_serve_on_its_cpu(ground: Ground) -> None:
    made = released(ground, instance_type="ml.g5.xlarge", environment={"ALLOW_CPU": "true"})

    assert made.specification.environment == {"ALLOW_CPU": "true"}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"environment": METRICS}, id="variables"),
        pytest.param({"startup_timeout_s": 900}, id="time to start"),
        pytest.param({"download_timeout_s": 900}, id="time to download"),
        pytest.param({"detailed_observability": True}, id="detailed observability"),
    ],
)
def test_what_is_asked_for_is_another_fleet_and_what_is_not_leaves_the_one_that_was(change: dict[str, Any]) -> None:
    changed = replace(SPECIFICATION, **change)

    assert changed.digest() != SPECIFICATION.digest()
    assert EndpointSpecification.from_mapping(json.loads(json.dumps(changed.to_mapping()))) == changed
    assert not {*change} & {*SPECIFICATION.to_mapping()}


@pytest.mark.parametrize("name", ["startup_timeout", "download_timeout"])
@pytest.mark.parametrize(
    "timeout",
    [Duration.seconds(59), Duration.seconds(3601), Duration.millis(90_500)],
    ids=["too short", "too long", "no whole seconds"],
)
def test_a_time_to_come_up_that_sagemaker_has_not_is_refused(ground: Ground, name: str, timeout: Duration) -> None:
    problem = f"{name} must be from a minute to an hour, in whole seconds, got"

    with pytest.raises(ConfigurationError, match=rf"\[Serving/Endpoint\] {problem}"):
        released(ground, **{name: timeout})
    with pytest.raises(ValueError, match=problem):
        EndpointVariant(model=MODEL, **{name: timeout})  # type: ignore[arg-type]


def test_a_time_to_come_up_that_only_the_deployment_knows_is_refused(ground: Ground) -> None:
    late = Duration.seconds(CfnParameter(ground.stack, "Late", type="Number").value_as_number)

    with pytest.raises(ConfigurationError, match="startup_timeout must be known while the app is built, got a token"):
        released(ground, startup_timeout=late)


def test_a_variant_of_the_template_gets_the_time_that_it_needs_and_others_what_sagemaker_gives(ground: Ground) -> None:
    endpoint(
        ground,
        EndpointVariant(
            name="slow", model=MODEL, startup_timeout=Duration.minutes(20), download_timeout=Duration.minutes(10)
        ),
        EndpointVariant(name="quick", model=MODEL),
    )

    slow, quick = only(ground, "AWS::SageMaker::EndpointConfig")["Properties"]["ProductionVariants"]
    assert slow["ContainerStartupHealthCheckTimeoutInSeconds"] == 1200
    assert slow["ModelDataDownloadTimeoutInSeconds"] == 600
    assert not {"ContainerStartupHealthCheckTimeoutInSeconds", "ModelDataDownloadTimeoutInSeconds"} & {*quick}


@pytest.mark.parametrize("asked", [False, True])
def test_an_endpoint_of_the_template_says_whether_the_collector_publishes(ground: Ground, *, asked: bool) -> None:
    endpoint(ground, **({"detailed_observability": True} if asked else {}))

    properties = only(ground, "AWS::SageMaker::EndpointConfig")["Properties"]
    assert properties["MetricsConfig"] == {"EnableDetailedObservability": asked}
