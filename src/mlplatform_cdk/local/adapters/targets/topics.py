"""A topic passes a message on when the queue or the function lets it, as in AWS; functions are invoked as events.

moto asks nobody, waits for the function and tells it of a topic called EXAMPLE.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from moto.sns.models import Subscription

from mlplatform_cdk.local import role_clients
from mlplatform_cdk.local.adapters.iam import access
from mlplatform_cdk.local.adapters.targets import send

LOG = logging.getLogger(__name__)

PRINCIPAL = "sns.amazonaws.com"
ACTIONS = {"sqs": "sqs:SendMessage", "lambda": "lambda:InvokeFunction"}

_publish = Subscription.publish


def install() -> None:
    """Replace how a subscription gets its messages."""
    Subscription.publish = _publish_where_allowed


def _publish_where_allowed(
    subscription: Subscription, message: str, message_id: str, subject: str | None = None, **more: Any
) -> None:
    action = ACTIONS.get(subscription.protocol)
    if action is None:
        _publish(subscription, message, message_id, subject, **more)
        return
    objection = _objection(subscription, action)
    if objection is not None:
        LOG.warning("%s is not told of a message of %s: %s", subscription.endpoint, subscription.topic.arn, objection)
    elif subscription.protocol == "sqs":
        _publish(subscription, message, message_id, subject, **more)
    else:
        _invoke(subscription, message, message_id, subject, more)


def _objection(subscription: Subscription, action: str) -> str | None:
    target, topic = subscription.endpoint, subscription.topic.arn
    if not access.service_may(PRINCIPAL, action, target, source_arn=topic):
        return f"its policy does not let {PRINCIPAL} perform {action} for the topic"
    key = send.key_of(target)
    if key is not None and not access.service_may(PRINCIPAL, "kms:GenerateDataKey", key, source_arn=topic):
        return f"its key {key} does not let {PRINCIPAL} perform kms:GenerateDataKey"
    return None


def _invoke(
    subscription: Subscription, message: str, message_id: str, subject: str | None, more: dict[str, Any]
) -> None:
    matcher = subscription._filter_policy_matcher
    attributes = more.get("message_attributes") or {}
    if matcher is not None and not matcher.matches(attributes, message):
        return
    notification = {
        "Type": "Notification",
        "MessageId": message_id,
        "TopicArn": subscription.topic.arn,
        "Subject": subject,
        "Message": message,
        "Timestamp": datetime.now(tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "MessageAttributes": attributes,
    }
    record = {
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "EventSource": "aws:sns",
        "Sns": notification,
    }
    region = subscription.endpoint.split(":")[3]
    client = role_clients.client_for("lambda", region, role_arn=None, session_name="sns", principal=PRINCIPAL)
    client.invoke(FunctionName=subscription.endpoint, InvocationType="Event", Payload=json.dumps({"Records": [record]}))
