"""What does a deployed function do when it is invoked?"""

from __future__ import annotations

import base64
import json
import threading
import time

import pytest
from botocore.exceptions import ClientError

from tests.local.exec.account import Account, allow, eventually

ECHO = """
import os
def handle(event, context):
    print("got", event)
    return {
        "event": event,
        "name": context.function_name,
        "arn": context.invoked_function_arn,
        "request": context.aws_request_id,
        "left": context.get_remaining_time_in_millis(),
        "setting": os.environ.get("SETTING"),
        "endpoint": os.environ["AWS_ENDPOINT_URL"],
        "pid": os.getpid(),
    }
"""

LOGS = allow(["logs:CreateLogStream", "logs:PutLogEvents"])


def test_the_asset_runs_with_its_settings_and_answers(account: Account) -> None:
    function = account.function(ECHO, Environment={"Variables": {"SETTING": "blue"}}, Timeout=10)

    response = account.invoke(function, {"a": 1})

    answer = json.loads(response["Payload"].read())
    assert response["StatusCode"] == 200
    assert "FunctionError" not in response
    assert answer["event"] == {"a": 1}
    assert answer["name"] == function
    assert answer["arn"] == account.arn(function)
    assert len(answer["request"]) == 36
    assert 5_000 < answer["left"] <= 10_000
    assert answer["setting"] == "blue"
    assert answer["endpoint"] == account.settings.endpoint_url


def test_a_warm_process_answers_again_and_faster(account: Account) -> None:
    function = account.function(ECHO)

    first = json.loads(account.invoke(function)["Payload"].read())
    started = time.monotonic()
    second = json.loads(account.invoke(function)["Payload"].read())

    assert second["pid"] == first["pid"]
    assert time.monotonic() - started < 0.5


def test_a_changed_configuration_starts_a_new_process(account: Account) -> None:
    function = account.function(ECHO)
    first = json.loads(account.invoke(function)["Payload"].read())

    account.client("lambda").update_function_configuration(
        FunctionName=function, Environment={"Variables": {"SETTING": "green"}}
    )

    second = json.loads(account.invoke(function)["Payload"].read())
    assert second["pid"] != first["pid"]
    assert second["setting"] == "green"


def test_an_exception_is_told_as_aws_tells_it(account: Account) -> None:
    function = account.function("def handle(event, context):\n    raise ValueError('no rows')\n")

    response = account.invoke(function, LogType="Tail")

    error = json.loads(response["Payload"].read())
    assert response["FunctionError"] == "Unhandled"
    assert (error["errorType"], error["errorMessage"]) == ("ValueError", "no rows")
    assert any("in handle" in frame for frame in error["stackTrace"])
    assert b"no rows" in base64.b64decode(response["LogResult"])


@pytest.mark.parametrize(
    ("source", "handler", "kind", "message"),
    [
        pytest.param("", "other.handle", "Runtime.ImportModuleError", "No module named 'other'", id="no such module"),
        pytest.param("", "app.handle", "Runtime.HandlerNotFound", "Handler 'handle' missing", id="no such handler"),
        pytest.param(
            "def handle(e, c):\n    return {1, 2}", "app.handle", "Runtime.MarshalError", "marshal", id="a set"
        ),
        pytest.param(
            "import os\ndef handle(e, c):\n    os._exit(3)",
            "app.handle",
            "Runtime.ExitError",
            "status 3",
            id="the process ends",
        ),
        pytest.param(
            "import numpy\ndef handle(e, c): ...",
            "app.handle",
            "Runtime.ImportModuleError",
            "numpy",
            id="a package that only this machine has",
        ),
    ],
)
def test_a_function_that_cannot_answer_says_why(
    account: Account, source: str, handler: str, kind: str, message: str
) -> None:
    response = account.invoke(account.function(source, Handler=handler))

    error = json.loads(response["Payload"].read())
    assert response["FunctionError"] == "Unhandled"
    assert error["errorType"] == kind
    assert message in error["errorMessage"]


