"""Who holds which permissions in a stack: each identity with all its policies, each resource with its own policy."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.canonical import branches, policies
from mlplatform_cdk.assembly.diff.canonical.policies import Permission
from mlplatform_cdk.assembly.diff.canonical.resource import references
from mlplatform_cdk.assembly.diff.dangers.permissions.attachments import (
    ATTACHED,
    CALLS,
    OF_ACCOUNTS,
    call,
    targets,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from mlplatform_cdk.assembly.diff.canonical import Resource

_IDENTITIES = {"AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group", "AWS::SSO::PermissionSet"}
_MEMBERSHIP = "AWS::IAM::UserToGroupAddition"
_TO_MANY, _TO_ONE = ("Roles", "Users", "Groups"), ("RoleName", "UserName", "GroupName")
_MANAGED = ("ManagedPolicyArns", "ManagedPolicies")
# Without a policy everybody who reaches them may do anything; a private API lets in nobody then.
_OPEN_WITHOUT = {"AWS::ApiGateway::RestApi", "AWS::EC2::VPCEndpoint", "AWS::EFS::FileSystem"}
_REFERENCE = re.compile(r"\$\{([A-Za-z0-9]+)(\.Arn)?\}")


@dataclass(frozen=True, slots=True)
class Grant:
    """One permission, and the resource whose statement says so."""

    permission: Permission
    statement: str
    resource: Resource


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose permissions they are.

    :param about: logical ids of what may do more, or be used more; none: it is not of this stack.
    """

    name: str
    about: frozenset[str] = frozenset()


Held = dict[Holder, list[Grant]]


def identities(resources: Mapping[str, Resource]) -> Held:
    """What each role, user and group may do by all its policies together; by logical id, or by name where not ours."""
    found: Held = {_own(one): [] for one in resources.values() if one.type in _IDENTITIES}
    for resource in resources.values():
        for holder, grant in _held(resource, resources):
            found.setdefault(holder, []).append(grant)
    return found


def _held(resource: Resource, resources: Mapping[str, Resource]) -> Iterator[tuple[Holder, Grant]]:
    """What the resource gives to whom that has an identity."""
    given = resource.properties
    if resource.type in _IDENTITIES:
        inline = [(tests, one) for tests, one in branches.members(given.get("Policies")) if isinstance(one, dict)]
        own = [grant for tests, one in inline for grant in _grants(one.get("PolicyDocument"), resource, tests)]
        yield from ((_own(resource), grant) for grant in (*own, *_managed(resource, resources)))
    elif resource.type in ATTACHED:
        for tests, holder in list(_holders(resource, resources)) or [((), _own(resource))]:
            every = (*tests, *_beyond(resource, holder, resources))
            yield from ((holder, grant) for grant in _grants(given.get("PolicyDocument"), resource, every))
    elif resource.type == _MEMBERSHIP:
        for tests, name in branches.members(given.get("Users")):
            yield _named(str(name), resources), _member(resource, given.get("GroupName"), tests)


def resource_policies(resources: Mapping[str, Resource]) -> Held:
    """What the policies of resources, trust policies included, allow to whom; by what they are about and place."""
    found: Held = {}
    for resource in resources.values():
        if resource.type in CALLS and "Statement" not in resource.properties:
            place = str(resource.properties.get(CALLS[resource.type], ""))
            holder = Holder(f"calls of {place}", references(place))
            tests = _beyond(resource, holder, resources)
            found.setdefault(holder, []).append(_grant(call(resource), resource.logical_id, resource, tests))
        elif resource.type not in ATTACHED:
            for path, more, document in _documents((), resource.properties, ()):
                for holder in _about(resource, path) if path[:1] != ("Policies",) else ():
                    tests = (*more, *_beyond(resource, holder, resources))
                    found.setdefault(holder, []).extend(_grants(document, resource, tests))
    return found


