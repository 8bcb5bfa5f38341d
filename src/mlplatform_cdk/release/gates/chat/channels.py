"""The channels that can have buttons; each was authorized once, in the console of Amazon Q Developer in chat."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackChannel:
    """A channel of Slack.

    :param workspace_id: such as ``T0123ABCD``.
    :param channel_id: the end of the link that Slack copies for the channel, such as ``C0123ABCD``.
    """

    workspace_id: str
    channel_id: str

    @property
    def label(self) -> str:
        """How the records call it."""
        return f"the Slack channel {self.channel_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MicrosoftTeamsChannel:
    """A channel of Microsoft Teams.

    :param tenant_id: the id of the tenant.
    :param team_id: the id of the team.
    :param channel_id: as Teams' link has it, such as ``19%3a…%40thread.tacv2``.
    """

    tenant_id: str
    team_id: str
    channel_id: str

    @property
    def label(self) -> str:
        """How the records call it."""
        return f"the Teams channel {self.channel_id}"
