"""May this caller do that? A role's policies, its boundary and the resource's own policy, joined as AWS joins them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mlplatform_cdk.local import roles
from mlplatform_cdk.local.adapters.iam import policies
from mlplatform_cdk.local.adapters.iam.statements import Need, Statement, find

ALWAYS_ALLOWED = ("sts:GetCallerIdentity",)
KEY_POLICY_DECIDES = "kms:"
COLONS_OF_AN_ARN = 5
Context = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a call is refused, in AWS's words."""

    message: str


def check(session: roles.RoleSession, need: Need, region: str, context: Context) -> Denial | None:
    """Why ``session`` may not do what ``need`` asks; None when it may.

    :param session: who calls.
    :param need: the permission.
    :param region: where the call goes.
    :param context: the call's condition keys, from ``context_of``.
    """
    if need.action in ALWAYS_ALLOWED:
        return None
    reason = _objection(session, need, region, context)
    if reason is None:
        return None
    resource = f" on resource: {need.resources[0]}" if need.resources else ""
    return Denial(f"User: {session.arn} is not authorized to perform: {need.action}{resource} {reason}")


def _objection(session: roles.RoleSession, need: Need, region: str, context: Context) -> str | None:
    own, boundary = policies.of_role(session.role_arn, region)
    identity = find(own, need, context)
    attached = _attached(need)
    principals = {"AWS": [session.role_arn, session.arn, session.account, _root(session)]}
    theirs = find(attached, need, context, principals)
    if identity.denied_by or theirs.denied_by:
        kind = "an identity" if identity.denied_by else "a resource"
        return f"with an explicit deny in {kind}-based policy"
    direct = _names_the_role(attached, need, context, session)
    if direct:
        return None
    if boundary is not None and not find(boundary, need, context).allowed:
        return f"because no permissions boundary allows the {need.action} action"
    if attached and need.action.startswith(KEY_POLICY_DECIDES) and not theirs.allowed:
        return f"because no resource-based policy allows the {need.action} action"
    return None if identity.allowed else f"because no identity-based policy allows the {need.action} action"


def _attached(need: Need) -> list[Statement]:
    resource = need.resources[0] if need.resources else ""
    return (policies.of_resource(resource) or []) if resource.count(":") >= COLONS_OF_AN_ARN else []


def _names_the_role(attached: list[Statement], need: Need, context: Context, session: roles.RoleSession) -> bool:
    """A resource's policy grants by itself when it names the role; naming the account lets the role's own decide."""
    named = [statement for statement in attached if not _only_the_account(statement.body.get("Principal"), session)]
    return find(named, need, context, {"AWS": [session.role_arn, session.arn]}).allowed


def _only_the_account(principal: object, session: roles.RoleSession) -> bool:
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    values = named if isinstance(named, list) else [named]
    return all(value in (session.account, _root(session)) for value in values)


def _root(session: roles.RoleSession) -> str:
    return f"arn:{session.role_arn.split(':')[1]}:iam::{session.account}:root"


def context_of(session: roles.RoleSession, region: str) -> dict[str, Sequence[str]]:
    """The condition keys that every call of a role has; the loopback counts as TLS.

    :param session: who calls.
    :param region: where the call goes.
    """
    return {
        "aws:currenttime": [datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")],
        "aws:epochtime": [str(int(time.time()))],
        "aws:principalaccount": [session.account],
        "aws:principalarn": [session.role_arn],
        "aws:principalisawsservice": ["false"],
        "aws:principaltype": ["AssumedRole"],
        "aws:requestedregion": [region],
        "aws:resourceaccount": [session.account],
        "aws:securetransport": ["true"],
        "aws:sourceip": ["127.0.0.1"],
        "aws:useragent": ["Boto3"],
        "aws:userid": [session.session_name],
        "aws:viaawsservice": ["false"],
        "s3:resourceaccount": [session.account],
        "s3:signatureversion": ["AWS4-HMAC-SHA256"],
        "s3:tlsversion": ["1.3"],
    }


def role_may(role_arn: str, action: str, resource: str, *, region: str) -> bool:
    """Whether a role may perform ``action`` on ``resource``.

    :param role_arn: the role.
    :param action: such as ``events:PutRule``.
    :param resource: the ARN.
    :param region: where.
    """
    session = roles.RoleSession(account=role_arn.split(":")[4], role_arn=role_arn, session_name="check")
    return check(session, Need(action=action, resources=(resource,)), region, context_of(session, region)) is None


def service_may(service: str, action: str, resource: str, *, source_arn: str) -> bool:
    """Whether the resource's own policy lets an AWS service act for ``source_arn``.

    :param service: such as ``events.amazonaws.com``.
    :param action: such as ``sqs:SendMessage``.
    :param resource: the resource's ARN.
    :param source_arn: what the service acts for, such as a rule.
    """
    attached = policies.of_resource(resource)
    if attached is None:
        return False
    context = {
        "aws:sourcearn": [source_arn],
        "aws:sourceaccount": [source_arn.split(":")[4]],
        "aws:securetransport": ["true"],
        "aws:principalisawsservice": ["true"],
        "aws:principalservicename": [service],
        "aws:requestedregion": [source_arn.split(":")[3]],
        "aws:viaawsservice": ["false"],
        "aws:principaltype": ["Service"],
        "aws:resourceaccount": [resource.split(":")[4]],
        "aws:sourceowner": [source_arn.split(":")[4]],
    }
    need = Need(action=action, resources=(resource,))
    return find(attached, need, context, {"Service": [service]}).allowed
