"""What constructs are asked again and again, remembered: each question is a message to Node, half of a synthesis' time.

Only what never changes in a construct's life is remembered. docs/benchmarks.md says what the messages cost.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from aws_cdk import CfnResource, Duration, Stack
from aws_cdk import aws_kms as kms
from constructs import IConstruct

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


def asked_once(question: Callable[[_Asked], _Answer]) -> Callable[[_Asked], _Answer]:
    """``question``, which a construct answers the first time, and this function from then on."""
    answers: WeakKeyDictionary[_Asked, _Answer] = WeakKeyDictionary()

    @wraps(question)
    def ask(construct: _Asked) -> _Answer:
        if construct not in answers:
            answers[construct] = question(construct)
        return answers[construct]

    return ask


@asked_once
def stack_of(construct: IConstruct) -> Stack:
    """The stack that ``construct`` is in."""
    return Stack.of(construct)


@asked_once
def resource_of(construct: IConstruct) -> CfnResource:
    """The resource that ``construct`` stands for."""
    resource = construct.node.default_child
    assert isinstance(resource, CfnResource)
    return resource


def partition_of(construct: IConstruct) -> str:
    """``Stack.partition``, of the stack of ``construct``."""
    return _place(stack_of(construct))[0]


@asked_once
def seconds_of(duration: Duration) -> int:
    """``duration`` in whole seconds."""
    return int(duration.to_seconds())


@asked_once
def key_arn(key: kms.IKey) -> str:
    """The ARN of ``key``."""
    return key.key_arn


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
