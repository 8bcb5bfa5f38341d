"""Who holds which permissions in a stack: each identity with all its policies, each resource with its own policy."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.canonical import policies
from mlplatform_cdk.assembly.diff.canonical.policies import Permission

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlplatform_cdk.assembly.diff.canonical import Resource

_IDENTITIES = {"AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"}
_ATTACHED = {
    "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy",
    "AWS::IAM::GroupPolicy",
}  # fmt: skip
_TO_MANY, _TO_ONE = ("Roles", "Users", "Groups"), ("RoleName", "UserName", "GroupName")
_REFERENCE = re.compile(r"\$\{([A-Za-z0-9]+)(\.Arn)?\}")
_CALL = "AWS::Lambda::Permission"
_SOURCES = {
    "SourceArn": "aws:sourcearn",
    "SourceAccount": "aws:sourceaccount",
    "PrincipalOrgID": "aws:principalorgid",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission, and the resource whose statement says so."""

    permission: Permission
    statement: str
    resource: Resource


def identities(resources: Mapping[str, Resource]) -> dict[str, list[Grant]]:
    """What each role, user and group may do by all its policies together; by logical id, or by name where not ours."""
    found: dict[str, list[Grant]] = {one.logical_id: [] for one in resources.values() if one.type in _IDENTITIES}
    for resource in resources.values():
        if resource.type in _IDENTITIES:
            for inline in resource.properties.get("Policies") or ():
                found[resource.logical_id].extend(_grants(inline.get("PolicyDocument"), resource))
            found[resource.logical_id].extend(_managed(resource, resources))
        elif resource.type in _ATTACHED:
            for holder in _holders(resource, resources) or [resource.logical_id]:
                found.setdefault(holder, []).extend(_grants(resource.properties.get("PolicyDocument"), resource))
    return found


def resource_policies(resources: Mapping[str, Resource]) -> dict[str, list[Grant]]:
    """What the policies of resources, trust policies included, allow to whom; by logical id and place."""
    found: dict[str, list[Grant]] = {}
    for resource in resources.values():
        if resource.type == _CALL:
            place = f"calls of {resource.properties.get('FunctionName')}"
            found.setdefault(place, []).append(_call(resource))
        elif resource.type not in _ATTACHED:
            for path, document in _documents((), resource.properties):
                if path[0] != "Policies":
                    found[f"{resource.logical_id} {'.'.join(path)}"] = list(_grants(document, resource))
    return found


def _grants(document: Any, resource: Resource) -> Iterator[Grant]:
    if not policies.is_policy(document):
        return
    for statement in document["Statement"]:
        for permission in itertools.islice(policies.of_statement(statement), policies.LIMIT):
            yield Grant(permission, policies.text(statement), resource)


def _managed(resource: Resource, resources: Mapping[str, Resource]) -> Iterator[Grant]:
    for arn in resource.properties.get("ManagedPolicyArns") or ():
        if _own(str(arn), resources) is None:
            yield Grant(Permission("Allow", "", f"managed policy {arn}", ""), str(arn), resource)


def _holders(policy: Resource, resources: Mapping[str, Resource]) -> list[str]:
    named = [str(one) for key in _TO_MANY for one in policy.properties.get(key) or ()]
    named += [str(policy.properties[key]) for key in _TO_ONE if key in policy.properties]
    found = [_own(one, resources) or one for one in named]
    for one in resources.values():
        arns = one.properties.get("ManagedPolicyArns") or () if one.type in _IDENTITIES else ()
        if any(_own(str(arn), resources) == policy.logical_id for arn in arns):
            found.append(one.logical_id)
    return list(dict.fromkeys(found))


def _own(text: str, resources: Mapping[str, Resource]) -> str | None:
    match = _REFERENCE.fullmatch(text)
    return match[1] if match and match[1] in resources else None


def _documents(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if policies.is_policy(value):
        yield path, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _documents((*path, name), member)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _documents((*path, str(index)), member)


def _call(resource: Resource) -> Grant:
    given = resource.properties
    condition = {name: [str(given[key])] for key, name in _SOURCES.items() if key in given}
    permission = Permission(
        effect="Allow",
        principal=str(given.get("Principal")),
        action=str(given.get("Action")).lower(),
        resource=str(given.get("FunctionName")),
        condition=policies.text({"ArnLike": condition}) if condition else "",
    )
    return Grant(permission, resource.logical_id, resource)
