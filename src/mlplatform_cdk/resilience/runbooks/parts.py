"""What every runbook is made of: its place, who must look before it goes on, and its document with its role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import Access, allowed, encrypting
from mlplatform_cdk.resilience.automation import Automation, Parameter, approve, document
from mlplatform_cdk.resilience.automation.documents import Step
from mlplatform_cdk.runtimekit.runbook_names import Runbook

SCRIPTS = Path(__file__).parent / "runtime"
# It becomes a part of JSON, in which a quote or a backslash would end the text.
REASON = Parameter(description="Why; it goes to the record.", pattern=r"[^\"\\{}]{1,200}")
# Who did it: AWS keeps with an execution by whom it was started.
WHO = "automation-execution/{{ automation:EXECUTION_ID }}"


def yes_or_no(description: str) -> Parameter:
    """A parameter that is ``no`` unless whoever starts it says ``yes``."""
    return Parameter(description=description, values=("no", "yes"), default="no")


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who must look before a runbook does what cannot be taken back.

    :param approvers: roles, one of which answers, in the console or by ``aws ssm send-automation-signal``.
    :param notifications: where they are told.
    :param key: of the topic; default: none.
    """

    approvers: Sequence[iam.IRole]
    notifications: sns.ITopic
    key: kms.IKey | None = None

    def __post_init__(self) -> None:
        """Refuse a question that nobody may answer."""
        if not self.approvers:
            raise ValueError("approvers must be at least one role, got none")

    def step(self, name: str, message: str, *, then: str) -> Step:
        """The step that waits for one of them."""
        arns = [one.role_arn for one in self.approvers]
        topic = self.notifications.topic_arn
        return approve(name, approvers=arns, topic=topic, message=message, nextStep=then)

    def access(self) -> list[Access]:
        """What telling them takes."""
        keyed = [encrypting(self.key)] if self.key is not None else []
        return [Access([allowed(["sns:Publish"], self.notifications.topic_arn)]), *keyed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where runbooks are defined, and how their names begin.

    :param scope: what holds them.
    :param prefix: of the names of their documents.
    :param approval: who must look; None: nobody is asked.
    """

    scope: Construct
    prefix: str
    approval: Approval | None

    def question(self, name: str, message: str, *, then: str) -> list[Step]:
        """The step that asks somebody, where somebody is to be asked."""
        return [] if self.approval is None else [self.approval.step(name, message, then=then)]

    def asked(self, name: str, then: str) -> str:
        """The step to go to for ``then``: the question before it, where there is one."""
        return then if self.approval is None else name

    def define(
        self,
        runbook: Runbook,
        steps: Sequence[Step],
        *,
        description: str,
        parameters: Mapping[str, Parameter],
        access: Sequence[Access],
        outputs: Sequence[str],
    ) -> Automation:
        """The document, with a role that may do what ``access`` says."""
        asks = any(one["action"] == "aws:approve" for one in steps)
        may = [*access, *(self.approval.access() if self.approval is not None and asks else [])]
        return Automation(
            self.scope,
            "".join(word.capitalize() for word in runbook.value.split("-")),
            name=runbook.document(self.prefix),
            sentence=f"What the runbook {runbook.value} of {self.prefix} does",
            access=may,
            content=lambda role: document(
                steps, description=description, parameters=parameters, role=role, outputs=outputs
            ),
        )