def test_a_function_is_stopped_at_its_time_out(account: Account) -> None:
    function = account.function("import time\ndef handle(e, c):\n    time.sleep(60)\n", Timeout=1)

    response = account.invoke(function)

    error = json.loads(response["Payload"].read())
    assert error["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in error["errorMessage"]


def test_requests_that_come_together_run_together(account: Account) -> None:
    function = account.function("import time, os\ndef handle(e, c):\n    time.sleep(1.5)\n    return os.getpid()\n")
    answers: list[int] = []

    def call() -> None:
        answers.append(json.loads(account.invoke(function)["Payload"].read()))

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    account.client("s3").list_buckets()  # the server answers meanwhile
    for thread in threads:
        thread.join()

    assert len(set(answers)) == 2


def test_its_calls_are_made_as_its_role(account: Account) -> None:
    source = "import boto3\ndef handle(e, c):\n    return boto3.client('sts').get_caller_identity()['Arn']\n"
    role = account.role("lambda.amazonaws.com")
    function = account.function(source, Role=role)

    answer = json.loads(account.invoke(function)["Payload"].read())

    assert answer == f"arn:aws:sts::{account.settings.account}:assumed-role/{role.rsplit('/')[-1]}/{function}"


def test_a_missing_permission_fails_the_call(account: Account) -> None:
    source = "import boto3\ndef handle(e, c):\n    boto3.client('ssm').get_parameter(Name='/a/b')\n"
    function = account.function(source)

    error = json.loads(account.invoke(function)["Payload"].read())

    assert error["errorType"] == "AccessDeniedException"
    assert "is not authorized to perform: ssm:GetParameter on resource: " in error["errorMessage"]
    assert ":parameter/a/b because no identity-based policy allows" in error["errorMessage"]


def test_a_role_that_lambda_cannot_assume_fails_the_call(account: Account) -> None:
    function = account.function(ECHO, Role=account.role("states.amazonaws.com"))

    error = json.loads(account.invoke(function)["Payload"].read())

    assert "cannot be assumed by lambda.amazonaws.com" in error["errorMessage"]


def test_what_it_prints_and_logs_is_in_its_log_group(account: Account) -> None:
    source = "import logging\ndef handle(e, c):\n    print('plain words')\n    logging.getLogger().error('a record')\n"
    function = account.function(source, LOGS)
    account.invoke(function)

    logs = account.client("logs")
    group = f"/aws/lambda/{function}"
    stream = logs.describe_log_streams(logGroupName=group)["logStreams"][0]["logStreamName"]
    lines = [event["message"] for event in logs.get_log_events(logGroupName=group, logStreamName=stream)["events"]]

    assert lines[0].startswith("START RequestId: ")
    assert "plain words" in lines
    assert any(line.startswith("[ERROR]") and "a record" in line for line in lines)
    assert lines[-1].startswith("REPORT RequestId: ")


def test_a_role_that_may_not_write_logs_leaves_none(account: Account) -> None:
    function = account.function("def handle(e, c):\n    print('plain words')\n")

    account.invoke(function)

    groups = account.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{function}")["logGroups"]
    assert groups == []


def test_a_dry_run_does_nothing(account: Account) -> None:
    function = account.function("def handle(e, c):\n    raise ValueError\n")

    assert account.invoke(function, InvocationType="DryRun")["StatusCode"] == 204


def test_an_event_that_fails_three_times_ends_in_the_dead_letter_queue(account: Account) -> None:
    url, arn = account.queue()
    source = "def handle(e, c):\n    raise ValueError('never')\n"
    function = account.function(source, LOGS, allow("sqs:SendMessage", arn), DeadLetterConfig={"TargetArn": arn})

    assert account.invoke(function, {"n": 1}, InvocationType="Event")["StatusCode"] == 202

    message = account.messages(url)[0]
    assert json.loads(message["Body"]) == {"n": 1}
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "never"
    streams = account.client("logs").describe_log_streams(logGroupName=f"/aws/lambda/{function}")["logStreams"]
    assert streams


def test_an_event_that_fails_goes_to_the_destination_of_failures(account: Account) -> None:
    url, arn = account.queue()
    function = account.function("def handle(e, c):\n    raise ValueError('never')\n", allow("sqs:SendMessage", arn))
    account.client("lambda").put_function_event_invoke_config(
        FunctionName=function, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}}
    )

    account.invoke(function, {"n": 2}, InvocationType="Event")

    record = json.loads(account.messages(url)[0]["Body"])
    assert record["requestPayload"] == {"n": 2}
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responsePayload"]["errorType"] == "ValueError"


def test_reserved_concurrency_throttles(account: Account) -> None:
    function = account.function("import time\ndef handle(e, c):\n    time.sleep(3)\n")
    account.client("lambda").put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=1)
    account.invoke(function, InvocationType="Event")

    def refused() -> str | None:
        try:
            account.invoke(function)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return None

    assert eventually(refused) == "TooManyRequestsException"


def test_the_answer_of_a_named_runtime_that_is_not_python_says_so(account: Account) -> None:
    function = account.function("")
    account.client("lambda").update_function_configuration(FunctionName=function, Runtime="nodejs22.x")

    error = json.loads(account.invoke(function)["Payload"].read())

    assert error["errorMessage"].endswith("runs Python functions only")
