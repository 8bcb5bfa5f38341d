"""Where a release waits for a person, and the ways in which people answer."""

from mlplatform_cdk.release.gates.chat import ChatButtons, MicrosoftTeamsChannel, SlackChannel
from mlplatform_cdk.release.gates.construct import Gates
from mlplatform_cdk.release.gates.door import SignedLinks
from mlplatform_cdk.release.gates.state import gate_state

__all__ = ["ChatButtons", "Gates", "MicrosoftTeamsChannel", "SignedLinks", "SlackChannel", "gate_state"]
