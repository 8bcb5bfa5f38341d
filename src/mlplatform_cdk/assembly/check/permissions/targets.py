"""On which resource a call is made, where the template says so, and whether a role's statements reach it.

Only what is certain is judged: an ARN in full, or a reference to a resource of the same template, on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mlplatform_cdk.assembly.check.loose import mapping
from mlplatform_cdk.assembly.check.permissions.roles import Allowed
from mlplatform_cdk.assembly.check.references import References, is_mark, is_marked, marks, unmarked

# Which parameter names the resource of an action, and what makes an ARN of a name.
_BY_ARN = {"sns:Publish": "TopicArn", "states:StartExecution": "StateMachineArn", "iam:PassRole": "RoleArn"}
_BY_NAME = {
    "lambda:InvokeFunction": ("FunctionName", "AWS::Lambda::Function"),
    "sqs:SendMessage": ("QueueUrl", "AWS::SQS::Queue"),
    **{f"dynamodb:{name}Item": ("TableName", "AWS::DynamoDB::Table") for name in ("Delete", "Get", "Put", "Update")},
    **{f"dynamodb:{name}": ("TableName", "AWS::DynamoDB::Table") for name in ("Query", "Scan")},
    **{f"s3:{name}Object": ("Bucket", "AWS::S3::Bucket") for name in ("Delete", "Get", "Put")},
}
_OBJECTS = "s3:"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
PARAMETERS = frozenset({*_BY_ARN.values(), *(name for name, _ in _BY_NAME.values())})


@dataclass(frozen=True, slots=True)
class Target:
    """One call of ``action`` on ``arn``, whose unknown parts are marks that name resources of the template."""

    action: str
    arn: str
    place: str


def targets(
    actions: Iterable[str], parameters: Mapping[str, object], references: References, place: str
) -> Iterator[Target]:
    """What a call with these ``parameters`` is made on; nothing where only a run knows it."""
    for action in actions:
        name, kind = _BY_NAME.get(action, (_BY_ARN.get(action, ""), ""))
        value = parameters.get(name)
        arn = _arn(value, kind, references) if isinstance(value, str) else None
        if arn is not None:
            yield Target(action, arn, place)


def out_of_reach(may: Allowed, target: Target, references: References) -> tuple[str, ...]:
    """The resources on which the role allows the action, where none of them is the target's; empty where one may be."""
    found = may.resources(target.action)
    if any(_may_be(pattern, target, references) for pattern in found):
        return ()
    return tuple(sorted({unmarked(one) for one in found}))


def _arn(value: str, kind: str, references: References) -> str | None:
    if value.startswith("arn:"):
        return value
    if not kind or not value:
        return None
    name = unmarked(value)
    if is_mark(value):
        known = mapping(mapping(references.template.get("Resources")).get(name)).get("Type") == kind
        return references.arn(kind, value) if known else None
    return references.arn(kind, value) if _NAME.fullmatch(value) else None


def _may_be(pattern: str, target: Target, references: References) -> bool:
    """Whether the pattern covers the target, or nobody can tell before a deployment."""
    arn = target.arn
    if target.action.startswith(_OBJECTS):
        bucket, _, _ = pattern.partition("/")
        pattern = bucket  # of the key, only the run knows
    if fnmatchcase(arn, _plain(pattern)) or arn == pattern:
        return True
    return not (_certain(pattern, references) and _certain(arn, references)) or is_marked(pattern) != is_marked(arn)


def _plain(pattern: str) -> str:
    """The pattern with everything but ``*`` and ``?`` meant literally."""
    return pattern.replace("[", "[[]")


def _certain(arn: str, references: References) -> bool:
    """Whether each unknown part is the name of a resource of this template, and so no other's."""
    resources = mapping(references.template.get("Resources"))
    return not is_mark(arn) and all(name in resources for name in marks(arn))
