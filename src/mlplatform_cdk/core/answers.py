"""What constructs are asked again and again, remembered: each question is a message to Node, half of a synthesis' time.

Only what never changes in a construct's life is remembered. docs/benchmarks.md says what the messages cost.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from aws_cdk import CfnResource, Duration, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import IConstruct

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


class AskedOnce(Generic[_Asked, _Answer]):
    """A question that a construct answers the first time, and this object from then on."""

    def __init__(self, question: Callable[[_Asked], _Answer]) -> None:
        self._question = question
        self._answers: WeakKeyDictionary[_Asked, _Answer] = WeakKeyDictionary()
        update_wrapper(self, question)

    def __call__(self, construct: _Asked) -> _Answer:
        """The answer of ``construct``."""
        if construct not in self._answers:
            self._answers[construct] = self._question(construct)
        return self._answers[construct]

    def tell(self, construct: _Asked, answer: _Answer) -> None:
        """What ``construct`` would answer, where the caller knows it."""
        self._answers[construct] = answer


def asked_once(question: Callable[[_Asked], _Answer]) -> AskedOnce[_Asked, _Answer]:
    """``question``, which a construct is asked no second time."""
    return AskedOnce(question)


@asked_once
def stack_of(construct: IConstruct) -> Stack:
    """The stack that ``construct`` is in; a stack is in itself."""
    return construct if isinstance(construct, Stack) else Stack.of(construct)


@asked_once
def resource_of(construct: IConstruct) -> CfnResource:
    """The resource that ``construct`` stands for."""
    resource = construct.node.default_child
    assert isinstance(resource, CfnResource)
    return resource


def partition_of(construct: IConstruct) -> str:
    """``Stack.partition``, of the stack of ``construct``."""
    return _place(stack_of(construct))[0]


def region_of(construct: IConstruct) -> str:
    """``Stack.region``, of the stack of ``construct``."""
    return _place(stack_of(construct))[1]


def account_of(construct: IConstruct) -> str:
    """``Stack.account``, of the stack of ``construct``."""
    return _place(stack_of(construct))[2]


@asked_once
def seconds_of(duration: Duration) -> int:
    """``duration`` in whole seconds."""
    return int(duration.to_seconds())


@asked_once
def key_arn(key: kms.IKey) -> str:
    """The ARN of ``key``."""
    return key.key_arn


@asked_once
def queue_arn(queue: sqs.IQueue) -> str:
    """The ARN of ``queue``."""
    return queue.queue_arn


def arn_of(
    construct: IConstruct, service: str, resource: str, *, region: str | None = None, account: str | None = None
) -> str:
    """The ARN that ``Stack.format_arn`` writes, in the stack of ``construct``.

    :param service: as in ARNs, such as ``sagemaker``.
    :param resource: kind, separator and name, such as ``endpoint/churn`` or ``log-group:/aws/sagemaker/*``.
    :param region: empty for what has no region; default: the stack's.
    :param account: who owns it; default: the stack's.
    """
    partition, here, ours = _place(stack_of(construct))
    return ":".join(
        ("arn", partition, service, here if region is None else region, ours if account is None else account, resource)
    )


@asked_once
def _place(stack: Stack) -> tuple[str, str, str]:
    return stack.partition, stack.region, stack.account
