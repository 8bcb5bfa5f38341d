"""What breaks, what stops it, and who may?"""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import ArtifactStore, Keys
from mlplatform_cdk.resilience import ApiThrottled, CapacityLost, ChaosExperiments, Fault, ZoneLost
from mlplatform_cdk.serving import Endpoint
from tests.resilience.building import findings, of_type, stack_in
from tests.routing.regional_api.building import Built


def subnets(stack: Stack, count: int = 1) -> list[ec2.ISubnet]:
    return [ec2.Subnet.from_subnet_id(stack, f"Subnet{at}", f"subnet-{at}") for at in range(count)]


def lost(stack: Stack) -> CapacityLost:
    return CapacityLost(endpoint=Endpoint.from_endpoint_name(stack, "Endpoint", "churn"))


def alarm(stack: Stack, name: str = "callers") -> cloudwatch.IAlarm:
    return cloudwatch.Alarm.from_alarm_arn(stack, name, f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}")


def experiments(stack: Stack, faults: dict[str, Fault], **more: Any) -> ChaosExperiments:
    reports = ArtifactStore(stack, "Artifacts", key=Keys(stack, "ReportKeys").data)
    given: dict[str, Any] = {"stop_on": [alarm(stack)], "reports": reports}
    return ChaosExperiments(stack, "Chaos", faults=faults, **(given | more))


def template_of(stack: Stack) -> dict[str, Any]:
    (found,) = of_type(stack, "AWS::FIS::ExperimentTemplate")
    return found


def statements(stack: Stack, prefix: str) -> list[dict[str, Any]]:
    resources = Template.from_stack(stack).to_json()["Resources"]
    (found,) = [
        one["Properties"]["PolicyDocument"]["Statement"]
        for name, one in resources.items()
        if one["Type"] == "AWS::IAM::ManagedPolicy" and name.startswith(prefix)
    ]
    return list(found)


def documents(stack: Stack) -> dict[str, dict[str, Any]]:
    """The documents by their first step."""
    contents = [one["Content"] for one in of_type(stack, "AWS::SSM::Document")]
    return {one["mainSteps"][0]["name"]: one for one in contents}


def test_an_alarm_of_the_callers_stops_an_experiment_and_its_report_is_kept() -> None:
    stack = stack_in()
    experiments(stack, {"zone": ZoneLost(subnets=subnets(stack))})

    made = template_of(stack)
    (stop,) = made["StopConditions"]
    assert (stop["Source"], stop["Value"].split(":")[-1]) == ("aws:cloudwatch:alarm", "callers")
    report = made["ExperimentReportConfiguration"]["Outputs"]["ExperimentReportS3Configuration"]
    assert report["Prefix"] == "chaos/zone"
    assert "Artifacts" in json.dumps(report["BucketName"])


def test_a_zone_is_lost_by_an_action_of_aws() -> None:
    stack = stack_in()
    experiments(stack, {"zone": ZoneLost(subnets=subnets(stack, 2), lasts=timedelta(minutes=5))})

    made = template_of(stack)
    assert made["Actions"]["Break"]["ActionId"] == "aws:network:disrupt-connectivity"
    assert made["Actions"]["Break"]["Parameters"] == {"duration": "PT5M", "scope": "all"}
    assert len(made["Targets"]["Subnets"]["ResourceArns"]) == 2
    (cut,) = [one for one in statements(stack, "ChaoszoneRole") if one["Action"] == "ec2:ReplaceNetworkAclAssociation"]
    assert json.dumps(cut["Resource"]).count("subnet/subnet-") == 2


def test_capacity_is_lost_by_a_document_that_has_it_mended_however_the_wait_ends() -> None:
    stack = stack_in()
    experiments(stack, {"capacity": lost(stack)})

    broken, wait, mend = documents(stack)["Break"]["mainSteps"]
    assert broken["inputs"]["InputPayload"] == {"EndpointName": "churn", "InstancesLeft": "1"}
    assert "def break_it" in broken["inputs"]["Script"]
    assert broken["onFailure"] == "Abort"
    assert wait["inputs"] == {"Duration": "PT10M"}
    assert (wait["onCancel"], wait["onFailure"], wait["nextStep"]) == ("step:Mend", "step:Mend", "Mend")
    assert (mend["inputs"]["Api"], mend["isEnd"]) == ("StartAutomationExecution", True)
    assert mend["inputs"]["Parameters"]["InstanceCount"] == ["{{ Break.InstanceCount }}"]
    (mends,) = documents(stack)["Mend"]["mainSteps"]
    assert mends["inputs"]["InputPayload"]["InstanceCount"] == "{{ InstanceCount }}"
    assert set(documents(stack)["Mend"]["parameters"]) == {"AutomationAssumeRole", "VariantName", "InstanceCount"}


