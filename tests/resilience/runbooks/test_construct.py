"""Are the runbooks documents that can run, with roles that fit, and do alarms lead to them?"""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk.assertions import Template

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.check.automation import automations
from mlplatform_cdk.assembly.check.permissions.check import Permissions
from mlplatform_cdk.assembly.check.templates import templates
from mlplatform_cdk.core import ConfigurationError, KeptRunbooks, WayOut, WaysOut, lead_to
from mlplatform_cdk.resilience.runbooks import Runbook, Runbooks
from mlplatform_cdk.resilience.runbooks.drain import drain
from mlplatform_cdk.resilience.runbooks.parts import Place
from mlplatform_cdk.routing import VerdictTable
from tests.release import platforms
from tests.resilience.runbooks.conftest import ACCOUNT, PLAN, REGION, errors

OVER_OTHERS = f"models.example.com-{REGION}-needs-somebody"
PAGE = Path(__file__).parents[3] / "docs" / "runbooks.md"


def of_type(resources: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in resources.values() if one["Type"] in kinds]


def documents(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["Name"]: one["Content"] for one in of_type(resources, "AWS::SSM::Document")}


def test_there_is_a_document_for_each_runbook(resources: dict[str, Any]) -> None:
    assert {*documents(resources)} == {f"churn-{one.value}" for one in Runbook}


def test_every_alarm_names_a_document_that_is_there(resources: dict[str, Any], alarms: dict[str, str]) -> None:
    assert len(alarms) > 20
    for name, text in alarms.items():
        if name == OVER_OTHERS:
            continue
        named = [one for one in documents(resources) if f"Runbook: {one}, to " in text]
        assert len(named) == 1, (name, text)
        assert f"console.aws.amazon.com/systems-manager/documents/{named[0]}/description" in text
    page = (
        f"https://{REGION}.console.aws.amazon.com/systems-manager/documents/churn-roll-back/description?region={REGION}"
    )
    assert page in alarms["churn--a-errors"]
    (own,) = [text for name, text in alarms.items() if name.startswith("Orders")]
    assert "Orders are lost. Runbook: churn-restore" in own
    (late,) = [text for name, text in alarms.items() if name.startswith("Copies")]
    assert "https://eu-central-1.console.aws.amazon.com/systems-manager/documents/churn-replicate/" in late


def test_the_one_message_of_a_region_names_the_document_of_each_alarm_below_it(alarms: dict[str, str]) -> None:
    assert json.loads(alarms[OVER_OTHERS]) == (
        f"models.example.com in {REGION} needs somebody: one or more of its alarms ring. Runbook: churn-restore "
        "(Orders), churn-scale-up (out-of-service, alone), churn-roll-back (wrong-everywhere), by the alarm that "
        "rings, docs/runbooks.md#which-alarm-which-runbook"
    )


def test_a_message_over_many_alarms_leads_to_the_page_where_their_documents_do_not_fit() -> None:
    stack = Stack(App(), "Many")
    alarm = errors(stack)
    WayOut(sentence="it rings", runbook=Runbook.DRAIN, subject="churn").remember(alarm)
    given: dict[str, Any] = {"alarms": [alarm], "prefix": "", "subject": "churn"}

    end = "by the alarm that rings, docs/runbooks.md#which-alarm-which-runbook"
    assert WaysOut(sentence="one rings", **given).describe(stack) == f"one rings. What to do: drain (Orders), {end}"
    assert WaysOut(sentence="x" * 930, **given).describe(stack) == f"{'x' * 930}. What to do: {end}"


def test_every_step_calls_what_there_is_and_each_role_allows_that_and_nothing_more(
    built: tuple[Stack, Path],
) -> None:
    template = next(one for one in templates(read(built[1])) if one.stack == "Stack")

    assert [one.message for one in automations(template)] == []
    found = [one for one in Permissions().findings(template) if "Runbooks" in one.construct_path]
    assert [one.message for one in found] == []


