"""Does an endpoint publish the metrics that its template says, as often as it says?"""

from typing import Any

from aws_cdk import Duration

from tests.release.conftest import Build


def configurations(build: Build, **arguments: Any) -> list[dict[str, Any]]:
    states = build(**arguments).definition["States"].values()
    told = [one["Parameters"].get("Payload", {}) for one in states if one["Type"] == "Task"]
    found = [one["parameters"] for one in told if one.get("call") == "sagemaker:createEndpointConfig"]
    assert found
    return found


def test_every_configuration_of_a_release_asks_for_the_frequency(build: Build) -> None:
    wanted = {
        "EnableDetailedObservability": False,
        "EnableEnhancedMetrics": True,
        "MetricPublishFrequencyInSeconds": 10,
    }

    found = configurations(build, metrics_every=Duration.seconds(10))

    assert [one.get("MetricsConfig") for one in found] == [wanted] * len(found)


def test_sagemakers_own_frequency_is_not_asked_for_and_its_collector_is_turned_off(build: Build) -> None:
    found = configurations(build)

    assert [one.get("MetricsConfig") for one in found] == [{"EnableDetailedObservability": False}] * len(found)


def test_sagemakers_collector_is_turned_on_for_who_asks(build: Build) -> None:
    found = configurations(build, detailed_observability=True)

    assert [one.get("MetricsConfig") for one in found] == [{"EnableDetailedObservability": True}] * len(found)
