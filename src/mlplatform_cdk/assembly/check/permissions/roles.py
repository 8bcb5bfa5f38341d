"""What a role may do, by all the policies of its template that are attached to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from mlplatform_cdk.assembly.check.loose import listed, mapping, mappings, texts
from mlplatform_cdk.assembly.check.references import unmarked
from mlplatform_cdk.assembly.check.templates import Resource, Template

_ATTACHED = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy")
# Managed policies of AWS that a role of a function commonly has:
# https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
_OF_AWS = {
    "service-role/AWSLambdaBasicExecutionRole": ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"),
    "service-role/AWSLambdaVPCAccessExecutionRole": ("logs:*", "ec2:*NetworkInterface*", "ec2:DescribeSubnets"),
    "AWSXRayDaemonWriteAccess": ("xray:*",),
    "AWSXrayWriteOnlyAccess": ("xray:*",),
}


@dataclass(frozen=True, slots=True)
class Denial:
    """What a statement forbids on every resource, whatever else allows it.

    :param others: everything but ``actions``.
    """

    actions: tuple[str, ...]
    others: bool = False

    def __contains__(self, action: str) -> bool:
        return any(covers(pattern, action) for pattern in self.actions) is not self.others


@dataclass(frozen=True, slots=True)
class Allowed:
    """The actions that a role may take.

    :param actions: as the policies spell them, stars included.
    :param statements: actions and resources of each statement that allows, resources as texts with marks.
    :param opaque: a policy is not in this template, or says what is not allowed: absence proves nothing.
    :param denials: what no statement can allow.
    """

    actions: frozenset[str]
    opaque: bool = False
    statements: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    denials: tuple[Denial, ...] = ()

    def __contains__(self, action: str) -> bool:
        return any(covers(pattern, action) for pattern in self.actions) and not self.denies(action)

    def denies(self, action: str) -> bool:
        """Whether a statement forbids it everywhere, without a condition."""
        return any(action in one for one in self.denials)

    def resources(self, action: str) -> tuple[str, ...]:
        """On what it may be taken, ``*`` where a statement does not say."""
        return tuple(
            resource
            for actions, resources in self.statements
            if any(covers(pattern, action) for pattern in actions)
            for resource in resources
        )


def covers(pattern: str, action: str) -> bool:
    """Whether a policy's ``pattern`` allows ``action``; IAM reads both without regard to case."""
    return fnmatchcase(action.lower(), pattern.lower())


def role_of(resource: Resource, property_name: str) -> Resource | None:
    """The role that a property of ``resource``, at a dotted path, names, where it stands in the same template."""
    match resource.get(property_name):
        case {"Fn::GetAtt": [str() as name, "Arn"]} | {"Fn::GetAtt": str() as name}:
            name = name.removesuffix(".Arn")
            return next((one for one in resource.template.of_type("AWS::IAM::Role") if one.logical_id == name), None)
    return None


def allowed(role: Resource) -> Allowed:
    """What ``role`` may do."""
    actions: set[str] = set()
    statements: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    opaque = False
    for document in (*_documents(role), *_of_resources(role)):
        for statement in mappings(document.get("Statement")):
            named = listed(statement.get("Action"))
            # A condition of the template decides over what is no plain statement.
            opaque |= "Effect" not in statement or any(not isinstance(one, str) for one in named)
            if statement.get("Effect") == "Allow":
                allows = tuple(one for one in named if isinstance(one, str))
                actions.update(allows)
                on = [role.template.references.text(one) for one in listed(statement.get("Resource"))]
                statements.append((allows, tuple(on) or ("*",)))
                opaque |= "NotAction" in statement
    for policy in listed(role.properties.get("ManagedPolicyArns")):
        if _own(role.template, policy):
            continue
        name = unmarked(role.template.references.text(policy)).partition(":policy/")[2]
        actions.update(_OF_AWS.get(name, ()))
        statements.append((_OF_AWS.get(name, ()), ("*",)))
        opaque |= name not in _OF_AWS
    return Allowed(frozenset(actions), opaque, tuple(statements), tuple(_denials(role)))


def users(role: Resource) -> Iterator[Resource]:
    """The resources of the template that act under ``role``, or hand it on."""
    for resource in role.template.resources:
        if not resource.type.startswith("AWS::IAM::") and _mentions(resource.properties, role.logical_id):
            yield resource


def _denials(role: Resource) -> Iterator[Denial]:
    for document in _documents(role, certain=True):
        for statement in mappings(document.get("Statement")):
            everywhere = "*" in listed(statement.get("Resource")) and "Condition" not in statement
            if statement.get("Effect") == "Deny" and everywhere:
                yield Denial(tuple(texts(statement.get("Action"))))
                but = listed(statement.get("NotAction"))
                if but and but == texts(but):
                    yield Denial(tuple(but), others=True)


def _documents(role: Resource, *, certain: bool = False) -> Iterator[Mapping[str, Any]]:
    """The policies of ``role``.

    :param certain: without those that a condition of the template decides.
    """
    for policy in mappings(role.properties.get("Policies")):
        yield mapping(policy.get("PolicyDocument"))
    attached = [_own(role.template, one) for one in listed(role.properties.get("ManagedPolicyArns"))]
    for resource in role.template.of_type(*_ATTACHED):
        roles = [*listed(resource.properties.get("Roles")), resource.properties.get("RoleName")]
        if certain and "Condition" in resource.document:
            continue
        if resource.logical_id in attached or {"Ref": role.logical_id} in roles:
            yield mapping(resource.properties.get("PolicyDocument"))


def _of_resources(role: Resource) -> Iterator[Mapping[str, Any]]:
    """Policies of buckets, keys and queues that let ``role`` in by name."""
    for resource in role.template.resources:
        for name in ("PolicyDocument", "KeyPolicy", "ResourcePolicy"):
            document = resource.properties.get(name)
            if resource.type.startswith("AWS::IAM::") or not isinstance(document, Mapping):
                continue
            statements = [
                one for one in mappings(document.get("Statement")) if _mentions(one.get("Principal"), role.logical_id)
            ]
            yield {"Statement": statements}


def _own(template: Template, policy: Any) -> str | None:
    name = policy.get("Ref") if isinstance(policy, Mapping) else None
    return name if isinstance(name, str) and name in template.document.get("Resources", {}) else None


def _mentions(value: Any, logical_id: str) -> bool:
    match value:
        case {"Fn::GetAtt": [str() as name, _]} | {"Ref": str() as name}:
            return name == logical_id
        case dict():
            return any(_mentions(one, logical_id) for one in value.values())
        case list():
            return any(_mentions(one, logical_id) for one in value)
    return False
