"""What breaks, what stops it, and who may?"""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_sns as sns

from mlplatform_cdk.core import ConfigurationError, PlatformFunction
from mlplatform_cdk.foundation import ArtifactStore, Keys, PlatformStack
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.resilience import (
    ApiThrottled,
    CapacityLost,
    ChaosExperiments,
    EndpointStopped,
    Fault,
    InterfaceEndpointLost,
    LambdaErrors,
    LambdaLatency,
    NetworkLatency,
    ZoneLost,
)
from mlplatform_cdk.serving import Endpoint, ReleasedEndpoint
from tests.resilience.building import findings, stack_in
from tests.routing.regional_api.building import Built

CRON = "cron(0 10 ? * TUE *)"
CALLERS = {"app": "shop"}


def subnets(stack: Stack, count: int = 1) -> list[ec2.ISubnet]:
    return [ec2.Subnet.from_subnet_id(stack, f"Subnet{at}", f"subnet-{at}") for at in range(count)]


def lost(stack: Stack) -> CapacityLost:
    return CapacityLost(endpoint=Endpoint.from_endpoint_name(stack, "Lost", "churn"))


def alarm(stack: Stack, name: str = "callers") -> cloudwatch.IAlarm:
    return cloudwatch.Alarm.from_alarm_arn(stack, name, f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}")


def experiments(stack: Stack, faults: dict[str, Fault], **more: Any) -> ChaosExperiments:
    given: dict[str, Any] = {"stop_on": [alarm(stack)]} | more
    if "reports" not in given:
        given["reports"] = ArtifactStore(stack, "Artifacts", key=Keys(stack, "ReportKeys").data)
    return ChaosExperiments(stack, "Chaos", faults=faults, **given)


def statements(resources: Mapping[str, Any], prefix: str) -> list[dict[str, Any]]:
    (found,) = [
        one["Properties"]["PolicyDocument"]["Statement"]
        for name, one in resources.items()
        if one["Type"] == "AWS::IAM::ManagedPolicy" and name.startswith(prefix)
    ]
    return list(found)


