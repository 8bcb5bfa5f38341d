"""One message to one resource, as a role or by leave of the resource's own policy."""

from __future__ import annotations

from typing import Any

from moto.kms.models import kms_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends
from moto.utilities.utils import get_partition

from mlplatform_cdk.local import role_clients
from mlplatform_cdk.local.adapters.iam import access

LAMBDA = "lambda.amazonaws.com"
ACTIONS = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}


class Refused(Exception):
    """The resource's policy, or the role's, does not allow the message."""


def send_as_role(
    role_arn: str, target_arn: str, body: str, region: str, *, attributes: dict[str, str] | None = None
) -> None:
    """Send ``body`` to a queue, topic, function or bus with the rights of ``role_arn``, as Lambda does for failures.

    :param role_arn: the role of the function.
    :param target_arn: where to.
    :param body: JSON.
    :param region: where the function is.
    :param attributes: message attributes, by name; default: none.
    """
    service = target_arn.split(":")[2]
    client = role_clients.client_for(service, region, role_arn=role_arn, session_name="lambda", principal=LAMBDA)
    values: dict[str, Any] = {
        name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items() if value
    }
    if service == "sqs":
        client.send_message(QueueUrl=_queue_url(target_arn), MessageBody=body, MessageAttributes=values)
    elif service == "sns":
        client.publish(TopicArn=target_arn, Message=body, MessageAttributes=values)
    elif service == "lambda":
        client.invoke(FunctionName=target_arn, InvocationType="Event", Payload=body)
    elif service == "events":
        entry = {"Source": "lambda", "DetailType": "Lambda Function Invocation Result", "Detail": body}
        client.put_events(Entries=[entry | {"EventBusName": target_arn}])
    else:
        raise Refused(f"{target_arn} can receive nothing from Lambda")


def send_as_service(
    principal: str,
    target_arn: str,
    body: str,
    source_arn: str,
    *,
    attributes: dict[str, str] | None = None,
    group: str | None = None,
) -> None:
    """Send ``body`` to a queue, topic or function whose own policy must let the service in.

    :param principal: the service, such as ``events.amazonaws.com``.
    :param target_arn: where to.
    :param body: JSON.
    :param source_arn: what the service acts for, such as a rule.
    :param attributes: message attributes, by name; default: none.
    :param group: the message group of a FIFO queue; default: none.
    """
    _, _, service, region, account, name = target_arn.split(":", 5)
    action = ACTIONS[service]
    if not access.service_may(principal, action, target_arn, source_arn=source_arn):
        raise Refused(f"the policy of {target_arn} does not let {principal} perform {action} for {source_arn}")
    key = key_of(target_arn)
    if key and not access.service_may(principal, "kms:GenerateDataKey", key, source_arn=source_arn):
        raise Refused(f"the key {key} of {target_arn} does not let {principal} perform kms:GenerateDataKey")
    values = {key: {"DataType": "String", "StringValue": value} for key, value in (attributes or {}).items() if value}
    if service == "sqs":
        sqs_backends[account][region].send_message(name, body, message_attributes=values, group_id=group)
    elif service == "sns":
        sns_backends[account][region].publish(body, arn=target_arn, message_attributes={})
    else:
        client = role_clients.client_for("lambda", region, role_arn=None, session_name="events", principal=principal)
        client.invoke(FunctionName=target_arn, InvocationType="Event", Payload=body)


def _queue_url(arn: str) -> str:
    return f"http://localhost/{arn.split(':')[4]}/{arn.rsplit(':', 1)[-1]}"


def key_of(arn: str) -> str | None:
    """The customer's key that encrypts a queue or a topic; None where AWS owns the key.

    :param arn: the queue or topic.
    """
    _, _, service, region, account, name = arn.split(":", 5)
    holder = None
    if service == "sqs":
        holder = sqs_backends[account][region].queues.get(name)
    elif service == "sns":
        holder = sns_backends[account][region].topics.get(arn)
    key = getattr(holder, "kms_master_key_id", None)
    if not key or "alias/aws/" in key:
        return None
    return key if ":key/" in key else _key_arn(key, account, region)


def _key_arn(key: str, account: str, region: str) -> str:
    backend = kms_backends[account][region]
    found = backend.get_key_id_from_alias(key) if key.startswith("alias/") else key
    return f"arn:{get_partition(region)}:kms:{region}:{account}:key/{found}"
