"""The role of a build whose permissions name the build's own project."""

import jsii
from aws_cdk import aws_iam as iam
from constructs import Construct


class BuildRole(iam.Role):
    """A role of CodeBuild whose permissions are one customer-managed policy that names the role.

    A ``PlatformRole`` names its policy instead, and its policy would name the project, which names the role: a circle.

    :param description: what it is for, one sentence.
    """

    def __init__(self, scope: Construct, id: str, *, description: str) -> None:
        super().__init__(scope, id, assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"), description=description)
        self._permissions = iam.ManagedPolicy(self, "Permissions", roles=[self])

    @jsii.member(jsii_name="addToPrincipalPolicy")
    def add_to_principal_policy(self, statement: iam.PolicyStatement) -> iam.AddToPrincipalPolicyResult:
        """Called by every ``grant_*``: adds ``statement`` to the managed policy."""
        self._permissions.add_statements(statement)
        return iam.AddToPrincipalPolicyResult(statement_added=True, policy_dependable=self._permissions)

    @jsii.member(jsii_name="addToPolicy")
    def add_to_policy(self, statement: iam.PolicyStatement) -> bool:
        """The older form of ``add_to_principal_policy``."""
        return bool(self.add_to_principal_policy(statement).statement_added)
