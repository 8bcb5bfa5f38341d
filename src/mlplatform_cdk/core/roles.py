"""A role whose permissions are one customer-managed policy.

Inline policies are the commonest finding in public CDK projects, and a role that names its policy is never used before
the policy is attached: whatever depends on the role waits for its permissions.
"""

from collections.abc import Mapping, Sequence
from functools import cache

import jsii
from aws_cdk import aws_iam as iam
from constructs import Construct

from mlplatform_cdk.core.access import Access, allowed
from mlplatform_cdk.core.acknowledgements import acknowledge_access
from mlplatform_cdk.core.answers import stack_of


@cache
def service_principal(service: str) -> iam.ServicePrincipal:
    """An AWS service as one who assumes a role; one object for all roles of an app, since it never changes.

    :param service: such as ``lambda.amazonaws.com``.
    """
    return iam.ServicePrincipal(service)


def permission(
    actions: Sequence[str],
    *resources: str,
    conditions: Mapping[str, Mapping[str, str | Sequence[str]]] | None = None,
    sid: str | None = None,
) -> iam.PolicyStatement:
    """A statement that allows ``actions`` on ``resources``; where ``Access`` serves, it costs fewer messages to Node.

    From JSON: jsii checks and converts one argument then, in place of the ten of ``PolicyStatement``.

    :param conditions: operator to key to value; default: none.
    :param sid: the statement's id; default: none.
    """
    return iam.PolicyStatement.from_json(allowed(actions, *resources, conditions=conditions, sid=sid))


class PlatformRole(iam.Role):
    """An ``iam.Role`` that CDK's ``grant_*`` methods extend through a managed policy of its own.

    :param assumed_by: who may assume it.
    :param description: what it is for, one sentence.
    :param external_ids: ids that the assuming side has to give; default: none.
    :param permissions_boundary: a bound on whatever is granted; default: none.
    :param access: what it may do from the start; default: nothing.
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
        access: Sequence[Access] = (),
    ) -> None:
        super().__init__(
            scope,
            id,
            assumed_by=assumed_by,
            description=description,
            external_ids=external_ids,
            permissions_boundary=permissions_boundary,
        )
        stack_of.tell(self, stack_of(scope))
        self._permissions: iam.ManagedPolicy | None = None
        if access:
            self.give(*access)

    def give(self, *access: Access) -> None:
        """Add ``access`` to the managed policy, and accept what it is found fault with; the first makes the policy."""
        statements = [statement for one in access for statement in one.statements]
        if self._permissions is None:
            self._define_permissions(document=iam.PolicyDocument.from_json({"Statement": statements}))
        else:
            self._permissions.add_statements(*map(iam.PolicyStatement.from_json, statements))
        acknowledge_access(self, access)

    def allow(self, *statements: iam.PolicyStatement) -> iam.ManagedPolicy:
        """Add ``statements`` to the managed policy, which the first ones create; returns that policy."""
        if self._permissions is None:
            return self._define_permissions(statements=[*statements])
        self._permissions.add_statements(*statements)
        return self._permissions

    def grant_actions(self, actions: Sequence[str], *resources: str) -> iam.Grant:
        """What ``iam.Grant.add_to_principal`` gives this role, without a way from Node to Python and back."""
        policy = self._permissions or self._define_permissions()
        return iam.Grant.add_to_principal(grantee=policy, actions=[*actions], resource_arns=[*resources])

    def _define_permissions(
        self, *, statements: Sequence[iam.PolicyStatement] | None = None, document: iam.PolicyDocument | None = None
    ) -> iam.ManagedPolicy:
        self._permissions = iam.ManagedPolicy(self, "Permissions", statements=statements, document=document)
        self.add_managed_policy(self._permissions)
        return self._permissions

    @jsii.member(jsii_name="addToPrincipalPolicy")
    def add_to_principal_policy(self, statement: iam.PolicyStatement) -> iam.AddToPrincipalPolicyResult:
        """Called by every ``grant_*`` of CDK: adds ``statement`` to the managed policy."""
        return iam.AddToPrincipalPolicyResult(statement_added=True, policy_dependable=self.allow(statement))

    @jsii.member(jsii_name="addToPolicy")
    def add_to_policy(self, statement: iam.PolicyStatement) -> bool:
        """The older form of ``add_to_principal_policy``."""
        return bool(self.add_to_principal_policy(statement).statement_added)
