"""Takes a permission away from a deployed role for a while, as a mistake in a template would for good."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without(iam: Any, role_arn: str, action: str) -> Iterator[str]:
    """Run the block while no policy of the role allows ``action``; gives the role's name.

    :param iam: the administrator's client.
    :param role_arn: whose permission it is.
    :param action: as in ``s3:GetObject``.
    """
    role_name = role_arn.rsplit("/", 1)[-1]
    (policy,) = iam.list_attached_role_policies(RoleName=role_name)["AttachedPolicies"]
    arn = policy["PolicyArn"]
    before = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=before)["PolicyVersion"]["Document"]
    left = [reduced for one in document["Statement"] if (reduced := _reduced(one, action))["Action"]]
    assert left != document["Statement"], f"{role_name} never had {action}"
    text = json.dumps({**document, "Statement": left})
    during = iam.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)["PolicyVersion"]
    try:
        yield role_name
    finally:
        iam.set_default_policy_version(PolicyArn=arn, VersionId=before)
        iam.delete_policy_version(PolicyArn=arn, VersionId=during["VersionId"])


def _reduced(statement: dict[str, Any], action: str) -> dict[str, Any]:
    actions = statement["Action"]
    kept = [one for one in (actions if isinstance(actions, list) else [actions]) if one != action]
    return {**statement, "Action": kept}
