"""Is everything to be seen in one place, by those who may, and by nobody else?"""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.resilience import (
    AllRegionsAlarm,
    CrossRegionObservability,
    ObservabilityLink,
    ObservabilitySink,
    PagerDuty,
    RegionAlarm,
    SharedWithMonitoring,
    SlackChannel,
)
from mlplatform_cdk.routing.health_probe.alarms import ProbeAlarms
from tests.resilience.building import findings, of_type, stack_in
from tests.resilience.observability.building import CHECKS, PLAN, SINK, THEIRS, topic_of


def widgets(stack: Stack) -> dict[str, dict[str, Any]]:
    """The dashboard's widgets by their titles."""
    (made,) = of_type(stack, "AWS::CloudWatch::Dashboard")
    body = made["DashboardBody"]
    text = (
        body
        if isinstance(body, str)
        else "".join(one if isinstance(one, str) else "aws" for one in body["Fn::Join"][1])
    )
    return {one["properties"].get("title", ""): one for one in json.loads(text)["widgets"]}


@pytest.fixture(scope="module")
def seen() -> dict[str, dict[str, Any]]:
    stack = stack_in()
    CrossRegionObservability(stack, "Board", plan=PLAN, endpoints="churn", health_checks=CHECKS)
    return widgets(stack)


def test_a_line_names_its_region_and_its_account(seen: dict[str, dict[str, Any]]) -> None:
    lines = seen["In service, as each region's probe says"]["properties"]["metrics"]

    assert [line[:6] for line in lines] == [
        ["MLPlatform/Regions", "InService", "Domain", "models.example.com", "Region", region] for region in CHECKS
    ]
    places = [(line[-1]["region"], line[-1]["accountId"]) for line in lines]
    assert places == [("eu-west-1", "123456789012"), ("us-west-2", THEIRS)]


def test_each_regions_alarm_is_shown_from_its_region_by_the_plans_name(seen: dict[str, dict[str, Any]]) -> None:
    shown = seen["us-west-2: out of service"]["properties"]

    name = "models.example.com-us-west-2-out-of-service"
    assert shown["annotations"]["alarms"] == [f"arn:aws:cloudwatch:us-west-2:{THEIRS}:alarm:{name}"]
    assert (shown["region"], shown["accountId"]) == ("us-west-2", THEIRS)


def test_what_route_53_sees_is_read_where_it_tells_it(seen: dict[str, dict[str, Any]]) -> None:
    lines = seen["In service, as Route 53 sees it"]["properties"]["metrics"]

    assert [line[3] for line in lines] == ["check-1", "check-2"]
    assert {line[-1]["region"] for line in lines} == {"us-east-1"}
    assert {line[-1]["accountId"] for line in lines} == {"123456789012"}


def test_an_endpoint_is_shown_whatever_its_variants_are_called(seen: dict[str, dict[str, Any]]) -> None:
    (first, second) = [one[0] for one in seen["p99 of the model, µs"]["properties"]["metrics"]]

    wanted = '{AWS/SageMaker,EndpointName,VariantName} EndpointName="churn" MetricName="ModelLatency"'
    assert first["expression"] == f"SEARCH('{wanted}', 'p99', 60)"
    assert second["region"] == "us-west-2"


def test_widgets_fill_rows_and_lie_on_no_other(seen: dict[str, dict[str, Any]]) -> None:
    taken = [
        (x, y)
        for one in seen.values()
        for x in range(one["x"], one["x"] + one["width"])
        for y in range(one["y"], one["y"] + one["height"])
    ]

    assert len({*taken}) == len(taken)
    assert max(x for x, _ in taken) == 23


def test_what_is_not_given_is_not_shown() -> None:
    stack = stack_in()
    CrossRegionObservability(stack, "Board", plan=PLAN)

    assert not [title for title in widgets(stack) if "Route 53" in title or "model" in title]


def test_a_region_that_the_plan_does_not_know_cannot_be_shown() -> None:
    with pytest.raises(ConfigurationError, match=r"endpoints must be of the plan's regions .* got eu-west-2"):
        CrossRegionObservability(stack_in(), "Board", plan=PLAN, endpoints={"eu-west-2": "churn"})


def test_only_named_accounts_link_metrics_logs_and_traces_to_the_sink() -> None:
    stack = stack_in()
    ObservabilitySink(stack, "Sink", accounts=[THEIRS])

    (sink,) = of_type(stack, "AWS::Oam::Sink")
    (statement,) = sink["Policy"]["Statement"]
    assert THEIRS in json.dumps(statement["Principal"])
    assert statement["Action"] == ["oam:CreateLink", "oam:UpdateLink"]
    shared = statement["Condition"]["ForAllValues:StringEquals"]["oam:ResourceTypes"]
    assert shared == ["AWS::CloudWatch::Metric", "AWS::Logs::LogGroup", "AWS::XRay::Trace"]


