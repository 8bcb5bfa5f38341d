"""What opens a gate and tells people that a release waits for them."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core import (
    PlatformFunction,
    PlatformRole,
    acknowledge,
    arn_of,
    grant_encrypt,
    permission,
    principal_of,
)
from mlplatform_cdk.release.gates.chat import ChatButtons
from mlplatform_cdk.release.gates.door import SignedLinks
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.runtimekit.release_address import PREFIX

RUNTIME = "mlplatform_cdk.release.gates.runtime"


class Gates(Construct):
    """The function of the waiting state: it keeps the state's token, and sends a message with all that is known.

    People answer by ``mlplatform release approve|reject``; the other ways are extra.

    :param endpoint_name: whose releases wait.
    :param records: where the gate is kept.
    :param key: encrypts the settings, the logs and the messages.
    :param notifications: where people are told, encrypted by ``key``; default: only the history and the chat tell.
    :param links: lets people answer by a link in that message, on a page that is public; default: no.
    :param chat: lets people answer by buttons in a channel; default: no.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str,
        records: ReleaseRecords,
        key: kms.IKey,
        notifications: sns.ITopic | None = None,
        links: SignedLinks | None = None,
        chat: ChatButtons | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._links, self._chat, self._records, self._endpoint_name = links, chat, records, endpoint_name
        settings = dict(records.environment)
        if notifications is not None:
            settings["TOPIC_ARN"] = notifications.topic_arn
        if links is not None:
            settings |= {"LINK_URL": links.url, "LINK_KEY_ID": links.key.key_id}
        if chat is not None:
            settings |= {"CHAT_TOPIC_ARN": chat.topic.topic_arn, "CHAT_FUNCTION": chat.function.function_name}
        self.function = PlatformFunction(
            self,
            "Ask",
            package=RUNTIME,
            description=f"Asks people whether a release to {endpoint_name} goes on",
            environment=settings,
            key=key,
        )
        self._grant(self.function.platform_role, key, notifications)

    def grant_answer(self, grantee: iam.IGrantable, machine: sfn.IStateMachine) -> None:
        """Let ``grantee``, such as the role of a team, approve and reject by the command line.

        It may also look at what it answers to (``status`` and ``history``), and touches nothing else.

        :param machine: of the releases; in this stack's account and region.
        """
        principal = principal_of(grantee)
        name = Stack.of(self).split_arn(machine.state_machine_arn, ArnFormat.COLON_RESOURCE_NAME).resource_name
        address = arn_of(self, "ssm", f"parameter{PREFIX}{self._endpoint_name}")
        for statement in (
            _answers(machine),
            permission(["ssm:GetParameter"], address),
            permission(["states:DescribeExecution"], arn_of(self, "states", f"execution:{name}:*")),
        ):
            principal.add_to_principal_policy(statement)
        self._records.grant_decide(grantee, self._endpoint_name)
        self._records.grant_history(grantee)

    def open_for(self, machine: sfn.IStateMachine) -> None:
        """Let the links and the chat answer for the releases of ``machine``, by policies of their own: no cycle so."""
        roles = [
            *([self._links.function.platform_role] if self._links else []),
            *([self._chat.function.platform_role] if self._chat else []),
        ]
        if roles:
            iam.ManagedPolicy(
                self,
                "AnswerPermissions",
                description="Lets a decision reach the release that waits for it",
                roles=[*roles],
                statements=[_answers(machine)],
            )

    def _grant(self, role: PlatformRole, key: kms.IKey, notifications: sns.ITopic | None) -> None:
        self._records.grant_ask(role, self._endpoint_name)
        chat = self._chat.topic if self._chat is not None else None
        topics = [topic.topic_arn for topic in (notifications, chat) if topic is not None]
        if topics:
            role.allow(permission(["sns:Publish"], *topics))
            grant_encrypt(key, role)
        else:
            acknowledge(role, {"permission-missing[sns:Publish]": "nobody is told where no topic is set"})
        if self._links is not None:
            role.allow(permission(["kms:GenerateMac"], self._links.key.key_arn))
        else:
            acknowledge(role, {"permission-missing[kms:GenerateMac]": "no link is signed where no page's URL is set"})


def _answers(machine: sfn.IStateMachine) -> iam.PolicyStatement:
    return permission(["states:SendTaskFailure", "states:SendTaskSuccess"], machine.state_machine_arn)
