"""The ARNs that a call names, by the parameters of its API; what is not derivable is left to the action alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.utilities.utils import get_partition

from mlplatform_cdk.local.adapters.iam.calls import Call

Alternatives = tuple[str, ...]


def of(call: Call) -> list[Alternatives]:
    """For each resource that the call needs, the ARNs that policies may name it by; empty where none is derivable."""
    rule = _RULES.get(call.prefix)
    return [] if rule is None else [found for found in rule(call) if found]


def make(call: Call, rest: str, *, service: str | None = None) -> str:
    """An ARN of the call's service, region and account.

    :param call: the call.
    :param rest: what follows the account.
    :param service: the ARN's service; default: the call's.
    """
    return f"arn:{get_partition(call.region)}:{service or call.prefix}:{call.region}:{call.account}:{rest}"


def key_arn(call: Call, key: str) -> str:
    """A KMS key's ARN, by its id, alias or ARN."""
    if ":key/" in key:
        return key
    backend = kms_backends[call.account][call.region]
    alias = key.rsplit(":", 1)[-1] if ":alias/" in key else key
    found = backend.get_key_id_from_alias(alias) if alias.startswith("alias/") else key
    return make(call, f"key/{found or alias}", service="kms")


def _named(call: Call, parameter: str, template: str) -> Alternatives:
    value = call.parameters.get(parameter)
    if not isinstance(value, str):
        return ()
    return (value,) if value.startswith("arn:") else (make(call, template.format(value)),)


def _sqs(call: Call) -> list[Alternatives]:
    url = call.parameters.get("QueueUrl") or call.parameters.get("QueueName")
    return [(make(call, str(url).rsplit("/", 1)[-1]),)] if url else []


def _sns(call: Call) -> list[Alternatives]:
    if "Name" in call.parameters and call.operation == "CreateTopic":
        return [(make(call, call.parameters["Name"]),)]
    return [_named(call, name, "{}") for name in ("TopicArn", "TargetArn", "ResourceArn")]


def _states(call: Call) -> list[Alternatives]:
    if call.operation == "CreateStateMachine":
        return [(make(call, f"stateMachine:{call.parameters['name']}"),)]
    return [_named(call, name, "{}") for name in ("stateMachineArn", "executionArn", "activityArn", "resourceArn")]


def _lambda(call: Call) -> list[Alternatives]:
    name = call.parameters.get("FunctionName")
    if not isinstance(name, str):
        return []
    whole = name if name.startswith("arn:") else make(call, f"function:{name.rsplit(':function:')[-1]}")
    plain = ":".join(whole.split(":")[:7])
    qualifier = call.parameters.get("Qualifier") or (whole.split(":")[7] if whole.count(":") > 6 else None)  # noqa: PLR2004
    return [(f"{plain}:{qualifier}",) if qualifier else (plain,)]


def _kms(call: Call) -> list[Alternatives]:
    key = call.parameters.get("KeyId")
    return [(key_arn(call, key),)] if isinstance(key, str) else []


def _ssm(call: Call) -> list[Alternatives]:
    if "Path" in call.parameters:
        path = str(call.parameters["Path"]).strip("/")
        return [(make(call, f"parameter/{path}"), make(call, f"parameter/{path}/*"))]
    if "Automation" in call.operation:
        return [_automation(call)]
    names: Sequence[str] = call.parameters.get("Names") or [call.parameters.get("Name") or ""]
    if "Parameter" not in call.operation:
        return []
    return [_named_parameter(call, name) for name in names if name]


def _automation(call: Call) -> Alternatives:
    """A document by either of its names, or an execution."""
    execution, document = call.parameters.get("AutomationExecutionId"), call.parameters.get("DocumentName")
    if execution:
        return (make(call, f"automation-execution/{execution}"),)
    if not document:
        return ()
    name, version = str(document).rsplit("/", 1)[-1], call.parameters.get("DocumentVersion") or "$DEFAULT"
    return (make(call, f"automation-definition/{name}:{version}"), make(call, f"document/{name}"))


def _named_parameter(call: Call, name: str) -> Alternatives:
    return (name,) if name.startswith("arn:") else (make(call, f"parameter/{name.lstrip('/')}"),)


def _logs(call: Call) -> list[Alternatives]:
    group = call.parameters.get("logGroupName") or call.parameters.get("logGroupIdentifier")
    if not isinstance(group, str):
        return []
    base = group.removesuffix(":*") if group.startswith("arn:") else make(call, f"log-group:{group}")
    stream = call.parameters.get("logStreamName")
    return [(f"{base}:log-stream:{stream}",) if stream else (f"{base}:*", base, f"{base}:log-stream:")]


def _events(call: Call) -> list[Alternatives]:
    if call.operation == "PutEvents":
        buses = {entry.get("EventBusName") or "default" for entry in call.parameters.get("Entries", [])}
        return [(bus if bus.startswith("arn:") else make(call, f"event-bus/{bus}"),) for bus in sorted(buses)]
    return [_named(call, name, "rule/{}") for name in ("Rule", "Name")]


def _dynamodb(call: Call) -> list[Alternatives]:
    tables = list(call.parameters.get("RequestItems") or {})
    named = ("TableName", "SourceTableName", "TargetTableName")
    tables += [call.parameters[name] for name in named if name in call.parameters]
    for item in call.parameters.get("TransactItems") or []:
        tables += [inner["TableName"] for inner in item.values() if "TableName" in inner]
    index = call.parameters.get("IndexName")
    tail = f"/index/{index}" if index else ""
    return [
        ((name if name.startswith("arn:") else make(call, f"table/{name}")) + tail,) for name in dict.fromkeys(tables)
    ]


def _secretsmanager(call: Call) -> list[Alternatives]:
    name = call.parameters.get("SecretId")
    if not isinstance(name, str):
        return []
    secret = secretsmanager_backends[call.account][call.region].secrets.get(name)
    return [(secret.arn if secret is not None else make(call, f"secret:{name}"),)]


def _iam(call: Call) -> list[Alternatives]:
    role = call.parameters.get("RoleName")
    return [(f"arn:{get_partition(call.region)}:iam::{call.account}:role/{role}",)] if role else []


def _cloudformation(call: Call) -> list[Alternatives]:
    name = call.parameters.get("StackName")
    if not isinstance(name, str):
        return []
    return [(name,) if name.startswith("arn:") else (make(call, f"stack/{name}/0"),)]


_RULES: dict[str, Callable[[Call], list[Any]]] = {
    "cloudformation": _cloudformation,
    "dynamodb": _dynamodb,
    "ecr": lambda call: [_named(call, "repositoryName", "repository/{}")],
    "events": _events,
    "iam": _iam,
    "kms": _kms,
    "lambda": _lambda,
    "logs": _logs,
    "secretsmanager": _secretsmanager,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
    "states": _states,
    "sts": lambda call: [_named(call, "RoleArn", "{}")],
}
