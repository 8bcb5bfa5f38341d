"""What constructs are asked again and again, remembered: each question is a message to Node, half of a synthesis' time.

Only what never changes in a construct's life is remembered. docs/benchmarks.md says what the messages cost.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from aws_cdk import CfnResource, Duration, ICfnResourceOptions, Stack
from constructs import IConstruct

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sns as sns
    from aws_cdk import aws_sqs as sqs
    from aws_cdk import aws_stepfunctions as sfn

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")


class AskedOnce(Generic[_Asked, _Answer]):
    """A question that a construct answers the first time, and this object from then on.

    A construct is known by jsii's own name for it, as several objects of Python may stand for one of Node's: a bucket
    hands out another one each time that it is asked for its key. jsii keeps what it has named until the process ends,
    so that answers that are kept as long keep nothing else alive.
    """

    def __init__(self, question: Callable[[_Asked], _Answer]) -> None:
        self._question = question
        self._answers: dict[str, _Answer] = {}
        update_wrapper(self, question)

    def __call__(self, construct: _Asked) -> _Answer:
        """The answer of ``construct``."""
        name = _name_of(construct)
        if name not in self._answers:
            self._answers[name] = self._question(construct)
        return self._answers[name]

    def tell(self, construct: _Asked, answer: _Answer) -> None:
        """What ``construct`` would answer, where the caller knows it."""
        self._answers[_name_of(construct)] = answer


def _name_of(construct: Any) -> str:
    return str(construct.__jsii_ref__.ref)


def asked_once(question: Callable[[_Asked], _Answer]) -> AskedOnce[_Asked, _Answer]:
    """``question``, which a construct is asked no second time."""
    return AskedOnce(question)


@asked_once
def stack_of(construct: IConstruct) -> Stack:
    """The stack that ``construct`` is in; a stack is in itself."""
    return construct if isinstance(construct, Stack) else Stack.of(construct)


@asked_once
def default_child_of(construct: IConstruct) -> IConstruct | None:
    """What CDK takes for the one child that matters: the resource of what is made here, None of what is borrowed."""
    return construct.node.default_child


def resource_of(construct: IConstruct) -> CfnResource:
    """The resource that ``construct`` stands for."""
    resource = default_child_of(construct)
    assert isinstance(resource, CfnResource)
    return resource


@asked_once
def options_of(resource: CfnResource) -> ICfnResourceOptions:
    """The attributes of ``resource`` beside its properties: policies of deletion, conditions, metadata."""
    return resource.cfn_options


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
def key_arn(key: "kms.IKey") -> str:
    """The ARN of ``key``."""
    return key.key_arn


@asked_once
def encryption_key(bucket: "s3.IBucket") -> "kms.IKey | None":
    """The key of ``bucket``."""
    return bucket.encryption_key


@asked_once
def bucket_name(bucket: "s3.IBucket") -> str:
    """The name of ``bucket``."""
    return bucket.bucket_name


@asked_once
def bucket_arn(bucket: "s3.IBucket") -> str:
    """The ARN of ``bucket``."""
    return bucket.bucket_arn


@asked_once
def queue_arn(queue: "sqs.IQueue") -> str:
    """The ARN of ``queue``."""
    return queue.queue_arn


@asked_once
def topic_arn(topic: "sns.ITopic") -> str:
    """The ARN of ``topic``."""
    return topic.topic_arn


@asked_once
def role_arn(role: "iam.IRole") -> str:
    """The ARN of ``role``."""
    return role.role_arn


@asked_once
def function_arn(function: "lambda_.IFunction") -> str:
    """The ARN of ``function``."""
    return function.function_arn


@asked_once
def machine_arn(machine: "sfn.IStateMachine") -> str:
    """The ARN of ``machine``."""
    return machine.state_machine_arn


@asked_once
def machine_name(machine: "sfn.StateMachine") -> str:
    """The name of ``machine``."""
    return machine.state_machine_name


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
    _, partition, _, region, account, _ = stack.format_arn(service="any", resource="any").split(":")
    return partition, region, account