def test_aws_fis_starts_one_document_with_one_role_and_touches_no_endpoint_itself() -> None:
    stack = stack_in()
    experiments(stack, {"capacity": lost(stack)})

    allowed = statements(stack, "ChaoscapacityRole")
    (passes,) = [one for one in allowed if one["Action"] == "iam:PassRole"]
    assert passes["Resource"]["Fn::GetAtt"][0].startswith("ChaoscapacityBreakRole")
    assert "sagemaker:" not in json.dumps(allowed)
    (touches,) = statements(stack, "ChaoscapacityMendRole")
    assert touches["Action"] == ["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"]
    assert json.dumps(touches["Resource"]).endswith('endpoint/churn"]]}')


def test_a_regions_api_is_shut_by_its_stage() -> None:
    built = Built()
    experiments(built.stack, {"shut": ApiThrottled(api=built.api)})

    step = documents(built.stack)["Break"]["mainSteps"][0]
    assert (step["inputs"]["InputPayload"]["Rate"], step["inputs"]["InputPayload"]["Burst"]) == ("0", "0")
    (touches,) = statements(built.stack, "ChaosshutMendRole")
    assert touches["Action"] == ["apigateway:GET", "apigateway:PATCH"]
    assert "/restapis/" in json.dumps(touches["Resource"])


def test_an_experiment_starts_by_its_schedule_and_by_no_other_role() -> None:
    stack = stack_in()
    experiments(stack, {"capacity": lost(stack)}, schedule={"capacity": "cron(0 10 ? * TUE *)"})

    (planned,) = of_type(stack, "AWS::Scheduler::Schedule")
    assert planned["ScheduleExpression"] == "cron(0 10 ? * TUE *)"
    assert json.dumps(planned["Target"]["Arn"]).endswith(':scheduler:::aws-sdk:fis:startExperiment"]]}')
    assert "<aws.scheduler.execution-id>" in json.dumps(planned["Target"]["Input"])
    starts = statements(stack, "ChaoscapacityScheduleRole")
    assert [one["Action"] for one in starts] == ["fis:StartExperiment", "sqs:SendMessage"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"stop_on": []}, "stop_on must be 1 to 5 alarms, got 0"),
        ({"schedule": {"other": "cron(0 10 ? * TUE *)"}}, "schedule must be of capacity, got other"),
        ({"faults": {}}, "faults must name at least one experiment, got none"),
    ],
)
def test_an_experiment_that_nothing_stops_or_starts_is_refused(more: dict[str, Any], sentence: str) -> None:
    stack = stack_in()
    given = {"faults": {"capacity": lost(stack)}} | more

    with pytest.raises(ConfigurationError, match=sentence):
        experiments(stack, **given)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda _stack: ZoneLost(subnets=[]), "subnets must be 1 to 5, got 0"),
        (lambda stack: ZoneLost(subnets=subnets(stack, 6)), "subnets must be 1 to 5, got 6"),
        (lambda stack: ZoneLost(subnets=subnets(stack), lasts=timedelta(seconds=90)), "lasts must be whole minutes"),
        (lambda stack: ZoneLost(subnets=subnets(stack), lasts=timedelta(hours=12)), "lasts must be whole minutes"),
        (
            lambda stack: CapacityLost(endpoint=Endpoint.from_endpoint_name(stack, "E", "e"), instances_left=0),
            "instances_left must be at least 1, got 0",
        ),
    ],
)
def test_a_fault_that_could_not_be_is_refused(make: Callable[[Stack], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make(stack_in())


def test_cdk_nag_and_cfn_lint_find_nothing(tmp_path: Path) -> None:
    stack = stack_in(outdir=str(tmp_path))
    faults = {"capacity": lost(stack), "zone": ZoneLost(subnets=subnets(stack))}
    experiments(stack, faults, schedule={"capacity": "cron(0 10 ? * TUE *)"})

    assert [one for one in findings(stack, tmp_path, "Chaos") if "Unchecked" not in one] == []
    assert "Stack/DeadLetters" not in (tmp_path / "validation-report.json").read_text()
