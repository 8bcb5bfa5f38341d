"""``ManagedPolicyArns`` of a role, which moto drops, and AWS's own managed policies, read when one is first named."""

from __future__ import annotations

import contextlib
import json
import threading
from functools import cache
from typing import Any

from moto.iam.models import AWSManagedPolicy, IAMBackend, ManagedPolicy, Role, iam_backends
from moto.utilities.utils import get_partition

_attach = IAMBackend.attach_role_policy
_create = Role.create_from_cloudformation_json.__func__
_update = Role.update_from_cloudformation_json.__func__
_lock = threading.Lock()


def install() -> None:
    """Replace moto's hooks of a role."""
    IAMBackend.attach_role_policy = _attach_known
    Role.create_from_cloudformation_json = classmethod(_create_whole)  # type: ignore[arg-type]
    Role.update_from_cloudformation_json = classmethod(_update_whole)


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


def _create_whole(
    cls: type[Role],
    resource_name: str,
    cloudformation_json: dict[str, Any],
    account_id: str,
    region_name: str,
    **more: Any,
) -> Role:
    role: Role = _create(cls, resource_name, cloudformation_json, account_id, region_name, **more)
    _attach_all(role, cloudformation_json["Properties"], account_id, region_name)
    return role


def _update_whole(
    cls: type[Role],
    original_resource: Role,
    new_resource_name: str,
    cloudformation_json: dict[str, Any],
    account_id: str,
    region_name: str,
) -> Role:
    properties = cloudformation_json["Properties"]
    given = set(getattr(original_resource, "template_policies", ()))
    role: Role = _update(cls, original_resource, new_resource_name, cloudformation_json, account_id, region_name) or (
        original_resource
    )
    trust = properties["AssumeRolePolicyDocument"]
    role.assume_role_policy_document = trust if isinstance(trust, str) else json.dumps(trust)
    for policy in properties.get("Policies", []):
        role.policies.pop(policy["PolicyName"], None)
        role.put_policy(policy["PolicyName"], policy["PolicyDocument"])
    for arn in given - set(properties.get("ManagedPolicyArns", [])):
        role.managed_policies.pop(arn, None)
    _attach_all(role, properties, account_id, region_name)
    return role


def _attach_all(role: Any, properties: dict[str, Any], account_id: str, region_name: str) -> None:
    backend = iam_backends[account_id][get_partition(region_name)]
    role.template_policies = tuple(properties.get("ManagedPolicyArns", []))
    for arn in role.template_policies:
        if arn not in role.managed_policies:
            backend.attach_role_policy(arn, role.name)