def test_a_link_shares_what_it_is_told_to() -> None:
    stack = stack_in()
    ObservabilityLink(stack, "All", sink_arn=SINK)
    ObservabilityLink(stack, "Some", sink_arn=SINK, namespaces=["MLPlatform/Regions", "AWS/SageMaker"])

    links = of_type(stack, "AWS::Oam::Link")
    assert {one["SinkIdentifier"] for one in links} == {SINK}
    (filtered,) = [one["LinkConfiguration"] for one in links if "LinkConfiguration" in one]
    wanted = "Namespace = 'MLPlatform/Regions' OR Namespace = 'AWS/SageMaker'"
    assert filtered == {"MetricConfiguration": {"Filter": wanted}}


def test_the_role_that_other_accounts_see_by_has_cloudwatchs_name_and_reads_graphs_alone() -> None:
    stack = stack_in()
    SharedWithMonitoring(stack, "Shared", account=THEIRS)

    (role,) = of_type(stack, "AWS::IAM::Role")
    (policy,) = of_type(stack, "AWS::IAM::ManagedPolicy")
    assert role["RoleName"] == "CloudWatch-CrossAccountSharingRole"
    assert THEIRS in json.dumps(role["AssumeRolePolicyDocument"])
    (statement,) = policy["PolicyDocument"]["Statement"]
    verbs = {action.split(":")[1][:3] for action in statement["Action"]}
    assert verbs == {"Des", "Get", "Lis"}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda stack: ObservabilitySink(stack, "X", accounts=[]), "accounts must list at least one account"),
        (lambda stack: ObservabilitySink(stack, "X", accounts=THEIRS), "accounts must list at least one account"),
        (lambda stack: ObservabilitySink(stack, "X", accounts=["1"]), "an account must have 12 digits, got '1'"),
        (lambda stack: SharedWithMonitoring(stack, "X", account="1"), "an account must have 12 digits, got '1'"),
        (lambda stack: ObservabilityLink(stack, "X", sink_arn="sink"), "sink_arn must be like"),
        (
            lambda stack: ObservabilityLink(stack, "X", sink_arn=SINK.replace("eu-west-1", "us-east-1")),
            "a link reaches within its region eu-west-1",
        ),
    ],
)
def test_what_links_nothing_is_refused(make: Any, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        make(stack_in())


def test_pagerdutys_address_stays_a_secret() -> None:
    stack = stack_in()
    topic = topic_of(stack)
    PagerDuty(stack, "Pager", topic=topic, secret_name="models/pagerduty")

    (pager,) = [one for one in of_type(stack, "AWS::SNS::Subscription") if one["Protocol"] == "https"]
    assert pager["Endpoint"] == "{{resolve:secretsmanager:models/pagerduty:SecretString:::}}"
    with pytest.raises(ConfigurationError, match="must name a secret that holds the address, got the address"):
        PagerDuty(stack, "Open", topic=topic, secret_name="https://events.pagerduty.com/integration/k/enqueue")


def test_whoever_writes_in_the_channel_can_do_no_more_than_look() -> None:
    stack = stack_in()
    SlackChannel(stack, "Slack", topics=[topic_of(stack)], name="oncall", workspace_id="T0123ABCD", channel_id="C01")

    (channel,) = of_type(stack, "AWS::Chatbot::SlackChannelConfiguration")
    (guard,) = channel["GuardrailPolicies"]
    assert guard["Ref"].startswith("SlackRolePermissions")
    assert len(channel["SnsTopicArns"]) == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"workspace_id": "workspace"}, "workspace_id must be like"),
        ({"channel_id": "#oncall"}, "channel_id must be like"),
        ({"name": "on call"}, "name must be like"),
        ({"topics": []}, "topics must list at least one topic, got none"),
    ],
)
def test_a_channel_that_slack_cannot_have_is_refused(given: dict[str, Any], sentence: str) -> None:
    stack = stack_in()
    usual = {"topics": [topic_of(stack)], "name": "oncall", "workspace_id": "T01", "channel_id": "C01"}

    with pytest.raises(ConfigurationError, match=sentence):
        SlackChannel(stack, "Slack", **(usual | given))


def test_cdk_nag_and_cfn_lint_find_nothing(tmp_path: Path) -> None:
    stack = stack_in("us-east-1", outdir=str(tmp_path))
    plan = replace(PLAN, regions=["us-east-1", "us-west-2"])
    topic = topic_of(stack)
    probe = ProbeAlarms(stack, "Probe", plan=plan, release_takes=timedelta(days=2), notifications=None)
    checks = dict.fromkeys(plan.targets, "check")
    CrossRegionObservability(stack, "Ours", plan=plan, endpoints="churn", health_checks=checks)
    RegionAlarm(stack, "OursRegion", plan=plan, alarms=[probe.out_of_service], notifications=topic)
    AllRegionsAlarm(stack, "OursAll", plan=plan, health_checks=checks, notifications=topic)
    ObservabilitySink(stack, "OursSink", accounts=[THEIRS])
    ObservabilityLink(stack, "OursLink", sink_arn=SINK.replace("eu-west-1", "us-east-1"))
    SharedWithMonitoring(stack, "OursShared", account=THEIRS)
    PagerDuty(stack, "OursPager", topic=topic, secret_name="models/pagerduty")
    SlackChannel(stack, "OursSlack", topics=[topic], name="oncall", workspace_id="T01", channel_id="C01")

    assert [one for one in findings(stack, tmp_path, "Ours") if "Unchecked" not in one] == []
