"""What a task calls: a service's action by Step Functions' names for it, and the permissions that it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.assembly.check.permissions.actions import actions_of
from mlplatform_cdk.assembly.check.service_model import Operation, operation, service_model, service_named

_RESOURCE = re.compile(
    r"arn:[a-z-]+:states:[a-z0-9-]*:\d*:(?P<call>[\w:-]+?)(?:\.(?P<pattern>sync|sync:2|waitForTaskToken))?"
)
_FUNCTION = re.compile(r"arn:[a-z-]+:lambda:.*:function:.*|arn:[a-z-]+:states:.*:activity:.*", re.DOTALL)
# Step Functions names a service as the SDK for Java does; botocore differs by more than hyphens here.
_JAVA_NAMES = {
    "applicationdiscoveryservice": "discovery",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "configservice": "config",
    "costandusagereportservice": "cur",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "directory": "ds",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "elasticsearch": "es",
    "eventbridge": "events",
    "iotdataplane": "iot-data",
    "lexmodelbuilding": "lex-models",
    "lexmodelsv2": "lexv2-models",
    "lexruntimev2": "lexv2-runtime",
    "marketplacemetering": "meteringmarketplace",
    "migrationhub": "mgh",
    "serverlessapplicationrepository": "serverlessrepo",
    "sfn": "stepfunctions",
}
# Integrations of Step Functions' own: https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
_OPTIMIZED = {
    "athena": "athena",
    "batch": "batch",
    "bedrock": "bedrock-runtime",
    "codebuild": "codebuild",
    "databrew": "databrew",
    "dynamodb": "dynamodb",
    "ecs": "ecs",
    "emr-containers": "emr-containers",
    "emr-serverless": "emr-serverless",
    "events": "events",
    "glue": "glue",
    "lambda": "lambda",
    "mediaconvert": "mediaconvert",
    "sagemaker": "sagemaker",
    "sns": "sns",
    "sqs": "sqs",
    "states": "stepfunctions",
}
# Their parameters are Step Functions' own, or differ from the API's.
_OWN_SHAPES = {"apigateway", "eks", "elasticmapreduce", "http", "bedrock"}
ANY_JSON = frozenset({"Message", "MessageBody", "Input", "Detail", "Body", "Payload"})
# What .sync calls besides the call itself: https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
_SYNC_VERBS = ("Describe", "Stop")
_SYNC_EVENTS = ("events:PutTargets", "events:PutRule", "events:DescribeRule")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a task.

    :param operation: the API's action; None for an integration whose parameters are Step Functions' own.
    :param pattern: ``sync``, ``sync:2``, ``waitForTaskToken`` or nothing.
    :param optimized: an integration of Step Functions' own, not the SDK's.
    """

    operation: Operation | None
    pattern: str = ""
    optimized: bool = False


def call_of(resource: str) -> Call | str:
    """What ``Resource`` of a task calls, or what is wrong with it."""
    if _FUNCTION.fullmatch(resource):
        return Call(None)
    match = _RESOURCE.fullmatch(resource)
    if match is None:
        return f"Resource must be an integration of Step Functions, got {resource!r}"
    sdk = match["call"].startswith("aws-sdk:")
    service, colon, action = match["call"].removeprefix("aws-sdk:").partition(":")
    if not colon or ":" in action:
        return f"Resource must name a service and an action, got {resource!r}"
    pattern = match["pattern"] or ""
    if not sdk and service in _OWN_SHAPES:
        return Call(None, pattern, optimized=True)
    found = _operation(service, action, sdk=sdk)
    return found if isinstance(found, str) else Call(found, pattern, optimized=not sdk)


def needed_actions(task: Mapping[str, Any]) -> Iterator[str]:
    """The IAM actions that the machine's role needs for ``task``."""
    resource = str(task.get("Resource", ""))
    called = call_of(resource)
    if isinstance(called, str):
        return
    if called.operation is None:
        if ":lambda:" in resource:
            yield "lambda:InvokeFunction"
        return
    needed = sorted(actions_of(called.operation.service, called.operation.name))
    yield from needed
    parameters = task.get("Parameters", task.get("Arguments", {}))
    waits = called.pattern.startswith("sync")
    hands_on = _given(parameters) & {name[:1].upper() + name[1:] for name in called.operation.role_parameters}
    if hands_on or (waits and called.operation.service == "sagemaker" and called.operation.name.startswith("Create")):
        yield "iam:PassRole"
    if waits:
        yield from _sync_actions(called.operation, needed)


def _sync_actions(called: Operation, needed: list[str]) -> Iterator[str]:
    if called.service == "sagemaker" and called.name.startswith("Create"):
        for verb in _SYNC_VERBS:
            yield from (action.replace(":Create", f":{verb}") for action in needed)
        yield from _SYNC_EVENTS
    elif called.name == "StartExecution":
        yield from ("states:DescribeExecution", "states:StopExecution", *_SYNC_EVENTS)


def _given(parameters: object) -> set[str]:
    return {key.removesuffix(".$") for key in parameters} if isinstance(parameters, Mapping) else set()


def _operation(service: str, action: str, *, sdk: bool) -> Operation | str:
    name = botocore_name(service) if sdk else _OPTIMIZED.get(service, "")
    model = service_model(name)
    if model is None:
        hint = f"; with aws-sdk:{service} it does" if not sdk and service_model(botocore_name(service)) else ""
        return f"the service {service!r} does not exist{hint}"
    spelling = _spelling(action, model.operation_names)
    return operation(name, spelling) if spelling else f"the service {service!r} has no action {action!r}"


def _spelling(action: str, names: Sequence[str]) -> str | None:
    """Botocore's spelling; the SDK for Java writes acronyms as words: ``createDbCluster`` is ``CreateDBCluster``."""
    wanted = action[:1].upper() + action[1:]
    if not action[:1].islower():
        return None
    if wanted in names:
        return wanted
    acronyms = (name for name in names if re.search(r"[A-Z]{2}", name))
    return next((name for name in acronyms if name.lower() == wanted.lower()), None)


def botocore_name(service: str) -> str:
    """Botocore's name of what the SDK for Java calls ``service``."""
    return _JAVA_NAMES.get(service) or service_named(service) or service