def test_a_rebuild_may_look_at_whichever_execution_holds_the_lock_and_start_its_own_release_alone(
    resources: dict[str, Any],
) -> None:
    (policy,) = [
        one["Properties"]["PolicyDocument"]["Statement"]
        for name, one in resources.items()
        if name.startswith("RunbooksRebuild") and one["Type"] == "AWS::IAM::ManagedPolicy"
    ]
    may = {one["Action"]: one["Resource"] for one in policy if str(one["Action"]).startswith("states:")}

    (machine,) = [name for name, one in resources.items() if one["Type"] == "AWS::StepFunctions::StateMachine"]
    assert may["states:DescribeExecution"]["Fn::Join"][1][-1] == f":states:{REGION}:{ACCOUNT}:execution:*"
    assert may["states:StartExecution"] == {"Ref": machine}


@pytest.mark.parametrize("private", [False, True])
def test_private_names_are_not_asked_from_outside_the_network(private: bool) -> None:  # noqa: FBT001
    base = platforms.base(App(), "Stack", Environment(account=ACCOUNT, region=REGION), group="churn")
    plan = replace(PLAN, zone=replace(PLAN.zone, private=private))
    verdicts = VerdictTable(base.stack, "Verdicts", key=base.key)

    place = Place(scope=base.stack, prefix="churn", approval=None)
    drain(place, plan=plan, verdicts=verdicts, endpoint_name="churn")

    found = Template.from_stack(base.stack).to_json()["Resources"]
    (look,) = [one for one in documents(found)["churn-drain"]["mainSteps"] if one["name"] == "Look"]
    assert look["inputs"]["InputPayload"].keys() - {"Region", "EvenTheLast"} == {"Domain" if private else "Names"}
    assert ("cloudwatch:GetMetricData" in json.dumps(found)) is private
    assert ("get_metric_data(" in look["inputs"]["Script"]) is private


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


def test_an_alarm_without_its_runbook_is_refused() -> None:
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


def test_the_page_leads_each_alarm_where_it_leads_itself(alarms: dict[str, str]) -> None:
    rows = dict(re.findall(r"^\| `([^`]+)` \| [^|]+ \| \[([\w-]+)\]", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    unseen = {"<endpoint>--<variant>-gpu", "<endpoint>--<variant>-p50", "ModelReplication.failed"}  # not of this stack

    told = {}
    for name, text in alarms.items():
        if name == OVER_OTHERS:
            continue
        (runbook,) = re.findall(r"Runbook: churn-([\w-]+), to ", text)
        told[_row(name)] = runbook

    del told["yours"]
    assert told == {name: runbook for name, runbook in rows.items() if name not in unseen}


def _row(name: str) -> str:
    """An alarm's name as the page has it."""
    if name.startswith(("Orders", "Copies")):
        return "yours" if name.startswith("Orders") else "RegionalArtifacts.late"
    name = re.sub(r"^models\.example\.com", "<domain>", re.sub(r"^churn--([ab])-", "<endpoint>--<variant>-", name))
    return re.sub(r"-(eu-west-1|eu-central-1)-", "-<region>-", name.replace("churn--", "<endpoint>--"))


def test_a_region_is_drained_by_its_plan_and_its_rows_and_no_name_is_reserved() -> None:
    stack = Stack(App(), "Stack")
    endpoint: Any = SimpleNamespace(endpoint_name="churn")
    given: dict[str, Any] = {"release": None, "registry": None}

    with pytest.raises(ConfigurationError, match="plan and verdicts must be given together"):
        Runbooks(stack, "Half", endpoint=endpoint, plan=PLAN, **given)
    endpoint.endpoint_name = "aws-churn"
    with pytest.raises(ConfigurationError, match="must not begin with aws, amazon, amzn"):
        Runbooks(stack, "Reserved", endpoint=endpoint, **given)
