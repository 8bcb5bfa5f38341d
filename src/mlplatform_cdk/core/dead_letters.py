"""Where events go that nobody could handle: one encrypted queue per stack, so that nothing is lost in silence."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct

_ID = "DeadLetters"


def dead_letters_of(scope: Construct) -> sqs.IQueue:
    """The dead-letter queue of the stack that ``scope`` is in; made by the first caller, kept 14 days (SQS's limit)."""
    stack = Stack.of(scope)
    existing = stack.node.try_find_child(_ID)
    if existing is not None:
        return existing  # type: ignore[return-value] # only this function makes a child of this id
    return sqs.Queue(
        stack,
        _ID,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
    )
