"""IAM, enforced: what runs under a role may do what the template gave that role, and nothing else.

Made-up keys are the administrator's and pass. Statements whose conditions cannot be computed here neither allow nor
deny; each is named in the server's log, and all of them at ``/_embedded/iam/unevaluated``.
"""

from __future__ import annotations

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from mlplatform_cdk.local.adapters.iam import gate, managed_policies

_permission = FakeBucket.get_permission


def install() -> None:
    """Put the door in front of the services, and take moto's own bucket policies off."""
    managed_policies.install()
    gate.install()
    FakeBucket.get_permission = _never_denied


def _never_denied(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    """Moto denies without looking at the Condition; the door has already looked."""
    found = _permission(bucket, action, resource)
    return PermissionResult.NEUTRAL if found is PermissionResult.DENIED else found
