"""Are the runbooks documents that can run, with roles that fit, and do alarms lead to them?"""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.check.automation import automations
from mlplatform_cdk.assembly.check.permissions.check import Permissions
from mlplatform_cdk.assembly.check.templates import templates
from mlplatform_cdk.core import ConfigurationError, KeptRunbooks, WayOut, lead_to
from mlplatform_cdk.foundation import Notifications
from mlplatform_cdk.release import BlueGreenRelease
from mlplatform_cdk.resilience import RegionAlarm
from mlplatform_cdk.resilience.runbooks import Approval, RestorableTable, Runbook, Runbooks
from mlplatform_cdk.routing import HostedZoneReference, MultiRegionEndpoint, VerdictTable
from mlplatform_cdk.serving import ReleasedEndpoint
from tests.release import platforms

REGION = "eu-west-1"
ZONE = HostedZoneReference(hosted_zone_id="Z0123456789ABCDEFGHIJ", zone_name="example.com")
PLAN = MultiRegionEndpoint(domain_name="models.example.com", zone=ZONE, regions=[REGION, "eu-central-1"])


def errors(stack: Stack) -> cloudwatch.Alarm:
    metric = cloudwatch.Metric(namespace="Shop", metric_name="OrdersLost")
    return cloudwatch.Alarm(stack, "Orders", metric=metric, threshold=1, evaluation_periods=1)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stack, Path]:
    """A region's endpoint with every runbook, an alarm that was there before, and one that comes after."""
    outdir = tmp_path_factory.mktemp("runbooks") / "cdk.out"
    app = App(outdir=str(outdir))
    base = platforms.base(app, "Stack", Environment(account="123456789012", region=REGION), group="churn")
    stack, key = base.stack, base.key
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name="churn", artifacts=base.artifacts, key=key)
    topic = Notifications(stack, "Topic", key=key)
    release = BlueGreenRelease(
        stack, "Release", endpoint=endpoint, registry=base.registry, artifacts=base.artifacts, notifications=topic
    )
    team = iam.Role.from_role_arn(stack, "Team", "arn:aws:iam::123456789012:role/team")
    books = Runbooks(
        stack,
        "Runbooks",
        endpoint=endpoint,
        release=release,
        registry=base.registry,
        plan=PLAN,
        verdicts=VerdictTable(stack, "Verdicts", key=key),
        tables=[RestorableTable(table=release.records, key=key)],
        archives=base.artifacts,
        approval=Approval(approvers=[team], notifications=topic, key=key),
    )
    own = errors(stack)
    books.link(own, Runbook.RESTORE, sentence="Orders are lost")
    RegionAlarm(stack, "Region", plan=PLAN, alarms=[own], notifications=topic)
    books.grant_start(iam.Role(stack, "Starter", assumed_by=iam.AccountRootPrincipal()))
    app.synth()
    return stack, outdir


@pytest.fixture(scope="module")
def resources(built: tuple[Stack, Path]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((built[1] / "Stack.template.json").read_text())["Resources"]
    return found


def of_type(resources: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in resources.values() if one["Type"] in kinds]


def documents(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["Name"]: one["Content"] for one in of_type(resources, "AWS::SSM::Document")}


def test_there_is_a_document_for_each_runbook(resources: dict[str, Any]) -> None:
    assert {*documents(resources)} == {f"churn-{one.value}" for one in Runbook}


def test_every_alarm_names_a_document_that_is_there(resources: dict[str, Any]) -> None:
    alarms = of_type(resources, "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")
    said = {one.get("AlarmName", "own"): json.dumps(one["AlarmDescription"]) for one in alarms}

    assert len(said) > 10
    for name, text in said.items():
        named = [one for one in documents(resources) if f"Runbook: {one}, to " in text]
        assert len(named) == 1, (name, text)
        page = (
            f"https://{REGION}.console.aws.amazon.com/systems-manager/documents/{named[0]}/description?region={REGION}"
        )
        assert page in text
    assert "Runbook: churn-roll-back" in said["churn--a-errors"]
    assert "Runbook: churn-scale-up" in said["churn--a-p99"]
    assert "Runbook: churn-drain" in said[f"models.example.com-{REGION}-needs-somebody"]
    assert "Orders are lost. Runbook: churn-restore" in said["own"]


def test_every_step_calls_what_there_is_and_each_role_allows_that_and_nothing_more(
    built: tuple[Stack, Path],
) -> None:
    (template,) = templates(read(built[1]))

    assert [one.message for one in automations(template)] == []
    found = [one for one in Permissions().findings(template) if "Runbooks" in one.construct_path]
    assert [one.message for one in found] == []


def test_somebody_looks_before_what_cannot_be_taken_back(resources: dict[str, Any]) -> None:
    steps = {name: {one["name"]: one for one in content["mainSteps"]} for name, content in documents(resources).items()}

    for name, after in (("drain", "Drain"), ("rebuild", "Clear"), ("restore", "Copy")):
        asks = steps[f"churn-{name}"]["Approve"]
        assert (asks["action"], asks["nextStep"], asks["onFailure"]) == ("aws:approve", after, "Abort")
        assert asks["inputs"]["Approvers"] == ["arn:aws:iam::123456789012:role/team"]
        leads = [json.dumps(one) for step, one in steps[f"churn-{name}"].items() if step != "Approve"]
        assert any('"Approve"' in one for one in leads)
    assert "Approve" not in steps["churn-roll-back"]


def test_parameters_that_do_not_fit_are_refused_before_anything_runs(resources: dict[str, Any]) -> None:
    for content in documents(resources).values():
        for name, parameter in content["parameters"].items():
            assert parameter.keys() & {"allowedPattern", "allowedValues"}, name
    reason = documents(resources)["churn-roll-back"]["parameters"]["Reason"]["allowedPattern"]
    assert reason == r"^[^\"\\{}]{1,200}$"


def test_an_alarm_without_its_runbook_is_refused(built: tuple[Stack, Path]) -> None:
    del built
    stack = Stack(App(), "Other")
    way = WayOut(sentence="it rings", runbook=Runbook.DRAIN, subject="churn")
    assert way.describe(stack) == "it rings. What to do: take the region out of service, docs/runbooks.md#drain"
    alarm = errors(stack)
    way.remember(alarm)

    with pytest.raises(
        ConfigurationError, match=r"must have 'drain', which an alarm needs \(it rings\), got roll-back"
    ):
        lead_to(stack, ["churn"], KeptRunbooks(prefix="churn", here=frozenset({Runbook.ROLL_BACK})))


def test_a_stack_without_runbooks_leads_to_those_of_the_regions() -> None:
    stack = Stack(App(), "Names")

    Runbooks.lead_elsewhere(stack, endpoint_name="churn")

    said = WayOut(sentence="it rings", runbook=Runbook.SCALE_UP, subject="models.example.com").describe(stack)
    assert said == (
        "it rings. Runbook: churn-scale-up, to keep more instances, in the regions that serve: "
        "https://console.aws.amazon.com/systems-manager/documents/churn-scale-up/description"
    )
