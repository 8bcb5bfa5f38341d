"""Would the services take the calls that a template writes down?"""

import json
from typing import Any

import pytest

from mlplatform_cdk.assembly.check.sdk_calls import sdk_calls
from mlplatform_cdk.assembly.check.states.check import state_machines
from mlplatform_cdk.assembly.check.templates import Template
from mlplatform_cdk.assembly.findings import Severity
from tests.assembly.check.conftest import Make, machine


def errors(made: Template) -> list[str]:
    return [one.message for one in state_machines(made) if one.severity is Severity.ERROR]


def task(resource: str, **parameters: Any) -> dict[str, Any]:
    return {"Resource": f"arn:aws:states:::{resource}", "Parameters": parameters}


@pytest.mark.parametrize(
    "state",
    [
        task("states:startExecution.sync:2", StateMachineArn="arn:x", Input={"any": 1}),
        task("sns:publish", TopicArn="arn:x", Message={"any": 1}),
        task("sqs:sendMessage.waitForTaskToken", QueueUrl="q", MessageBody={"token.$": "$$.Task.Token"}),
        task("events:putEvents", Entries=[{"Detail": {"a": 1}, "DetailType": "d", "Source": "s"}]),
        task("ecs:runTask.sync", TaskDefinition="t", NetworkConfiguration={"AwsvpcConfiguration": {"Subnets": ["s"]}}),
        task("dynamodb:putItem", TableName="t", Item={"id": {"S.$": "$.id"}}),
        task("eks:call", ClusterName="c", Anything=1),
        task("aws-sdk:cloudwatchlogs:createLogGroup", LogGroupName="g"),
        task("aws-sdk:sfn:startExecution", StateMachineArn="arn:x"),
        task("aws-sdk:rds:createDbCluster", DBClusterIdentifier="c", Engine="e"),
        {"Resource": "arn:aws:lambda:eu-west-1:123456789012:function:f"},
    ],
    ids=lambda state: state["Resource"].rpartition(":::")[2],
)
def test_a_call_as_step_functions_has_it_is_no_finding(template: Make, state: dict[str, Any]) -> None:
    assert errors(template({"M": machine(state)})) == []


def test_names_to_which_aws_adds_may_be_newer_than_botocore(template: Make) -> None:
    variant = {"VariantName": "a", "InstanceType": "ml.g99.xlarge", "InferenceAmiVersion": "al2030-ami-gpu-9"}
    state = task("aws-sdk:sagemaker:createEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])

    assert errors(template({"M": machine(state)})) == []


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (task("aws-sdk:sfn:startExecution", stateMachineArn="a"), "Parameters.StateMachineArn is missing"),
        (task("aws-sdk:sns:publish", Message={"a": 1}), "Parameters.Message must be of type string"),
        (task("s3:getObject"), "the service 's3' does not exist; with aws-sdk:s3 it does"),
        (task("aws-sdk:sagemaker:describeEndpont"), "has no action 'describeEndpont'"),
        (task("aws-sdk:sagemaker:addTags", ResourceArn=1, Tags=[]), "ResourceArn must be of type string, got 1"),
    ],
)
def test_a_call_that_the_service_refuses_is_an_error(template: Make, state: dict[str, Any], problem: str) -> None:
    assert any(problem in one for one in errors(template({"M": machine(state)})))


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("sagemaker:updateEndpoint", "Parameters.EndpointName is missing"),
        ("sagemaker:updateEndpont", "has no action 'updateEndpont'"),
    ],
)
def test_a_call_that_a_state_leaves_to_its_function_is_checked_too(template: Make, call: str, problem: str) -> None:
    payload = {"step": "call", "call": call, "parameters": {"EndpointConfigName.$": "$.configuration"}}
    state = task("lambda:invoke", FunctionName="f", Payload=payload)

    assert any(problem in one for one in errors(template({"M": machine(state)})))


