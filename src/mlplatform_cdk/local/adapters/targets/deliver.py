"""One event to one target, again after a failure, and to the dead-letter queue in the end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from mlplatform_cdk.local import clock, role_clients, roles
from mlplatform_cdk.local.adapters.targets import send, transform

if TYPE_CHECKING:
    from moto.events.models import Rule

LOG = logging.getLogger(__name__)

PRINCIPAL = "events.amazonaws.com"
MOST_RETRIES = 5  # AWS tries for a day, which a rehearsal has no use for
RETRY_SECONDS = 10.0
PERMANENT = (
    "AccessDeniedException",
    "AccessDenied",
    "StateMachineDoesNotExist",
    "ResourceNotFoundException",
    "InvalidExecutionInput",
    "ValidationException",
    "InvalidArn",
)


def to_target(rule: Rule, target: dict[str, Any], event: dict[str, Any], ingested: float) -> None:
    """Deliver ``event``; where that fails for good, leave it in the target's dead-letter queue.

    :param rule: the rule that matched.
    :param target: its target.
    :param event: the event, as targets see it.
    :param ingested: when the bus received it.
    """
    reserved = {
        "aws.events.rule-arn": rule.arn,
        "aws.events.rule-name": rule.name,
        "aws.events.event.ingestion-time": ingested,
        "aws.events.event": event,
        "aws.events.event.json": event,
    }
    retries = min(int((target.get("RetryPolicy") or {}).get("MaximumRetryAttempts", MOST_RETRIES)), MOST_RETRIES)
    for attempt in range(retries + 1):
        try:
            _once(rule, target, transform.body_of(target, event, reserved), event)
        except (ClientError, BotoCoreError, send.Refused, roles.RoleCannotBeAssumed, ValueError) as failure:
            code, message = _why(failure)
            LOG.warning("the rule %s could not deliver to %s: %s", rule.name, target["Arn"], message)
            if attempt == retries or _is_permanent(failure, code):
                _give_up(rule, target, event, code, message)
                return
            clock.sleep(RETRY_SECONDS)
        else:
            return


def _once(rule: Rule, target: dict[str, Any], body: str, event: dict[str, Any]) -> None:
    arn = target["Arn"]
    service = arn.split(":")[2]
    if service == "states":
        if not target.get("RoleArn"):
            raise send.Refused(f"the target {arn} has no role to start executions with")
        client = role_clients.client_for(
            "stepfunctions", arn.split(":")[3], role_arn=target["RoleArn"], session_name=rule.name, principal=PRINCIPAL
        )
        client.start_execution(stateMachineArn=arn, name=_execution_name(event, target), input=body)
        return
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    send.send_as_service(PRINCIPAL, arn, body, rule.arn, group=group)


def _execution_name(event: dict[str, Any], target: dict[str, Any]) -> str:
    """EventBridge names executions after the event, so that a second attempt starts none twice."""
    return f"{event['id']}_{target['Id']}"[:80].replace("/", "-")


def _why(failure: Exception) -> tuple[str, str]:
    if isinstance(failure, ClientError):
        return failure.response["Error"]["Code"], failure.response["Error"]["Message"]
    return "NO_PERMISSIONS" if isinstance(failure, send.Refused) else type(failure).__name__, str(failure)


def _is_permanent(failure: Exception, code: str) -> bool:
    return code in PERMANENT or isinstance(failure, (send.Refused, roles.RoleCannotBeAssumed, ValueError))


def _give_up(rule: Rule, target: dict[str, Any], event: dict[str, Any], code: str, message: str) -> None:
    queue = (target.get("DeadLetterConfig") or {}).get("Arn")
    if not queue:
        LOG.warning("the rule %s drops an event: its target %s has no dead-letter queue", rule.name, target["Arn"])
        return
    body = transform.body_of({}, event, {})
    attributes = {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": code,
        "ERROR_MESSAGE": message[:1024],
    }
    send.send_as_service(PRINCIPAL, queue, body, rule.arn, attributes=attributes)
