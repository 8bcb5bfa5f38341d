"""Approve and Reject as buttons under a message in a channel (Amazon Q Developer in chat applications, AWS Chatbot)."""

from typing import Any

from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, PlatformFunction, PlatformRole, permission
from mlplatform_cdk.release.gates.chat.channels import MicrosoftTeamsChannel, SlackChannel
from mlplatform_cdk.release.gates.runtime.messages import KIND
from mlplatform_cdk.release.records import ReleaseRecords

RUNTIME = "mlplatform_cdk.release.gates.chat.runtime"
_LONGEST_COMMAND = 100
_CONTEXT = "event.metadata.additionalContext"


class ChatButtons(Construct):
    """Lets the members of a channel answer for a release: every member of the channel can.

    The channel's role, and its guardrail, may invoke one function and nothing else; the records say which channel
    answered, and the channel says who pressed.

    :param endpoint_name: whose releases wait.
    :param records: where the gates are kept.
    :param key: encrypts the settings, the logs and the messages.
    :param channel: where the buttons appear.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str,
        records: ReleaseRecords,
        key: kms.IKey,
        channel: SlackChannel | MicrosoftTeamsChannel,
    ) -> None:
        super().__init__(scope, id)
        self.topic = sns.Topic(self, "Topic", master_key=key, enforce_ssl=True)
        self.function = PlatformFunction(
            self,
            "Answer",
            package=RUNTIME,
            description=f"Answers for releases to {endpoint_name} by the buttons of a chat",
            environment={**records.environment, "ENDPOINT_NAME": endpoint_name, "CHANNEL": channel.label},
            key=key,
        )
        records.grant_decide(self.function, endpoint_name)
        buttons = [
            self._button("Approve", "Approve: go on", endpoint_name),
            self._button("Reject", "Reject: go back", endpoint_name),
        ]
        self._define_channel(channel, buttons)

    def _button(self, verb: str, text: str, endpoint_name: str) -> chatbot.CfnCustomAction:
        """A button under each message of ours; what it sends is taken from the message."""
        command = f'lambda invoke --function-name $F --payload {{"{verb.lower()}":"$G"}} --region $R'
        if len(command) > _LONGEST_COMMAND:
            raise ConfigurationError(self, f"a command has at most {_LONGEST_COMMAND} characters, got {command!r}")
        criterion = chatbot.CfnCustomAction.CustomActionAttachmentCriteriaProperty
        return chatbot.CfnCustomAction(
            self,
            verb,
            action_name=f"{endpoint_name}-release-{verb.lower()}"[:64],
            definition=chatbot.CfnCustomAction.CustomActionDefinitionProperty(command_text=command),
            attachments=[
                chatbot.CfnCustomAction.CustomActionAttachmentProperty(
                    button_text=text,
                    notification_type="Custom",
                    criteria=[
                        criterion(operator="EQUALS", variable_name="K", value=KIND),
                        criterion(operator="EQUALS", variable_name="F", value=self.function.function_name),
                    ],
                    variables={
                        "K": f"{_CONTEXT}.kind",
                        "F": f"{_CONTEXT}.function",
                        "G": f"{_CONTEXT}.gate",
                        "R": f"{_CONTEXT}.region",
                    },
                )
            ],
        )

    def _define_channel(
        self, channel: SlackChannel | MicrosoftTeamsChannel, buttons: list[chatbot.CfnCustomAction]
    ) -> None:
        role = PlatformRole(
            self,
            "ChannelRole",
            assumed_by=iam.ServicePrincipal("chatbot.amazonaws.com"),
            description="What the members of the channel may do: answer for a release",
        )
        guardrail = role.allow(permission(["lambda:InvokeFunction"], self.function.function_arn))
        common: dict[str, Any] = {
            "configuration_name": self.node.addr,
            "iam_role_arn": role.role_arn,
            "guardrail_policies": [guardrail.managed_policy_arn],
            "sns_topic_arns": [self.topic.topic_arn],
            "customization_resource_arns": [button.attr_custom_action_arn for button in buttons],
            "logging_level": "INFO",
        }
        if isinstance(channel, SlackChannel):
            chatbot.CfnSlackChannelConfiguration(
                self,
                "Channel",
                slack_workspace_id=channel.workspace_id,
                slack_channel_id=channel.channel_id,
                **common,
            )
            return
        chatbot.CfnMicrosoftTeamsChannelConfiguration(
            self,
            "Channel",
            teams_tenant_id=channel.tenant_id,
            team_id=channel.team_id,
            teams_channel_id=channel.channel_id,
            **common,
        )