def test_an_error_that_is_never_tried_again_needs_no_pauses(template: Make) -> None:
    retry = [{"ErrorEquals": ["LockLost"], "MaxAttempts": 0}]
    state = task("sns:publish", TopicArn="arn:x", Message="m") | {"Retry": retry}

    assert [one.message for one in state_machines(template({"M": machine(state)})) if "Retry" in one.message] == []


def test_jsonata_is_read_as_jsonata(template: Make) -> None:
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "A",
        "States": {
            "A": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:sagemaker:stopTrainingJob",
                "Arguments": {"TrainingJobName": "{% $states.input.name %}", "TrainingJobNam": "x"},
                "End": True,
            }
        },
    }
    made = template({"M": machine(DefinitionString=json.dumps(definition))})

    assert errors(made) == ["A: Arguments.TrainingJobNam is unknown; StopTrainingJobRequest has TrainingJobName"]


def test_what_only_a_deployment_knows_is_not_judged(template: Make) -> None:
    parts = [
        '{"StartAt":"A","States":{"A":{"Type":"Task","End":true,"Resource":"arn:',
        {"Ref": "AWS::Partition"},
        ':states:::aws-sdk:sagemaker:updateEndpointWeightsAndCapacities","Parameters":{"EndpointName":"',
        {"Ref": "Name"},
        '","DesiredWeightsAndCapacities":[{"VariantName":"a","DesiredInstanceCount":',
        {"Ref": "Count"},
        "}]}}}}",
    ]

    assert errors(template({"M": machine(DefinitionString={"Fn::Join": ["", parts]})})) == []


def test_substitutions_and_definitions_as_objects_are_read(template: Make) -> None:
    text = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "${Next}"}}})
    by_text = machine(DefinitionString=text, DefinitionSubstitutions={"Next": "B"})
    properties = {"Definition": json.loads(text), "DefinitionSubstitutions": {"Next": "B"}}
    by_object = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}

    assert errors(template({"M": by_text})) == ["A: leads to 'B', which does not exist"]
    assert errors(template({"M": by_object})) == ["A: leads to '${Next}', which does not exist"]


def test_a_definition_that_cannot_be_read_is_said(template: Make) -> None:
    for properties, sentence in (
        ({"DefinitionString": "{"}, "the definition is not JSON"),
        ({"DefinitionS3Location": {"Key": "k"}}, "the definition lies in S3, outside the assembly"),
    ):
        (finding,) = state_machines(template({"M": machine(**properties)}))
        assert sentence in finding.message


def sdk(**call: Any) -> dict[str, Any]:
    return {"Type": "Custom::AWS", "Properties": {"Create": json.dumps(call)}}


@pytest.mark.parametrize(
    ("call", "problems"),
    [
        ({"service": "S3", "action": "putObject", "parameters": {"Bucket": "b", "Key": "k"}}, []),
        (
            {
                "service": "@aws-sdk/client-secrets-manager",
                "action": "GetSecretValueCommand",
                "parameters": {"SecretId": "PHYSICAL:RESOURCEID:"},
            },
            [],
        ),
        ({"service": "cloudwatch-logs", "action": "createLogGroup", "parameters": {"logGroupName": "g"}}, []),
        ({"service": "S3", "action": "putObjct"}, ["Create: the service 'S3' has no action 'putObjct'"]),
        ({"service": "S4", "action": "putObject"}, ["Create: the service 'S4' does not exist"]),
        (
            {"service": "S3", "action": "putObject", "parameters": {"Bucket": "b"}},
            ["Create.parameters.Key is missing"],
        ),
    ],
    ids=lambda value: value.get("action", "") if isinstance(value, dict) else "",
)
def test_calls_of_cdks_custom_resource_are_held_against_the_service(
    template: Make, call: dict[str, Any], problems: list[str]
) -> None:
    assert [finding.message for finding in sdk_calls(template({"C": sdk(**call)}))] == problems
