"""Ways from a topic to people, besides e-mail, which ``Notifications(emails=[...])`` has."""

import re
from collections.abc import Sequence

from aws_cdk import SecretValue
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, PlatformRole, is_known, service_principal
from mlplatform_cdk.resilience.observability.accounts import reading_metrics

# Of CloudFormation's AWS::Chatbot::SlackChannelConfiguration.
_WORKSPACE, _CHANNEL = re.compile(r"[0-9A-Z]{1,255}"), re.compile(r"[A-Za-z0-9]{1,256}")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")


class PagerDuty(Construct):
    """Opens an incident of PagerDuty for each alarm that a topic tells, and closes it when the alarm ends.

    PagerDuty confirms the subscription by itself, and reads messages of CloudWatch's alarms alone.
    Source: https://support.pagerduty.com/main/docs/aws-cloudwatch-integration-guide

    :param topic: what it listens to.
    :param secret_name: a secret of Secrets Manager in this region that holds the integration's whole address,
        ``https://events.pagerduty.com/integration/…/enqueue``: whoever knows it can open incidents.
    """

    def __init__(self, scope: Construct, id: str, *, topic: sns.ITopic, secret_name: str) -> None:
        super().__init__(scope, id)
        if secret_name.startswith("https:"):
            raise ConfigurationError(self, "secret_name must name a secret that holds the address, got the address")
        sns.CfnSubscription(
            self,
            "Subscription",
            topic_arn=topic.topic_arn,
            protocol="https",
            endpoint=SecretValue.secrets_manager(secret_name).unsafe_unwrap(),  # a reference that CloudFormation fills
        )


class SlackChannel(Construct):
    """Tells a channel of Slack what topics tell, by Amazon Q Developer in chat applications (AWS Chatbot).

    Somebody must have let the service into the workspace, once, in its console. Who writes in the channel can read
    graphs and alarms, and nothing else: the channel's role is its own guardrail, where AWS would set
    ``AdministratorAccess``.
    Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-chatbot-slackchannelconfiguration.html

    :param topics: what it listens to, of any region of the account.
    :param name: of the configuration, one per account.
    :param workspace_id: such as ``T0123ABCD``.
    :param channel_id: such as ``C0123ABCD``.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        topics: Sequence[sns.ITopic],
        name: str,
        workspace_id: str,
        channel_id: str,
    ) -> None:
        super().__init__(scope, id)
        checked = (
            ("name", name, _NAME),
            ("workspace_id", workspace_id, _WORKSPACE),
            ("channel_id", channel_id, _CHANNEL),
        )
        for argument, value, pattern in checked:
            if is_known(value) and not pattern.fullmatch(value):
                raise ConfigurationError(self, f"{argument} must be like {pattern.pattern!r}, got {value!r}")
        if not topics:
            raise ConfigurationError(self, "topics must list at least one topic, got none")
        role = PlatformRole(
            self,
            "Role",
            assumed_by=service_principal("chatbot.amazonaws.com"),
            description="Shows graphs and alarms in a channel of Slack",
            access=[reading_metrics()],
        )
        permissions = role.node.find_child("Permissions")
        assert isinstance(permissions, iam.ManagedPolicy)
        chatbot.CfnSlackChannelConfiguration(
            self,
            "Resource",
            configuration_name=name,
            slack_workspace_id=workspace_id,
            slack_channel_id=channel_id,
            iam_role_arn=role.role_arn,
            guardrail_policies=[permissions.managed_policy_arn],
            sns_topic_arns=[topic.topic_arn for topic in topics],
            logging_level="ERROR",
        )
