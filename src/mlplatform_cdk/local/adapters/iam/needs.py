"""The permissions that a call needs and the resources they name, as in AWS's service authorization reference."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from mlplatform_cdk.local.adapters.iam import (
    arns,
    needs_api_gateway,
    needs_s3,
    needs_sagemaker,
    needs_scaling,
    passed_roles,
)
from mlplatform_cdk.local.adapters.iam.calls import Call
from mlplatform_cdk.local.adapters.iam.encryption import key_needs
from mlplatform_cdk.local.adapters.iam.statements import Need

# API operations whose IAM action has another name.
ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "lambda:InvokeAsync": "lambda:InvokeFunction",
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "dynamodb:TransactGetItems": "dynamodb:GetItem",
    "xray:PutTelemetryRecords": "xray:PutTelemetryRecords",
}
# What a transaction needs is what each of its actions needs alone:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
_IN_TRANSACTIONS = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}
_OF_ONE_ITEM = {"DeleteItem": "Key", "GetItem": "Key", "PutItem": "Item", "UpdateItem": "Key"}


def of(call: Call) -> list[Need]:
    """All that ``call`` needs, in the order in which AWS would refuse it."""
    if call.prefix == "s3":
        own = needs_s3.of(call)
    elif call.prefix == "sagemaker":
        own = list(needs_sagemaker.of(call))
    elif call.prefix == "application-autoscaling":
        own = list(needs_scaling.of(call))
    elif call.prefix == "apigateway":
        own = needs_api_gateway.of(call)
    elif call.prefix == "dynamodb" and call.operation == "TransactWriteItems":
        own = list(_transaction(call))
    else:
        own = list(_plain(call))
    return [*own, *passed_roles.of(call), *key_needs(call)]


def _plain(call: Call) -> Iterator[Need]:
    action = f"{call.prefix}:{call.operation}"
    action = ACTIONS.get(action, action)
    context = _context(call)
    targets = arns.of(call)
    if not targets:
        yield Need(action=action, context=context)
    for resources in targets:
        yield Need(action=action, resources=resources, context=context)


def _transaction(call: Call) -> Iterator[Need]:
    kinds = {kind for item in call.parameters["TransactItems"] for kind in item}
    for kind in sorted(kinds):
        items = [item for item in call.parameters["TransactItems"] if kind in item]
        for resources in arns.of(replace(call, parameters={"TransactItems": items})):
            yield Need(action=f"dynamodb:{_IN_TRANSACTIONS[kind]}", resources=resources, context=_context(call))


def _context(call: Call) -> Mapping[str, list[str]]:
    parameters: Mapping[str, Any] = call.parameters
    if call.prefix == "cloudwatch" and "Namespace" in parameters:
        return {"cloudwatch:namespace": [parameters["Namespace"]]}
    if call.prefix == "dynamodb" and call.operation in _OF_ONE_ITEM:
        return _leading_keys(call)
    if call.prefix == "dynamodb" and call.operation == "Query":
        return _queried_key(parameters)
    if call.prefix == "kms":
        pairs = (parameters.get("EncryptionContext") or {}).items()
        return {f"kms:encryptioncontext:{key}".lower(): [value] for key, value in pairs}
    tags = parameters.get("Tags") or parameters.get("tags")
    if isinstance(tags, list) and tags and isinstance(tags[0], dict) and "Key" in tags[0]:
        found = {f"aws:requesttag/{tag['Key']}".lower(): [str(tag.get("Value", ""))] for tag in tags}
        return found | {"aws:tagkeys": [tag["Key"] for tag in tags]}
    return {}


def _queried_key(parameters: Mapping[str, Any]) -> Mapping[str, list[str]]:
    """The partition key's value, which a query names first here."""
    found = re.match(r"\(?\s*#?\w+\s*=\s*(:\w+)", parameters.get("KeyConditionExpression", ""))
    value = parameters.get("ExpressionAttributeValues", {}).get(found[1], {}) if found else {}
    return {"dynamodb:leadingkeys": [str(one) for one in value.values()]} if value else {}


def _leading_keys(call: Call) -> Mapping[str, list[str]]:
    """The partition key of the one item that the call is about."""
    from moto.dynamodb import dynamodb_backends  # with moto's parsers, which calls of other services do without

    name = str(call.parameters["TableName"]).rpartition("/")[2]
    table = dynamodb_backends[call.account][call.region].tables.get(name)
    item: Mapping[str, Mapping[str, Any]] = call.parameters[_OF_ONE_ITEM[call.operation]]
    value = item.get(table.hash_key_attr, {}) if table else {}
    return {"dynamodb:leadingkeys": [str(one) for one in value.values()]} if value else {}
