"""A document of Systems Manager, the role that takes its steps, and what whoever starts it needs."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from mlplatform_cdk.core import Access, PlatformRole, allowed, arn_of, service_principal


class Automation(Construct):
    """A document of Systems Manager with the role that it assumes.

    :param content: what it does; or what makes that of the role's ARN, where the document names its role itself.
    :param sentence: what the role is for.
    :param access: what it may.
    :param name: the document's; default: CloudFormation gives it one.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        content: Mapping[str, Any] | Callable[[str], Mapping[str, Any]],
        sentence: str,
        access: Sequence[Access],
        name: str | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.role = PlatformRole(
            self, "Role", assumed_by=service_principal("ssm.amazonaws.com"), description=sentence, access=access
        )
        self.document = ssm.CfnDocument(
            self,
            "Document",
            name=name,
            document_type="Automation",
            content=content(self.role.role_arn) if callable(content) else content,
            update_method="NewVersion",
        )
        self.name = name or self.document.ref

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
