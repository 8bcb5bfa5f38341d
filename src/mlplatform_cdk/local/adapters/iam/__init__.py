"""IAM, enforced: what runs under a role may do what the template gave that role, and nothing else.

Made-up keys are the administrator's and pass. Statements whose conditions cannot be computed here neither allow nor
deny; each is named in the server's log, and all of them at ``/_embedded/iam/unevaluated``.
"""

from __future__ import annotations

from typing import Any

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket
from moto.sts.exceptions import STSClientError
from moto.sts.models import AssumedRole, STSBackend

from mlplatform_cdk.local.adapters.iam import gate, managed_policies
from mlplatform_cdk.local.roles import RoleCannotBeAssumed, find_role

_permission = FakeBucket.get_permission
_assume_role = STSBackend.assume_role


def install() -> None:
    """Put the door in front of the services, and take moto's own bucket policies off."""
    managed_policies.install()
    gate.install()
    FakeBucket.get_permission = _never_denied
    STSBackend.assume_role = _assume_what_is_there


def _never_denied(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    """Moto denies without looking at the Condition; the door has already looked."""
    found = _permission(bucket, action, resource)
    return PermissionResult.NEUTRAL if found is PermissionResult.DENIED else found


def _assume_what_is_there(
    backend: STSBackend, region_name: str, role_session_name: str, role_arn: str, **more: Any
) -> AssumedRole:
    """Moto lets anyone be a role that does not exist; refused as in AWS, the cdk CLI goes on as who it is."""
    try:
        find_role(role_arn.split(":")[4], region_name, role_arn)
    except RoleCannotBeAssumed as missing:
        message = f"User: arn:aws:iam::{backend.account_id}:root is not authorized to perform: sts:AssumeRole"
        raise STSClientError("AccessDenied", f"{message} on resource: {role_arn}") from missing
    return _assume_role(backend, region_name, role_session_name, role_arn, **more)