class Everything:
    """Each fault there is, in one region's stack."""

    def __init__(self, outdir: Path) -> None:
        self.built = Built(outdir=str(outdir), name="Stack")
        self.stack = stack = self.built.stack
        artifacts = ArtifactStore(stack, "Artifacts", key=self.built.key)
        records = ReleaseRecords(stack, "Records", key=self.built.key)
        out, alone = alarm(stack, "out"), alarm(stack, "alone")
        endpoint = Endpoint.from_endpoint_name(stack, "Capacity", "churn")
        probe = PlatformFunction(
            stack, "Probe", package="mlplatform_cdk.routing.health_probe.runtime", description="Looks"
        )
        link = ec2.InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
            stack, "Link", vpc_endpoint_id="vpce-1", port=443
        )
        faults: dict[str, Fault] = {
            "capacity": CapacityLost(endpoint=endpoint, records=records),
            "zone": ZoneLost(subnets=subnets(stack, 2), lasts=timedelta(minutes=5)),
            "throttled": ApiThrottled(api=self.built.api, rate=10, burst=5),
            "stopped": EndpointStopped(api=self.built.api, records=records, rings=[out]),
            "errors": LambdaErrors(functions=[probe], told_by=artifacts, rings=[out]),
            "late": LambdaLatency(functions=[probe], told_by=artifacts, delay=timedelta(milliseconds=300), percent=50),
            "slow": NetworkLatency(tasks=CALLERS, to=["eu-west-1.models.example.com"]),
            "link": InterfaceEndpointLost(endpoints=[link]),
        }
        topic = sns.Topic(stack, "People")
        self.chaos = experiments(
            stack,
            faults,
            reports=artifacts,
            stop_on=[out, alone],
            schedule={"stopped": CRON},
            timezone="Europe/Berlin",
            dashboard="regions",
            notifications=topic,
        )
        self.findings = findings(stack, outdir, "Chaos")
        self.made = json.loads((outdir / "Stack.template.json").read_text())
        self.resources: dict[str, Any] = self.made["Resources"]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [one["Properties"] for one in self.resources.values() if one["Type"] == kind]

    def template(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(
            one["Properties"]
            for one in self.resources.values()
            if one["Type"] == "AWS::FIS::ExperimentTemplate" and one["Properties"]["Tags"]["Name"] == name
        )
        return found

    def document(self, name: str, which: str) -> dict[str, Any]:
        found: dict[str, Any] = next(
            one["Properties"]["Content"]
            for logical, one in self.resources.items()
            if one["Type"] == "AWS::SSM::Document" and logical.startswith(f"Chaos{name}{which}")
        )
        return found

    def steps(self, name: str, which: str = "Break") -> dict[str, dict[str, Any]]:
        return {step["name"]: step for step in self.document(name, which)["mainSteps"]}

    def may(self, name: str) -> list[dict[str, Any]]:
        return statements(self.resources, f"Chaos{name}")


@pytest.fixture(scope="module")
def all_faults(tmp_path_factory: pytest.TempPathFactory) -> Everything:
    return Everything(tmp_path_factory.mktemp("chaos"))


def test_an_alarm_stops_an_experiment_unless_its_fault_has_to_raise_it(all_faults: Everything) -> None:
    stops = {
        name: [one["Value"].split(":")[-1] for one in all_faults.template(name)["StopConditions"]]
        for name in ("zone", "stopped", "errors")
    }

    assert stops == {"zone": ["out", "alone"], "stopped": ["alone"], "errors": ["alone"]}


def test_the_report_of_each_run_is_kept_with_the_graphs_around_it(all_faults: Everything) -> None:
    made = all_faults.template("zone")["ExperimentReportConfiguration"]

    report = made["Outputs"]["ExperimentReportS3Configuration"]
    assert (report["Prefix"], "Artifacts" in json.dumps(report["BucketName"])) == ("chaos/zone", True)
    assert ":dashboard/regions" in json.dumps(made["DataSources"])
    assert (made["PreExperimentDuration"], made["PostExperimentDuration"]) == ("PT20M", "PT20M")
    written = [one for one in all_faults.may("zoneRole") if "s3:PutObject" in one["Action"]]
    assert "chaos/zone/*" in json.dumps(written)


def test_what_began_and_ended_why_is_logged_also_where_a_run_is_stopped(all_faults: Everything) -> None:
    made = all_faults.template("zone")["LogConfiguration"]

    assert made["LogSchemaVersion"] == 2
    log, _ = made["CloudWatchLogsConfiguration"]["LogGroupArn"]["Fn::GetAtt"]
    assert all_faults.resources[log]["Properties"]["RetentionInDays"] == 731
    assert all_faults.resources[log]["DeletionPolicy"] == "Retain"


def test_aws_fis_takes_a_role_for_experiments_of_this_account_alone(all_faults: Everything) -> None:
    (role,) = [
        one
        for name, one in all_faults.resources.items()
        if name.startswith("ChaoszoneRole") and "AssumeRolePolicyDocument" in one["Properties"]
    ]

    (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "123456789012"}
    assert json.dumps(trust["Condition"]["ArnLike"]["aws:SourceArn"]).endswith(':experiment/*"]]}')


def test_a_zone_is_lost_by_an_action_of_aws(all_faults: Everything) -> None:
    made = all_faults.template("zone")

    assert made["Actions"]["Break"]["ActionId"] == "aws:network:disrupt-connectivity"
    assert made["Actions"]["Break"]["Parameters"] == {"duration": "PT5M", "scope": "all"}
    assert len(made["Targets"]["Subnets"]["ResourceArns"]) == 2
    (cut,) = [one for one in all_faults.may("zoneRole") if one["Action"] == "ec2:ReplaceNetworkAclAssociation"]
    assert json.dumps(cut["Resource"]).count("subnet/subnet-") == 2


def test_an_interface_endpoint_is_shut_by_an_action_of_aws(all_faults: Everything) -> None:
    made = all_faults.template("link")

    assert made["Actions"]["Break"]["ActionId"] == "aws:network:disrupt-vpc-endpoint"
    assert made["Actions"]["Break"]["Targets"] == {"VPCEndpoints": "Endpoints"}
    assert json.dumps(made["Targets"]["Endpoints"]["ResourceArns"]).count("vpc-endpoint/vpce-1") == 1


def test_packets_of_tagged_tasks_to_the_regions_name_come_late(all_faults: Everything) -> None:
    made = all_faults.template("slow")

    assert made["Actions"]["Break"]["ActionId"] == "aws:ecs:task-network-latency"
    assert made["Actions"]["Break"]["Parameters"] == {
        "duration": "PT10M",
        "delayMilliseconds": "500",
        "jitterMilliseconds": "100",
        "flowsPercent": "100",
        "sources": "eu-west-1.models.example.com",
        "useEcsFaultInjectionEndpoints": "true",
    }
    assert made["Targets"]["Tasks"]["ResourceTags"] == CALLERS


def test_calls_of_a_function_fail_or_come_late_by_one_extension(all_faults: Everything) -> None:
    errors, late = (all_faults.template(name)["Actions"]["Break"] for name in ("errors", "late"))

    assert errors["ActionId"] == "aws:lambda:invocation-error"
    assert errors["Parameters"] == {"duration": "PT10M", "invocationPercentage": "100", "preventExecution": "true"}
    assert late["ActionId"] == "aws:lambda:invocation-add-delay"
    assert late["Parameters"]["startupDelayMilliseconds"] == "300"
    (probe,) = [
        one["Properties"]
        for logical, one in all_faults.resources.items()
        if logical.startswith("Probe") and "Layers" in one["Properties"]
    ]
    settings = probe["Environment"]["Variables"]
    assert len(probe["Layers"]) == 1
    assert settings["AWS_LAMBDA_EXEC_WRAPPER"] == "/opt/aws-fis/bootstrap"
    assert json.dumps(settings["AWS_FIS_CONFIGURATION_LOCATION"]).endswith('/fis/"]]}')
    names = [one.get("Default") for one in all_faults.made["Parameters"].values()]
    assert "/aws/service/fis/lambda-extension/AWS-FIS-extension-arm64/1.x.x" in names


def test_aws_fis_tells_the_extension_what_to_break_and_the_function_only_reads_it(all_faults: Everything) -> None:
    writes = [one for one in all_faults.may("errorsRole") if "fis/*" in json.dumps(one["Resource"])]
    reads = [one for one in statements(all_faults.resources, "ProbeRole") if "fis/*" in json.dumps(one["Resource"])]

    assert sorted(action for one in writes for action in [one["Action"]] if isinstance(action, str)) == [
        "s3:DeleteObject"
    ]
    assert any("s3:PutObject" in one["Action"] for one in writes)
    assert [one["Action"] for one in reads] == [["s3:GetObject", "s3:GetObjectVersion"]]


def test_what_there_was_is_read_before_it_is_broken_and_mended_however_breaking_and_waiting_end(
    all_faults: Everything,
) -> None:
    steps = all_faults.steps("throttled")

    assert list(steps) == ["Look", "Break", "Wait", "Mend"]
    assert steps["Look"]["outputs"] == [{"Name": "Former", "Selector": "$.Payload.Former", "Type": "String"}]
    for name in ("Break", "Wait"):
        assert (steps[name]["onFailure"], steps[name]["onCancel"]) == ("step:Mend", "step:Mend")
    assert steps["Wait"]["inputs"] == {"Duration": "PT10M"}
    assert (steps["Mend"]["inputs"]["Api"], steps["Mend"]["isEnd"]) == ("StartAutomationExecution", True)
    assert steps["Mend"]["inputs"]["Parameters"]["Former"] == ["{{ Look.Former }}"]
    assert set(all_faults.document("throttled", "Mend")["parameters"]) == {"AutomationAssumeRole", "Former"}


def test_a_drill_holds_the_lock_of_the_releases_from_before_the_look_until_it_is_mended(all_faults: Everything) -> None:
    breaks, mends = all_faults.steps("capacity"), all_faults.steps("capacity", "Mend")

    assert list(breaks) == ["Hold", "Look", "Break", "Wait", "Mend", "LetGo"]
    assert breaks["Hold"]["inputs"]["InputPayload"]["Owner"] == "{{ automation:EXECUTION_ID }}"
    assert breaks["Hold"]["inputs"]["InputPayload"]["Seconds"] == str((10 + 45) * 60)
    assert (breaks["Hold"]["onFailure"], breaks["Look"]["onFailure"]) == ("Abort", "step:LetGo")
    assert breaks["Mend"]["inputs"]["Parameters"]["Drill"] == ["{{ automation:EXECUTION_ID }}"]
    assert list(mends) == ["Mend", "LetGo"]
    assert mends["LetGo"]["inputs"]["InputPayload"]["Owner"] == "{{ Drill }}"
    held = [one for one in all_faults.may("capacityMendRole") if "dynamodb:PutItem" in one["Action"]]
    assert "Records" in json.dumps(held[0]["Resource"])


def test_aws_fis_starts_one_document_with_one_role_and_touches_no_endpoint_itself(all_faults: Everything) -> None:
    allowed = all_faults.may("capacityRole")

    (passes,) = [one for one in allowed if one["Action"] == "iam:PassRole"]
    assert passes["Resource"]["Fn::GetAtt"][0].startswith("ChaoscapacityBreakRole")
    assert "sagemaker:" not in json.dumps(allowed)
    (touches,) = [one for one in all_faults.may("capacityMendRole") if "sagemaker:" in json.dumps(one["Action"])]
    assert touches["Action"] == ["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"]
    assert json.dumps(touches["Resource"]).endswith('endpoint/churn"]]}')


def test_a_stopped_endpoint_takes_no_prediction_and_its_health_is_still_told(all_faults: Everything) -> None:
    stopped, throttled = (
        all_faults.steps(name)["Break"]["inputs"]["InputPayload"] for name in ("stopped", "throttled")
    )

    assert (stopped["Methods"], stopped["Rate"], stopped["Burst"]) == ("~1invocations/POST", "0", "0")
    assert (throttled["Methods"], throttled["Rate"], throttled["Burst"]) == ("*/*", "10", "5")
    (touches,) = [one for one in all_faults.may("stoppedMendRole") if "apigateway:GET" in one["Action"]]
    assert touches["Action"] == ["apigateway:GET", "apigateway:PATCH"]
    assert "/restapis/" in json.dumps(touches["Resource"])


def test_an_experiment_starts_by_its_schedule_and_by_no_other_role(all_faults: Everything) -> None:
    (planned,) = all_faults.of_type("AWS::Scheduler::Schedule")

    assert (planned["ScheduleExpression"], planned["ScheduleExpressionTimezone"]) == (CRON, "Europe/Berlin")
    assert json.dumps(planned["Target"]["Arn"]).endswith(':scheduler:::aws-sdk:fis:startExperiment"]]}')
    assert "<aws.scheduler.execution-id>" in json.dumps(planned["Target"]["Input"])
    starts = all_faults.may("stoppedScheduleRole")
    assert [one["Action"] for one in starts] == ["fis:StartExperiment", "sqs:SendMessage"]


def test_people_are_told_of_experiments_and_of_what_could_not_be_mended(all_faults: Everything) -> None:
    patterns = [one["EventPattern"] for one in all_faults.of_type("AWS::Events::Rule")]

    (experiment,) = [one["detail"] for one in patterns if one["source"] == ["aws.fis"]]
    assert len(experiment["experiment-template-id"]) == 8
    (unmended,) = [one["detail"] for one in patterns if one["source"] == ["aws.ssm"]]
    assert len(unmended["Definition"]) == 3
    assert "Failed" in unmended["Status"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"stop_on": []}, "stop_on must be 1 to 5 alarms for capacity, got 0"),
        ({"schedule": {"other": CRON}}, "schedule must be of capacity, got other"),
        ({"schedule": {"capacity": "rate(1 day)"}}, r"a schedule must be like 'cron\(0 10 "),
        ({"schedule": {"capacity": "cron(0 3 ? * TUE *)"}}, "one minute of one hour from 8 to 15, while people work"),
        ({"schedule": {"capacity": "cron(0 10 ? * SUN *)"}}, "days from MON to FRI"),
        ({"faults": {}}, "faults must name at least one experiment, got none"),
    ],
)
def test_an_experiment_that_nothing_stops_or_starts_is_refused(more: dict[str, Any], sentence: str) -> None:
    stack = stack_in()
    given = {"faults": {"capacity": lost(stack)}, "reports": None} | more

    with pytest.raises(ConfigurationError, match=sentence):
        experiments(stack, **given)


