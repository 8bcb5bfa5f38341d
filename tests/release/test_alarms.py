"""Which alarms watch an endpoint, and what do they make of luck and of silence?"""

from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk.assertions import Template

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import ArtifactStore, Keys, Notifications, PlatformStack
from mlplatform_cdk.release.blue_green.alarms import ReleaseAlarms, alarm_prefix
from mlplatform_cdk.runtimekit.release_strategy import VerdictRules
from mlplatform_cdk.serving import Processor, ReleasedEndpoint, ServingImage


def build(
    *,
    instance_type: str = "ml.m5.xlarge",
    processor: Processor = Processor.X86_64,
    every: Duration | None = None,
    notify: bool = True,
    **arguments: Any,
) -> tuple[ReleaseAlarms, Any]:
    stack = PlatformStack(App(), "Serving", env=Environment(account="123456789012", region="eu-west-1"))
    key = Keys(stack, "Keys").data
    endpoint = ReleasedEndpoint(
        stack,
        "Endpoint",
        endpoint_name="dev-churn",
        artifacts=ArtifactStore(stack, "Artifacts", key=key),
        key=key,
        image=ServingImage(stack, "Image", processor=processor),
        instance_type=instance_type,
        metrics_every=every or Duration.minutes(1),
    )
    topic = Notifications(stack, "Topic", key=key) if notify else None
    alarms = ReleaseAlarms(stack, "Alarms", endpoint=endpoint, notifications=topic, **arguments)
    found = Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm")
    return alarms, {one["Properties"]["AlarmName"]: one["Properties"] for one in found.values()}


def measured(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in alarm.get("Metrics", ()) if "MetricStat" in one]


@pytest.fixture(scope="module")
def built() -> tuple[ReleaseAlarms, Any]:
    """The plain alarms."""
    return build()


def test_both_variants_have_the_same_alarms_by_names_that_begin_alike(built: tuple[ReleaseAlarms, Any]) -> None:
    _, properties = built

    names = ("errors", "model-errors", "p99", "cpu", "memory")
    assert set(properties) == {f"{alarm_prefix('dev-churn', variant)}{name}" for variant in "ab" for name in names}
    assert "dev-churn--a-errors" in properties


def test_a_variant_without_requests_or_machines_is_never_in_alarm(built: tuple[ReleaseAlarms, Any]) -> None:
    _, properties = built

    assert {one["TreatMissingData"] for one in properties.values()} == {"notBreaching"}


def test_each_alarm_is_told_and_says_what_happened(built: tuple[ReleaseAlarms, Any]) -> None:
    _, properties = built

    assert all(one["AlarmActions"] for one in properties.values())
    assert properties["dev-churn--b-errors"]["AlarmDescription"] == (
        "Variant b of the endpoint dev-churn has passed 1 % of failures by more than luck explains. "
        "What to do: bring the version before back, docs/runbooks.md#roll-back"
    )
    assert properties["dev-churn--b-cpu"]["AlarmDescription"].endswith("docs/runbooks.md#scale-up")


def test_the_topic_lets_these_alarms_in_and_no_others(built: tuple[ReleaseAlarms, Any]) -> None:
    alarms, _ = built
    policies = Template.from_stack(Stack.of(alarms)).find_resources("AWS::SNS::TopicPolicy")

    statements = [one for policy in policies.values() for one in policy["Properties"]["PolicyDocument"]["Statement"]]
    (allowed,) = [one for one in statements if one["Effect"] == "Allow"]
    assert (allowed["Action"], allowed["Principal"]) == ("sns:Publish", {"Service": "cloudwatch.amazonaws.com"})
    assert "alarm:dev-churn--*" in str(allowed["Condition"]["ArnLike"]["aws:SourceArn"])


