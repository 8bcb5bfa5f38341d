"""Buttons in a channel of a chat."""

from mlplatform_cdk.release.gates.chat.channels import MicrosoftTeamsChannel, SlackChannel
from mlplatform_cdk.release.gates.chat.construct import ChatButtons

__all__ = ["ChatButtons", "MicrosoftTeamsChannel", "SlackChannel"]
