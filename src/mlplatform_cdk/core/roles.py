"""A role whose permissions are one customer-managed policy.

Inline policies are the commonest finding in public CDK projects, and a role that names its policy is never used before
the policy is attached: whatever depends on the role waits for its permissions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import jsii
from aws_cdk import aws_iam as iam
from constructs import Construct


def permission(
    actions: Sequence[str],
    *resources: str,
    conditions: Mapping[str, Mapping[str, str | Sequence[str]]] | None = None,
    sid: str | None = None,
) -> iam.PolicyStatement:
    """A statement that allows ``actions`` on ``resources``.

    From JSON: jsii checks and converts one argument then, in place of the ten of ``PolicyStatement``.

    :param conditions: operator to key to value; default: none.
    :param sid: the statement's id; default: none.
    """
    statement: dict[str, Any] = {"Effect": "Allow", "Action": [*actions], "Resource": [*resources]}
    if conditions is not None:
        statement["Condition"] = conditions
    if sid is not None:
        statement["Sid"] = sid
    return iam.PolicyStatement.from_json(statement)


class PlatformRole(iam.Role):
    """An ``iam.Role`` that CDK's ``grant_*`` methods extend through a managed policy of its own.

    :param assumed_by: who may assume it.
    :param description: what it is for, one sentence.
    :param external_ids: ids that the assuming side has to give; default: none.
    :param permissions_boundary: a bound on whatever is granted; default: none.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        assumed_by: iam.IPrincipal,
        description: str,
        external_ids: Sequence[str] | None = None,
        permissions_boundary: iam.IManagedPolicy | None = None,
    ) -> None:
        super().__init__(
            scope,
            id,
            assumed_by=assumed_by,
            description=description,
            external_ids=external_ids,
            permissions_boundary=permissions_boundary,
        )
        self._permissions: iam.ManagedPolicy | None = None

    def allow(self, *statements: iam.PolicyStatement) -> iam.ManagedPolicy:
        """Add ``statements`` to the managed policy, which the first ones create; returns that policy."""
        if self._permissions is None:
            self._permissions = iam.ManagedPolicy(self, "Permissions", statements=[*statements])
            self.add_managed_policy(self._permissions)
        else:
            self._permissions.add_statements(*statements)
        return self._permissions

    @jsii.member(jsii_name="addToPrincipalPolicy")
    def add_to_principal_policy(self, statement: iam.PolicyStatement) -> iam.AddToPrincipalPolicyResult:
        """Called by every ``grant_*`` of CDK: adds ``statement`` to the managed policy."""
        return iam.AddToPrincipalPolicyResult(statement_added=True, policy_dependable=self.allow(statement))

    @jsii.member(jsii_name="addToPolicy")
    def add_to_policy(self, statement: iam.PolicyStatement) -> bool:
        """The older form of ``add_to_principal_policy``."""
        return bool(self.add_to_principal_policy(statement).statement_added)
