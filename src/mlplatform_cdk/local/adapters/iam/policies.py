"""The policies that moto holds: a role's, its boundary, and those of buckets, keys, queues, topics and functions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moto.awslambda.utils import get_backend
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from mlplatform_cdk.local import roles
from mlplatform_cdk.local.adapters.iam import managed_policies
from mlplatform_cdk.local.adapters.iam.statements import Statement, statements_of

if TYPE_CHECKING:
    from moto.iam.models import ManagedPolicy, Role


def of_role(role_arn: str, region: str) -> tuple[list[Statement], list[Statement] | None]:
    """A role's statements, and those of its permissions boundary if it has one.

    :param role_arn: the role.
    :param region: the region whose partition the role is in.
    """
    role = roles.find_role(role_arn.split(":")[4], region, role_arn)
    found = [
        statement
        for name, document in role.policies.items()
        for statement in statements_of(f"{role.name}/{name}", _parsed(document))
    ]
    for arn, policy in role.managed_policies.items():
        found += statements_of(arn, _parsed(_default_document(policy)))
    boundary = role.permissions_boundary_arn
    return found, (_boundary(role, boundary) if boundary else None)


def _boundary(role: Role, arn: str) -> list[Statement]:
    policy = managed_policies.known(iam_backends[role.account_id][role.partition], arn)
    return statements_of(arn, _parsed(_default_document(policy)))


def _default_document(policy: ManagedPolicy) -> str:
    return next(version.document for version in policy.versions if version.is_default)


def of_resource(arn: str) -> list[Statement] | None:
    """The statements of the resource's own policy; None where it has none or its kind has no such policies.

    :param arn: the resource.
    """
    _, partition, service, region, account, rest = arn.split(":", 5)
    if service == "s3":
        return _bucket(rest.split("/", 1)[0], partition)
    document = {"sqs": _queue, "sns": _topic, "kms": _key, "lambda": _function}.get(service, _none)(
        arn, account, region
    )
    return None if document is None else statements_of(f"the policy of {arn}", document)


def _bucket(name: str, partition: str) -> list[Statement] | None:
    for account in list(s3_backends.values()):
        bucket = account[partition].buckets.get(name) if partition in account else None
        if bucket is not None:
            return statements_of(f"the policy of bucket {name}", _parsed(bucket.policy)) if bucket.policy else None
    return None


def _queue(arn: str, account: str, region: str) -> Mapping[str, Any] | None:
    for queue in list(sqs_backends[account][region].queues.values()):
        if queue.queue_arn == arn:
            return _parsed(queue.policy) if queue.policy else None
    return None


def _topic(arn: str, account: str, region: str) -> Mapping[str, Any] | None:
    topic = sns_backends[account][region].topics.get(arn)
    return None if topic is None else _parsed(topic.policy)


def _key(arn: str, account: str, region: str) -> Mapping[str, Any] | None:
    key = kms_backends[account][region].keys.get(arn.rsplit("/", 1)[-1])
    return None if key is None else _parsed(key.policy)


def _function(arn: str, account: str, region: str) -> Mapping[str, Any] | None:
    name = arn.split(":")[6]
    function = get_backend(account, region)._lambdas._functions.get(name, {}).get("latest")
    return None if function is None else {"Statement": function.policy.statements}


def _none(_arn: str, _account: str, _region: str) -> None:
    return None


def _parsed(document: Any) -> Mapping[str, Any]:
    parsed: Mapping[str, Any] = document if isinstance(document, Mapping) else json.loads(document)
    return parsed