def test_an_experiment_that_only_its_own_alarms_would_stop_is_refused() -> None:
    stack = stack_in()
    out = alarm(stack, "out")
    fault = CapacityLost(endpoint=Endpoint.from_endpoint_name(stack, "E", "churn"), rings=[out])

    with pytest.raises(ConfigurationError, match="an alarm that capacity does not raise itself, got 1 that it does"):
        experiments(stack, {"capacity": fault}, stop_on=[out], reports=None)


def test_production_is_broken_only_where_that_is_said() -> None:
    stack = PlatformStack(App(), "MlPlatform-Prod-Serving", env=Environment(account="1" * 12, region="eu-west-1"))

    with pytest.raises(ConfigurationError, match="a place called 'prod' must be meant to, got in_production=False"):
        experiments(stack, {"capacity": lost(stack)}, reports=None)


def test_an_endpoint_that_releases_change_is_not_changed_behind_their_back() -> None:
    stack = stack_in()
    key = Keys(stack, "Keys").data
    artifacts = ArtifactStore(stack, "Artifacts", key=key)
    endpoint = ReleasedEndpoint(stack, "Endpoint", endpoint_name="churn", artifacts=artifacts, key=key)

    with pytest.raises(ValueError, match="records must be given for churn, which releases change, got none"):
        CapacityLost(endpoint=endpoint)


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
        (lambda _stack: NetworkLatency(tasks={}, to=["a.example.com"]), "tasks must name a tag at least, got none"),
        (lambda _stack: NetworkLatency(tasks=CALLERS, to=["ALL"]), "to must be a list of domain names"),
        (
            lambda _stack: NetworkLatency(tasks=CALLERS, to=["a.example.com"], delay=timedelta(milliseconds=50)),
            "jitter in 0 to delay, got 50 and 100 ms",
        ),
        (
            lambda _stack: NetworkLatency(tasks=CALLERS, to=["a.example.com"], percent=0),
            "percent must lie in 1 to 100, got 0",
        ),
        (lambda _stack: InterfaceEndpointLost(endpoints=[]), "endpoints must be 1 to 5, got 0"),
        (lambda _stack: LambdaErrors(functions=[], told_by=None), "functions must be 1 to 5, got 0"),
        (
            lambda _stack: LambdaLatency(functions=[None], told_by=None, delay=timedelta(hours=1)),
            "delay must lie above 0 to 15 minutes",
        ),
    ],
)
def test_a_fault_that_could_not_be_is_refused(make: Callable[[Stack], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make(stack_in())


def test_cdk_nag_and_cfn_lint_find_nothing(all_faults: Everything) -> None:
    assert [one for one in all_faults.findings if "Unchecked" not in one] == []
