"""A small account: roles with policies, functions out of source text, machines out of dictionaries."""

from __future__ import annotations

import io
import json
import time
import uuid
import zipfile
from collections.abc import Callable
from typing import Any

import boto3

from mlplatform_cdk.local.settings import Settings

Client = Callable[[str], Any]


class Account:
    """What the tests make and ask for."""

    def __init__(self, settings: Settings, client: Client) -> None:
        self.settings = settings
        self.client = client

    def role(self, service: str, *statements: dict[str, Any]) -> str:
        """A role that ``service`` assumes, with one inline policy."""
        name = f"role-{uuid.uuid4().hex[:12]}"
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        arn: str = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"][
            "Arn"
        ]
        if statements:
            self.client("iam").put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document(*statements))
        return arn

    def function(self, source: str, *statements: dict[str, Any], **more: Any) -> str:
        """A function whose ``app.handle`` is in ``source``; its name."""
        name = f"function-{uuid.uuid4().hex[:12]}"
        role = more.pop("Role", None) or self.role("lambda.amazonaws.com", *statements)
        self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.14",
            Role=role,
            Handler=more.pop("Handler", "app.handle"),
            Code={"ZipFile": zipped({"app.py": source})},
            Timeout=more.pop("Timeout", 30),
            **more,
        )
        return name

    def arn(self, function: str) -> str:
        """A function's ARN."""
        return f"arn:aws:lambda:{self.settings.region}:{self.settings.account}:function:{function}"

    def invoke(self, function: str, event: Any = None, **more: Any) -> Any:
        """The response of Invoke."""
        return self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event), **more)

    def machine(self, definition: dict[str, Any], *statements: dict[str, Any]) -> str:
        """A state machine's ARN."""
        role = self.role("states.amazonaws.com", *statements)
        arn: str = self.client("stepfunctions").create_state_machine(
            name=f"machine-{uuid.uuid4().hex[:12]}", definition=json.dumps(definition), roleArn=role
        )["stateMachineArn"]
        return arn

    def run(self, machine: str, data: Any = None, **more: Any) -> dict[str, Any]:
        """The end of an execution."""
        states = self.client("stepfunctions")
        arn = states.start_execution(stateMachineArn=machine, input=json.dumps(data or {}), **more)["executionArn"]
        return self.end_of(arn)

    def end_of(self, execution: str) -> dict[str, Any]:
        """What an execution is described as when it has ended."""
        states = self.client("stepfunctions")
        ended: dict[str, Any] = eventually(lambda: _ended(states.describe_execution(executionArn=execution)))
        return ended

    def queue(self, **attributes: str) -> tuple[str, str]:
        """A queue's URL and ARN."""
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName=f"queue-{uuid.uuid4().hex[:12]}", Attributes=attributes)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return url, arn

    def let_in(self, url: str, arn: str, source_arn: str, service: str = "events.amazonaws.com") -> None:
        """A queue policy that lets a service send for one source."""
        condition = {"ArnEquals": {"aws:SourceArn": source_arn}}
        statement = allow("sqs:SendMessage", arn, Principal={"Service": service}, Condition=condition)
        self.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(statement)})

    def as_role(self, role_arn: str, service: str) -> Any:
        """A client with the credentials of a role, assumed as anyone would."""
        keys = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test")["Credentials"]
        return boto3.client(
            service,
            endpoint_url=self.settings.endpoint_url,
            region_name=self.settings.region,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )

    def messages(self, url: str) -> list[dict[str, Any]]:
        """What the queue holds, once it holds something."""
        sqs = self.client("sqs")
        return eventually(  # type: ignore[no-any-return]
            lambda: sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
            ).get("Messages")
        )


def document(*statements: dict[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """A statement that allows."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def zipped(files: dict[str, str]) -> bytes:
    """A zip archive of texts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def eventually(ask: Callable[[], Any], seconds: float = 20.0) -> Any:
    """The first answer of ``ask`` that is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"no answer within {seconds} seconds")


def _ended(description: dict[str, Any]) -> dict[str, Any] | None:
    return description if description["status"] != "RUNNING" else None
