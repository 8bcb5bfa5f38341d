"""A document of Systems Manager, whoever starts it."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from mlplatform_cdk.core import Access, PlatformRole, allowed, arn_of, service_principal


class Automation(Construct):
    """A document of Systems Manager with the role that it assumes."""

    def __init__(
        self, scope: Construct, id: str, *, content: Mapping[str, Any], sentence: str, access: Sequence[Access]
    ) -> None:
        super().__init__(scope, id)
        document = ssm.CfnDocument(
            self, "Document", document_type="Automation", content=content, update_method="NewVersion"
        )
        self.name = document.ref
        self.role = PlatformRole(
            self, "Role", assumed_by=service_principal("ssm.amazonaws.com"), description=sentence, access=access
        )

    def starting(self, *, watches: bool = False) -> Access:
        """What starts it, by AWS FIS's own managed policy, which names all documents and roles.

        Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSFaultInjectionSimulatorSSMAccess.html

        :param watches: and follows it to its end, or stops it.
        """
        versions = arn_of(self, "ssm", f"automation-definition/{self.name}:*")
        executions = arn_of(self, "ssm", "automation-execution/*")
        passed = {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}
        statements = [
            allowed(
                ["ssm:StartAutomationExecution"], arn_of(self, "ssm", f"document/{self.name}"), versions, executions
            ),
            allowed(["iam:PassRole"], self.role.role_arn, conditions=passed),
        ]
        if watches:
            statements.append(allowed(["ssm:GetAutomationExecution", "ssm:StopAutomationExecution"], executions))
        reasons = {versions: "the versions of one document", executions: "an execution's id comes with it"}
        return Access(statements, patterns=reasons)
