"""AWS's own managed policies, read when one is first named: moto loads all of them or none."""

from __future__ import annotations

import contextlib
import json
import threading
from functools import cache
from typing import Any

from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy

_attach = IAMBackend.attach_role_policy
_lock = threading.Lock()


def install() -> None:
    """Let roles be given policies of AWS."""
    IAMBackend.attach_role_policy = _attach_known


def known(backend: IAMBackend, arn: str) -> ManagedPolicy:
    """A managed policy of the account or of AWS.

    :param backend: the account's IAM.
    :param arn: the policy.
    """
    with _lock:
        if arn not in backend.managed_policies and ":iam::aws:policy/" in arn:
            name = arn.rsplit("/", 1)[-1]
            data = _of_aws().get(name)
            if data is not None:
                policy = AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
                backend.managed_policies[arn] = policy
    return backend.managed_policies[arn]


@cache
def _of_aws() -> dict[str, Any]:
    from moto.iam.aws_managed_policies import aws_managed_policies_data

    parsed: dict[str, Any] = json.loads(aws_managed_policies_data)
    return parsed


def _attach_known(backend: IAMBackend, policy_arn: str, role_name: str) -> None:
    with contextlib.suppress(KeyError):  # moto then refuses, in AWS's words
        known(backend, policy_arn)
    _attach(backend, policy_arn, role_name)
