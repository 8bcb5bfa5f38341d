"""Credentials of the roles that the templates made: what runs here runs as its own role, as in AWS."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends
from moto.utilities.utils import get_partition

from mlplatform_cdk.local import settings

if TYPE_CHECKING:
    from moto.iam.models import Role

SESSION_SECONDS = 12 * 3600


class RoleCannotBeAssumed(RuntimeError):
    """A role that does not exist, or whose trust policy does not name the service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSession:
    """Who signed a call: a role, under a session name."""

    account: str
    role_arn: str
    session_name: str

    @property
    def role_name(self) -> str:
        """The role's name, without its path."""
        return self.role_arn.rsplit("/", 1)[-1]

    @property
    def arn(self) -> str:
        """The principal as error messages and policies name it."""
        partition = self.role_arn.split(":")[1]
        return f"arn:{partition}:sts::{self.account}:assumed-role/{self.role_name}/{self.session_name}"


_lock = threading.Lock()
_made: dict[tuple[str, str], Any] = {}


def credentials_for(
    account_id: str, region: str, role_arn: str, session_name: str, *, service: str | None = None
) -> dict[str, str]:
    """The environment variables of a session of ``role_arn``; calls made with them answer to the role's policies.

    :param account_id: the account that the role is in.
    :param region: the region whose partition the role is in.
    :param role_arn: the role.
    :param session_name: names the session in error messages.
    :param service: the service that assumes it, such as ``lambda.amazonaws.com``; default: trust is not checked.
    """
    role = find_role(account_id, region, role_arn)
    if service is not None and not _trusts(role, service):
        raise RoleCannotBeAssumed(f"the role {role_arn} cannot be assumed by {service}: its trust policy names others")
    session = session_name[:64]
    with _lock:
        assumed = _made.get((role.id, session))
        if assumed is None:
            assumed = sts_backends[account_id][get_partition(region)].assume_role(
                region_name=region,
                role_session_name=session,
                role_arn=role_arn,
                policy="",
                duration=SESSION_SECONDS,
                external_id="",
            )
            _made[role.id, session] = assumed
    return {
        "AWS_ACCESS_KEY_ID": assumed.access_key_id,
        "AWS_SECRET_ACCESS_KEY": assumed.secret_access_key,
        "AWS_SESSION_TOKEN": assumed.session_token,
    }


def environment_for(
    account_id: str, region: str, role_arn: str, session_name: str, *, service: str | None = None
) -> dict[str, str]:
    """All AWS variables of a child process that runs as ``role_arn`` in ``region``.

    :param account_id: the account that the role is in.
    :param region: where the child makes its calls.
    :param role_arn: the role.
    :param session_name: names the session in error messages.
    :param service: the service that assumes it; default: trust is not checked.
    """
    return credentials_for(account_id, region, role_arn, session_name, service=service) | {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": settings.current().endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def find_role(account_id: str, region: str, role_arn: str) -> Role:
    """The role in moto's own backend."""
    try:
        return iam_backends[account_id][get_partition(region)].get_role_by_arn(role_arn)
    except NotFoundException as missing:
        raise RoleCannotBeAssumed(f"the role {role_arn} does not exist") from missing


def session_of(access_key_id: str) -> RoleSession | None:
    """The role session whose key this is; None for the administrator's made-up keys."""
    for account_id, partitions in list(sts_backends.items()):
        for backend in list(partitions.values()):
            assumed = backend.get_assumed_role_from_access_key(access_key_id)
            if assumed is not None:
                return RoleSession(account=account_id, role_arn=assumed.role_arn, session_name=assumed.session_name)
    return None


def _trusts(role: Role, service: str) -> bool:
    document = json.loads(role.assume_role_policy_document)
    statements = document["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        named = principal.get("Service", []) if isinstance(principal, dict) else []
        if statement.get("Effect") == "Allow" and service in (named if isinstance(named, list) else [named]):
            return True
    return False