def test_the_share_of_failures_is_of_this_variant_and_of_enough_requests(built: tuple[ReleaseAlarms, Any]) -> None:
    _, properties = built
    alarm = properties["dev-churn--b-errors"]

    metrics = {one["Id"]: one for one in alarm["Metrics"]}
    (expression,) = [one["Expression"] for one in alarm["Metrics"] if "Expression" in one]
    assert expression == "IF(n >= 20, FILL(e, 0) - (n * 0.01 + 3.3 * SQRT(n * 0.0099) + 3), 0)"
    assert metrics["e"]["MetricStat"]["Metric"]["Dimensions"] == [
        {"Name": "EndpointName", "Value": "dev-churn"},
        {"Name": "VariantName", "Value": "b"},
    ]
    assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == (0, 1, 1)


def test_a_percentile_is_counted_as_requests_beyond_its_bound() -> None:
    _, properties = build(rules=VerdictRules(latency_p99_ms=80, latency_p50_ms=20))

    stats = {
        name: [
            one["MetricStat"]["Stat"] for one in properties[f"dev-churn--a-{name}"]["Metrics"] if "MetricStat" in one
        ]
        for name in ("p99", "p50")
    }
    assert stats == {"p99": ["SampleCount", "PR(:80000)"], "p50": ["SampleCount", "PR(:20000)"]}


def test_without_a_bound_of_the_rules_no_model_may_take_longer_than_a_second(built: tuple[ReleaseAlarms, Any]) -> None:
    _, properties = built

    assert any(
        one.get("MetricStat", {}).get("Stat") == "PR(:1000000)" for one in properties["dev-churn--a-p99"]["Metrics"]
    )


def test_a_machines_load_is_of_all_its_cores_and_gpus(built: tuple[ReleaseAlarms, Any]) -> None:
    _, properties = built
    _, with_gpus = build(instance_type="ml.g5.12xlarge", processor=Processor.NVIDIA_GPU)

    assert properties["dev-churn--a-cpu"]["Threshold"] == 95 * 4
    assert with_gpus["dev-churn--a-gpu"]["Threshold"] == 98 * 4
    assert properties["dev-churn--a-memory"]["Threshold"] == 90
    assert properties["dev-churn--a-cpu"]["EvaluationPeriods"] == 3


def test_the_load_of_an_unknown_machine_is_left_to_its_memory() -> None:
    _, properties = build(instance_type="ml.q9.large", rules=VerdictRules(memory_percent=None))

    assert {name.rpartition("-")[2] for name in properties} == {"errors", "p99"}


def test_the_callers_own_alarms_count_as_the_endpoints_do() -> None:
    stack = PlatformStack(App(), "Shop", env=Environment(account="123456789012", region="eu-west-1"))
    orders = cloudwatch.Alarm.from_alarm_arn(
        stack, "Orders", "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:orders-low"
    )

    alarms, _ = build(business=[orders], notify=False)

    assert alarms.business_names == ["orders-low"]
    assert len(alarms.names) == 11
    assert len(alarms.of_variant("a")) == len(alarms.names_of("b")) == 5


@pytest.mark.parametrize("seconds", [1, 15, 90])
def test_a_period_that_cloudwatch_has_not_is_refused(seconds: int) -> None:
    with pytest.raises(ConfigurationError, match="period must be 10, 20 or 30 seconds, or whole minutes"):
        build(period=Duration.seconds(seconds))


@pytest.mark.parametrize("arguments", [{"period": Duration.seconds(10)}, {"every": Duration.seconds(10)}])
def test_a_finer_period_reaches_every_metric_and_is_the_endpoints_own(arguments: dict[str, Any]) -> None:
    _, properties = build(**arguments)

    periods = {
        one["MetricStat"]["Period"]
        for alarm in properties.values()
        for one in alarm.get("Metrics", ())
        if "MetricStat" in one
    }
    assert periods | {alarm["Period"] for alarm in properties.values() if "Period" in alarm} == {10}


def test_no_requests_at_all_are_no_sensible_minimum() -> None:
    with pytest.raises(ConfigurationError, match="minimum_requests must be 1 or more, got 0"):
        build(minimum_requests=0)
