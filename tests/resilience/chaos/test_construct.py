"""What breaks, what stops it, and who may?"""

import json
import re

import botocore.session
import pytest
from botocore.validate import ParamValidator

from tests.resilience.chaos.building import CALLERS, CRON, Everything, as_asked, statements
from tests.resilience.chaos.documented import ACTIONS, WITH_ON_CANCEL, WITHOUT_ON_CANCEL


@pytest.fixture(scope="module")
def all_faults(tmp_path_factory: pytest.TempPathFactory) -> Everything:
    return Everything(tmp_path_factory.mktemp("chaos"))


def test_an_alarm_stops_an_experiment_unless_its_fault_has_to_raise_it(all_faults: Everything) -> None:
    stops = {
        name: [one["Value"].split(":")[-1] for one in all_faults.template(name)["StopConditions"]]
        for name in ("zone", "stopped", "errors")
    }

    assert stops == {"zone": ["out", "alone"], "stopped": ["alone"], "errors": ["alone"]}


def test_each_action_is_one_of_aws_fis_with_its_parameters_its_targets_and_what_its_role_needs(
    all_faults: Everything,
) -> None:
    shape = botocore.session.get_session().get_service_model("fis").operation_model("CreateExperimentTemplate")
    used = set()
    for name in all_faults.chaos.faults:
        made = all_faults.template(name)
        action, targets = made["Actions"]["Break"], made.get("Targets", {})
        known = ACTIONS[action["ActionId"]]
        used.add(action["ActionId"])
        assert {*known.needs} <= {*action["Parameters"]} <= {*known.needs} | {*known.takes}, name
        assert [*action.get("Targets", {})] == ([known.target] if known.target else []), name
        assert {one["ResourceType"] for one in targets.values()} == ({known.resource} if known.target else set()), name
        assert {*action.get("Targets", {}).values()} == {*targets}, name
        missing = {one for one in known.permissions if not all_faults.allows(name, one)}
        assert missing == set(), name
        told = ParamValidator().validate({"clientToken": "one", **as_asked(made)}, shape.input_shape)
        assert told.generate_report() == "", name
    assert used == {*ACTIONS}


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
        assert steps[name]["action"] in WITH_ON_CANCEL
    assert {one["action"] for one in steps.values()} & WITHOUT_ON_CANCEL == set()
    assert steps["Wait"]["inputs"] == {"Duration": "PT10M"}
    assert (steps["Mend"]["inputs"]["Api"], steps["Mend"]["isEnd"]) == ("StartAutomationExecution", True)
    assert steps["Mend"]["inputs"]["Parameters"]["Former"] == ["{{ Look.Former }}"]
    assert set(all_faults.document("throttled", "Mend")["parameters"]) == {"AutomationAssumeRole", "Drill", "Former"}


def test_a_drill_holds_the_lock_of_the_releases_from_before_the_look_until_it_is_mended(all_faults: Everything) -> None:
    breaks, mends = all_faults.steps("capacity"), all_faults.steps("capacity", "Mend")

    assert list(breaks) == ["Hold", "Look", "Break", "Wait", "Mend", "LetGo"]
    assert breaks["Hold"]["inputs"]["InputPayload"]["Owner"] == "{{ automation:EXECUTION_ID }}"
    assert breaks["Hold"]["inputs"]["InputPayload"]["Seconds"] == str((10 + 75) * 60)
    assert (breaks["Hold"]["onFailure"], breaks["Look"]["onFailure"]) == ("Abort", "step:LetGo")
    assert breaks["Mend"]["inputs"]["Parameters"]["Drill"] == ["{{ automation:EXECUTION_ID }}"]
    assert list(mends) == ["Hold", "Mend", "LetGo"]
    assert (mends["Hold"]["inputs"]["Handler"], mends["Hold"]["onFailure"]) == ("hold_on", "Abort")
    assert mends["LetGo"]["inputs"]["InputPayload"]["Owner"] == "{{ Drill }}"
    held = [one for one in all_faults.may("capacityMendRole") if "dynamodb:PutItem" in one["Action"]]
    assert "Records" in json.dumps(held[0]["Resource"])


def test_the_calls_of_the_documents_are_calls_of_aws_and_their_scripts_have_what_they_run(
    all_faults: Everything,
) -> None:
    session = botocore.session.get_session()
    own, documents = {"Service", "Api"}, all_faults.of_type("AWS::SSM::Document")
    assert len(documents) == 6
    for step in [step for one in documents for step in one["Content"]["mainSteps"]]:
        inputs = step["inputs"]
        if "Api" in inputs:
            shape = session.get_service_model(inputs["Service"]).operation_model(inputs["Api"]).input_shape
            assert {*inputs} - own <= {*shape.members}
            assert {*shape.required_members} <= {*inputs}
        if "Script" in inputs:
            assert f"def {inputs['Handler']}(" in inputs["Script"]
            read = {*re.findall(r"""events\[["'](\w+)["']\]""", inputs["Script"])}
            unread = (
                {"Configuration", "Former", "InstanceCount", "VariantName"} if inputs["Handler"] == "look" else set()
            )
            assert read - {*inputs["InputPayload"]} <= unread  # what it makes itself, for the others


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
    documents = [one["detail"] for one in patterns if one["source"] == ["aws.ssm"]]
    named = [sorted(one["Ref"][:-8] for one in rule["Definition"]) for rule in documents]
    faults = ("capacity", "stopped", "throttled")
    assert sorted(named) == [[f"Chaos{name}{kind}Document" for name in faults] for kind in ("Break", "Mend")]
    assert all(rule["Status"] == ["Cancelled", "Failed", "TimedOut"] for rule in documents)


def test_what_mends_outlives_what_ends_the_drills_and_no_schedule_does(all_faults: Everything) -> None:
    kinds = {one["Type"]: (name, one) for name, one in all_faults.resources.items()}
    (name, resource), (_, schedule) = kinds["Custom::DrillsEnded"], kinds["AWS::Scheduler::Schedule"]
    depends = json.dumps(resource)

    roles = [name for name in all_faults.resources if re.match(r"Chaos(capacity|link)(Role|BreakRole|MendRole)", name)]
    assert len(roles) == 8  # each with its permissions
    assert all(f'"{role}"' in depends for role in roles)
    assert sum("Breaks" in one for one in resource["Properties"]["Drills"]) == 3
    assert len(resource["Properties"]["Drills"]) == 8
    assert any(one.startswith("ChaosTold") for one in resource["DependsOn"])
    assert name in schedule["DependsOn"]
    # A change keeps the names, by which what runs may start what mends; it goes on with its own version.
    assert {one["UpdateMethod"] for one in all_faults.of_type("AWS::SSM::Document")} == {"NewVersion"}


def test_cdk_nag_and_cfn_lint_find_nothing(all_faults: Everything) -> None:
    assert [one for one in all_faults.findings if "Unchecked" not in one] == []