def unwritten(holders: Collection[Holder], resources: Mapping[str, Resource]) -> Held:
    """What is allowed to everybody by those of the holders that have no policy here, and would need one to shut."""
    found: Held = {}
    for holder in holders:
        for name in holder.about & resources.keys():
            if resources[name].type in _OPEN_WITHOUT and not _is_private(resources[name]):
                found[holder] = [Grant(Permission("Allow", "*", "*", "*"), "no policy", resources[name])]
    return found


def _is_private(resource: Resource) -> bool:
    return "PRIVATE" in policies.text(resource.properties.get("EndpointConfiguration"))


def _about(resource: Resource, path: tuple[str, ...]) -> Iterator[Holder]:
    """What a policy in a resource is about: what its type is there for, else the resource itself."""
    named = targets(resource)
    for one in named:
        yield Holder(f"policy of {one}", references(one))
    if not named:
        about = resource.references if resource.type in OF_ACCOUNTS else frozenset({resource.logical_id})
        yield Holder(f"{resource.logical_id} {'.'.join(path)}", about)


def _beyond(resource: Resource, holder: Holder, resources: Mapping[str, Resource]) -> branches.Tests:
    """The template's condition under which the policy is there, where it is not that of all it is about."""
    test = resource.attributes.get("Condition")
    others = [resources[name].attributes.get("Condition") for name in holder.about & resources.keys()]
    return () if test is None or (others and all(one == test for one in others)) else (test,)


def _grants(document: Any, resource: Resource, tests: branches.Tests) -> Iterator[Grant]:
    for under, one in branches.members(document, tests):
        for more, statement in branches.members(one["Statement"], under) if policies.is_policy(one) else ():
            for permission in itertools.islice(policies.of_statement(statement, more), policies.LIMIT):
                yield Grant(permission, policies.text(statement), resource)


def _grant(permission: Permission, statement: str, resource: Resource, tests: branches.Tests) -> Grant:
    return Grant(policies.under(permission, tests), statement, resource)


def _managed(resource: Resource, resources: Mapping[str, Resource]) -> Iterator[Grant]:
    for key in _MANAGED:
        for tests, arn in branches.members(resource.properties.get(key)):
            if _own_id(str(arn), resources) is None:
                yield _grant(Permission("Allow", "", f"managed policy {arn}", ""), str(arn), resource, tests)
    if resource.type == "AWS::IAM::User":
        for tests, name in branches.members(resource.properties.get("Groups")):
            yield _member(resource, name, tests)


def _member(resource: Resource, group: Any, tests: branches.Tests) -> Grant:
    what = f"all that the group {group} may"
    return _grant(Permission("Allow", "", what, ""), what, resource, tests)


def _holders(policy: Resource, resources: Mapping[str, Resource]) -> Iterator[tuple[branches.Tests, Holder]]:
    for key in (*_TO_MANY, *_TO_ONE):
        for tests, name in branches.members(policy.properties.get(key)):
            yield tests, _named(str(name), resources)
    for one in resources.values():
        if one.type in _IDENTITIES:
            for tests, arn in branches.members(one.properties.get("ManagedPolicyArns")):
                if _own_id(str(arn), resources) == policy.logical_id:
                    yield tests, _own(one)


def _own(resource: Resource) -> Holder:
    return Holder(resource.logical_id, frozenset({resource.logical_id}))


def _named(name: str, resources: Mapping[str, Resource]) -> Holder:
    own = _own_id(name, resources)
    return _own(resources[own]) if own else Holder(name, references(name))


def _own_id(text: str, resources: Mapping[str, Resource]) -> str | None:
    match = _REFERENCE.fullmatch(text)
    return match[1] if match and match[1] in resources else None


def _documents(
    path: tuple[str, ...], value: Any, tests: branches.Tests
) -> Iterator[tuple[tuple[str, ...], branches.Tests, Any]]:
    if policies.is_policy(value):
        yield path, tests, value
    elif branches.is_if(value):
        for more, member in branches.members(value, tests):
            yield from _documents(path, member, more)
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _documents((*path, name), member, tests)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _documents((*path, str(index)), member, tests)
