"""Where events go that nobody could handle: one encrypted queue per stack, so that nothing is lost in silence."""

from aws_cdk import Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from mlplatform_cdk.core.acknowledgements import accept_checkov
from mlplatform_cdk.core.answers import asked_once, stack_of
from mlplatform_cdk.core.durations import days

_ID = "DeadLetters"


def dead_letters_of(scope: Construct) -> sqs.IQueue:
    """The dead-letter queue of the stack that ``scope`` is in; made by the first caller, kept 14 days (SQS's limit)."""
    return _queue_of(stack_of(scope))


@asked_once
def _queue_of(stack: Stack) -> sqs.IQueue:
    queue = sqs.Queue(
        stack,
        _ID,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=days(14),
    )
    reason = (
        "encrypted with SQS's own key: with a customer's, an event is lost when the key's policy misses its source, "
        "and events name objects and runs, never what is in them"
    )
    accept_checkov(queue, {"CKV_AWS_27": reason}, is_new=True)
    return queue
