"""How do state machines run?"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.exec.account import Account, allow, eventually

ONE = {"StartAt": "Only"}


def one(state: dict[str, Any]) -> dict[str, Any]:
    """A machine of one state."""
    return ONE | {"States": {"Only": {"End": True, **state}}}


def test_a_template_s_machine_is_executed(account: Account) -> None:
    role = account.role("states.amazonaws.com")
    definition = json.dumps(one({"Type": "Pass", "Result": {"word": "${Word}"}}))
    stack = f"stack-{time.time_ns()}"
    resource = {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "RoleArn": role,
            "DefinitionString": definition,
            "DefinitionSubstitutions": {"Word": "blue"},
            "StateMachineType": "STANDARD",
            "TracingConfiguration": {"Enabled": True},
            "LoggingConfiguration": {"Level": "ALL", "IncludeExecutionData": True, "Destinations": []},
        },
    }
    template = {
        "Resources": {"Machine": resource},
        "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Machine", "Arn"]}}, "Ref": {"Value": {"Ref": "Machine"}}},
    }
    cloudformation, states = account.client("cloudformation"), account.client("stepfunctions")

    cloudformation.create_stack(StackName=stack, TemplateBody=json.dumps(template))

    outputs = {
        item["OutputKey"]: item["OutputValue"]
        for item in cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    }
    assert outputs["Arn"] == outputs["Ref"]
    described = states.describe_state_machine(stateMachineArn=outputs["Arn"])
    assert described["tracingConfiguration"] == {"enabled": True}
    assert described["loggingConfiguration"]["level"] == "ALL"
    assert json.loads(account.run(outputs["Arn"])["output"]) == {"word": "blue"}

    resource["Properties"]["DefinitionSubstitutions"] = {"Word": "green"}  # type: ignore[index]
    cloudformation.update_stack(StackName=stack, TemplateBody=json.dumps(template))
    assert json.loads(account.run(outputs["Arn"])["output"]) == {"word": "green"}

    cloudformation.delete_stack(StackName=stack)
    assert outputs["Arn"] not in [item["stateMachineArn"] for item in states.list_state_machines()["stateMachines"]]


def test_a_name_runs_once(account: Account) -> None:
    states = account.client("stepfunctions")
    machine = account.machine(one({"Type": "Wait", "Seconds": 200}))

    first = states.start_execution(stateMachineArn=machine, name="one", input='{"a": 1}')
    again = states.start_execution(stateMachineArn=machine, name="one", input='{"a": 1}')

    assert first["executionArn"] == again["executionArn"]
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        states.start_execution(stateMachineArn=machine, name="one", input='{"a": 2}')


def test_executions_of_one_machine_that_run_at_once_share_nothing(account: Account) -> None:
    states = account.client("stepfunctions")
    item = {
        "StartAt": "Hold",
        "States": {"Hold": {"Type": "Wait", "Seconds": 20, "Next": "Out"}, "Out": {"Type": "Pass", "End": True}},
    }
    machine = account.machine(one({"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": item}))

    started = [
        (items, states.start_execution(stateMachineArn=machine, input=json.dumps({"items": items}))["executionArn"])
        for items in (["a", "b", "c"], ["d"], [])
    ]

    for items, execution in started:
        assert json.loads(account.end_of(execution)["output"]) == items


def test_executions_without_a_name_get_one_each(account: Account) -> None:
    machine = account.machine(one({"Type": "Pass"}))

    arns = {account.run(machine)["executionArn"] for _ in range(2)}

    assert len(arns) == 2


def test_waits_follow_the_rehearsal_s_clock(account: Account) -> None:
    started = time.monotonic()

    assert account.run(account.machine(one({"Type": "Wait", "Seconds": 60})))["status"] == "SUCCEEDED"

    assert 0.6 <= time.monotonic() - started < 5


def test_a_failure_ends_with_its_error_and_cause(account: Account) -> None:
    machine = account.machine(
        one({"Type": "Fail", "ErrorPath": "$.kind", "CausePath": "$.why"})
        | {"States": {"Only": {"Type": "Fail", "ErrorPath": "$.kind", "CausePath": "$.why"}}}
    )

    ended = account.run(machine, {"kind": "ModelRefused", "why": "too few rows"})

    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "ModelRefused", "too few rows")
    history = account.client("stepfunctions").get_execution_history(
        executionArn=ended["executionArn"], reverseOrder=True
    )
    assert history["events"][0]["type"] == "ExecutionFailed"


def test_a_task_invokes_a_function_as_the_machine_s_role(account: Account) -> None:
    function = account.function("def handle(e, c):\n    return {'double': e['n'] * 2}\n")
    arn = account.arn(function)
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": arn, "Payload.$": "$"},
        "ResultSelector": {"double.$": "$.Payload.double"},
    }

    assert json.loads(
        account.run(account.machine(one(task), allow("lambda:InvokeFunction", arn)), {"n": 4})["output"]
    ) == {"double": 8}
    refused = account.run(account.machine(one(task)), {"n": 4})
    assert refused["error"] == "Lambda.AccessDeniedException"
    assert f"is not authorized to perform: lambda:InvokeFunction on resource: {arn}" in refused["cause"]


def test_an_exception_of_a_function_can_be_caught_by_its_type(account: Account) -> None:
    function = account.function("class TooFewRows(Exception): ...\ndef handle(e, c):\n    raise TooFewRows('only 3')\n")
    arn = account.arn(function)
    definition = {
        "StartAt": "Call",
        "States": {
            "Call": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": arn},
                "Retry": [{"ErrorEquals": ["Lambda.TooManyRequestsException"], "IntervalSeconds": 1}],
                "Catch": [{"ErrorEquals": ["TooFewRows"], "ResultPath": "$.failure", "Next": "Caught"}],
                "End": True,
            },
            "Caught": {"Type": "Pass", "End": True},
        },
    }

    ended = account.run(account.machine(definition, allow("lambda:InvokeFunction", arn)))

    failure = json.loads(ended["output"])["failure"]
    assert failure["Error"] == "TooFewRows"
    assert json.loads(failure["Cause"])["errorMessage"] == "only 3"


def test_retries_follow_the_rehearsal_s_clock(account: Account) -> None:
    function = account.function("def handle(e, c):\n    raise ValueError\n")
    arn = account.arn(function)
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": arn},
        "Retry": [{"ErrorEquals": ["ValueError"], "IntervalSeconds": 30, "MaxAttempts": 2, "BackoffRate": 2.0}],
    }
    started = time.monotonic()

    ended = account.run(account.machine(one(task), allow("lambda:InvokeFunction", arn)))

    assert ended["error"] == "ValueError"
    assert 0.9 <= time.monotonic() - started < 10
    events = account.client("stepfunctions").get_execution_history(executionArn=ended["executionArn"])["events"]
    assert len([event for event in events if event["type"] == "TaskFailed"]) == 3


def test_a_task_that_takes_too_long_times_out(account: Account) -> None:
    function = account.function("import time\ndef handle(e, c):\n    time.sleep(20)\n")
    arn = account.arn(function)
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "TimeoutSeconds": 1,
        "Parameters": {"FunctionName": arn},
    }

    assert account.run(account.machine(one(task), allow("lambda:InvokeFunction", arn)))["error"] == "States.Timeout"


def test_a_task_waits_for_its_token(account: Account) -> None:
    url, arn = account.queue()
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl": url, "MessageBody": {"token.$": "$$.Task.Token"}},
    }
    states = account.client("stepfunctions")
    machine = account.machine(one(task), allow("sqs:SendMessage", arn))
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]

    token = json.loads(account.messages(url)[0]["Body"])["token"]
    states.send_task_failure(taskToken=token, error="Refused", cause="by a person")

    ended = eventually(lambda: (d := states.describe_execution(executionArn=execution))["status"] != "RUNNING" and d)
    assert (ended["error"], ended["cause"]) == ("Refused", "by a person")


def gate(account: Account, *, lingers: float = 0, **more: Any) -> tuple[str, str]:
    """A machine whose one task leaves its token in a queue, by a function that ``lingers``; and the queue."""
    url, arn = account.queue()
    source = (
        "import boto3, time\n"
        "def handle(event, context):\n"
        f"    boto3.client('sqs').send_message(QueueUrl={url!r}, MessageBody=event['token'])\n"
        f"    time.sleep({lingers})\n"
    )
    function = account.arn(account.function(source, allow("sqs:SendMessage", arn)))
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": function, "Payload": {"token.$": "$$.Task.Token"}},
        **more,
    }
    return account.machine(one(task), allow("lambda:InvokeFunction", function)), url


@pytest.mark.parametrize("lingers", [0, 0.5], ids=["that ends", "that still runs"])
def test_a_function_hands_out_a_token_and_success_is_the_task_s_answer(account: Account, lingers: float) -> None:
    states = account.client("stepfunctions")
    machine, url = gate(account, lingers=lingers, TimeoutSeconds=86400, HeartbeatSeconds=6000)
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    token = account.messages(url)[0]["Body"]

    states.send_task_heartbeat(taskToken=token)
    states.send_task_success(taskToken=token, output='{"approved": true}')

    ended = eventually(lambda: (d := states.describe_execution(executionArn=execution))["status"] != "RUNNING" and d)
    assert (ended["status"], json.loads(ended["output"])) == ("SUCCEEDED", {"approved": True})


@pytest.mark.parametrize("limits", [{"TimeoutSeconds": 100}, {"TimeoutSeconds": 86400, "HeartbeatSeconds": 100}])
def test_the_time_out_of_a_token_follows_the_rehearsal_s_clock(account: Account, limits: dict[str, int]) -> None:
    machine, _ = gate(account, **limits)

    assert account.run(machine)["error"] == "States.Timeout"


def test_an_execution_that_is_stopped_has_ended_although_its_task_waits(account: Account) -> None:
    states = account.client("stepfunctions")
    machine, url = gate(account, Catch=[{"ErrorEquals": ["States.ALL"], "Next": "Only"}])
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    assert account.messages(url)

    states.stop_execution(executionArn=execution, error="Release.Aborted", cause="by a person")

    ended = eventually(lambda: (d := states.describe_execution(executionArn=execution))["status"] != "RUNNING" and d)
    assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "Release.Aborted", "by a person")
    history = states.get_execution_history(executionArn=execution)["events"]
    assert history[-1]["type"] == "ExecutionAborted"
    assert "TaskTimedOut" not in [event["type"] for event in history]


def test_a_function_that_runs_when_its_execution_is_stopped_does_not_hold_it(account: Account) -> None:
    states = account.client("stepfunctions")
    function = account.function("import time\ndef handle(e, c):\n    time.sleep(30)\n", Timeout=60)
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": account.arn(function)},
    }
    machine = account.machine(one(task), allow("lambda:InvokeFunction", account.arn(function)))
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    eventually(
        lambda: (
            "TaskStarted" in [event["type"] for event in states.get_execution_history(executionArn=execution)["events"]]
        )
    )

    states.stop_execution(executionArn=execution)

    eventually(lambda: states.describe_execution(executionArn=execution)["status"] == "ABORTED")
    assert states.get_execution_history(executionArn=execution)["events"][-1]["type"] == "ExecutionAborted"


def test_a_machine_starts_another_and_does_not_wait(account: Account) -> None:
    inner = account.machine(one({"Type": "Wait", "Seconds": 60000}))
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution",
        "Parameters": {"StateMachineArn": inner, "Name.$": "States.UUID()", "Input": {"action": "retire"}},
    }

    ended = account.run(account.machine(one(task), allow("states:StartExecution", inner)))

    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    started = json.loads(ended["output"])["ExecutionArn"]
    child = account.client("stepfunctions").describe_execution(executionArn=started)
    assert (child["status"], json.loads(child["input"])) == ("RUNNING", {"action": "retire"})
    account.client("stepfunctions").stop_execution(executionArn=started)


def test_notifications_and_sdk_calls_work(account: Account) -> None:
    url, queue = account.queue()
    topic = account.client("sns").create_topic(Name=f"topic-{time.time_ns()}")["TopicArn"]
    account.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    account.let_in(url, queue, topic, "sns.amazonaws.com")
    definition = {
        "StartAt": "Group",
        "States": {
            "Group": {
                "Type": "Task",
                "Resource": "arn:aws:states:::aws-sdk:sagemaker:createModelPackageGroup",
                "Parameters": {"ModelPackageGroupName": f"group-{time.time_ns()}"},
                "Next": "Tell",
            },
            "Tell": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sns:publish",
                "Parameters": {"TopicArn": topic, "Subject": "done", "Message.$": "$.ModelPackageGroupArn"},
                "End": True,
            },
        },
    }
    rights = [allow("sagemaker:CreateModelPackageGroup"), allow("sns:Publish", topic)]

    ended = account.run(account.machine(definition, *rights))

    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert ":model-package-group/group-" in json.loads(account.messages(url)[0]["Body"])["Message"]


def test_an_sdk_error_has_the_name_that_aws_gives_it(account: Account) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sagemaker:describeEndpoint",
        "Parameters": {"EndpointName": "no-such-endpoint"},
    }

    ended = account.run(account.machine(one(task), allow("sagemaker:DescribeEndpoint")))

    assert ended["error"] == "SageMaker.SageMakerException"


@pytest.mark.parametrize(("pattern", "output"), [(".sync", '{"n":1}'), (".sync:2", {"n": 1})])
def test_a_machine_starts_another_and_waits_for_it(account: Account, pattern: str, output: Any) -> None:
    inner = account.machine(one({"Type": "Pass"}))
    task = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::states:startExecution{pattern}",
        "Parameters": {"StateMachineArn": inner, "Input": {"n": 1}},
    }
    rights = [
        allow("states:StartExecution", inner),
        allow(
            ["states:DescribeExecution", "states:StopExecution"], inner.replace(":stateMachine:", ":execution:") + ":*"
        ),
        allow(
            ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
            "arn:aws:events:*:*:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule",
        ),
    ]

    ended = account.run(account.machine(one(task), *rights))

    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    answer = json.loads(ended["output"])
    assert answer["Status"] == "SUCCEEDED"
    assert answer["Output"] == output


def test_an_aborted_execution_keeps_the_reason_and_stops_what_it_started(account: Account) -> None:
    states = account.client("stepfunctions")
    inner = account.machine(one({"Type": "Wait", "Seconds": 6000}))
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": inner},
    }
    outer = states.start_execution(stateMachineArn=account.machine(one(task), allow("*")))["executionArn"]
    child = eventually(lambda: states.list_executions(stateMachineArn=inner)["executions"])[0]["executionArn"]

    states.stop_execution(executionArn=outer, error="Stopped", cause="by a person")

    def ended(arn: str) -> dict[str, Any] | None:
        found: dict[str, Any] = states.describe_execution(executionArn=arn)
        return found if found["status"] == "ABORTED" else None

    assert eventually(lambda: ended(outer))["cause"] == "by a person"
    assert eventually(lambda: ended(child))["stopDate"]


@pytest.mark.parametrize(("catches", "status"), [("States.ALL", "FAILED"), ("States.Runtime", "SUCCEEDED")])
def test_what_is_terminal_is_caught_by_its_name_only(account: Account, catches: str, status: str) -> None:
    definition = {
        "StartAt": "Break",
        "States": {
            "Break": {
                "Type": "Parallel",
                "Branches": [one({"Type": "Pass", "Parameters": {"x.$": "$.no.such.field"}})],
                "Catch": [{"ErrorEquals": [catches], "Next": "Caught"}],
                "End": True,
            },
            "Caught": {"Type": "Pass", "End": True},
        },
    }

    assert account.run(account.machine(definition))["status"] == status


def test_a_discarded_result_leaves_the_input_as_it_was(account: Account) -> None:
    function = account.function("def handle(e, c):\n    return 1\n")
    arn = account.arn(function)
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": arn},
        "ResultPath": None,
    }

    ended = account.run(account.machine(one(task), allow("lambda:InvokeFunction", arn)), {"a": 1})

    assert json.loads(ended["output"]) == {"a": 1}


def test_a_fail_state_hands_on_an_error_of_the_service(account: Account) -> None:
    machine = account.machine(ONE | {"States": {"Only": {"Type": "Fail", "ErrorPath": "$.kind"}}})

    assert account.run(machine, {"kind": "States.Timeout"})["error"] == "States.Timeout"


def test_a_role_without_the_managed_rule_cannot_wait(account: Account) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
        "Parameters": training_job("x"),
    }

    ended = account.run(account.machine(one(task), allow("sagemaker:*"), allow("iam:PassRole")))

    assert "is not authorized to create managed-rule" in ended["cause"]


def test_a_misspelt_parameter_of_a_job_fails_the_task(account: Account) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
        "Parameters": training_job("x") | {"Enviroment": {}},
    }

    ended = account.run(account.machine(one(task), allow("*")))

    assert 'Unknown parameter in input: "Enviroment"' in ended["cause"]


def test_waiting_for_a_job_ends_with_its_failure_as_cause(account: Account) -> None:
    name = f"job-{time.time_ns()}"
    role = account.role("sagemaker.amazonaws.com")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
        "Parameters": training_job(name) | {"RoleArn": role},
    }

    ended = account.run(account.machine(one(task), allow("*")))

    assert (ended["status"], ended["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(ended["cause"])
    assert cause["TrainingJobName"] == name
    assert cause["TrainingJobStatus"] == "Failed"
    assert cause["FailureReason"]
    assert isinstance(cause["CreationTime"], int)


def test_an_error_of_sagemaker_has_the_integration_s_name(account: Account) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sagemaker:createEndpoint",
        "Parameters": {"EndpointName": "an-endpoint", "EndpointConfigName": "no-such-config"},
    }

    ended = account.run(account.machine(one(task), allow("sagemaker:*")))

    assert ended["error"] == "SageMaker.AmazonSageMakerException"
    assert "Service: AmazonSageMaker" in ended["cause"]


def test_a_machine_s_state_changes_are_events(account: Account) -> None:
    url, arn = account.queue()
    events = account.client("events")
    machine = account.machine(one({"Type": "Pass"}))
    rule = f"rule-{time.time_ns()}"
    pattern = {"source": ["aws.states"], "detail": {"status": ["SUCCEEDED"], "stateMachineArn": [machine]}}
    rule_arn = events.put_rule(Name=rule, EventPattern=json.dumps(pattern))["RuleArn"]
    account.let_in(url, arn, rule_arn)
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])

    ended = account.run(machine)

    assert json.loads(account.messages(url)[0]["Body"])["detail"]["executionArn"] == ended["executionArn"]


def test_an_abort_is_an_event_with_its_error_and_cause(account: Account) -> None:
    url, arn = account.queue()
    events, states = account.client("events"), account.client("stepfunctions")
    machine = account.machine(one({"Type": "Wait", "Seconds": 60000}))
    rule = f"rule-{time.time_ns()}"
    pattern = {"source": ["aws.states"], "detail": {"status": ["ABORTED", "FAILED"], "stateMachineArn": [machine]}}
    rule_arn = events.put_rule(Name=rule, EventPattern=json.dumps(pattern))["RuleArn"]
    account.let_in(url, arn, rule_arn)
    events.put_targets(Rule=rule, Targets=[{"Id": "queue", "Arn": arn}])
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]

    states.stop_execution(executionArn=execution, error="Release.Superseded", cause="ci: a newer version")

    detail = json.loads(account.messages(url)[0]["Body"])["detail"]
    assert (detail["executionArn"], detail["status"]) == (execution, "ABORTED")
    assert (detail["error"], detail["cause"]) == ("Release.Superseded", "ci: a newer version")


def training_job(name: str) -> dict[str, Any]:
    """A training job on an image that is not here."""
    return {
        "TrainingJobName": name,
        "RoleArn": "arn:aws:iam::123456789012:role/none",
        "AlgorithmSpecification": {
            "TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/none:none",
            "TrainingInputMode": "File",
        },
        "OutputDataConfig": {"S3OutputPath": "s3://nowhere/at/all"},
        "ResourceConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
