"""Runs when somebody presses a button in the chat; what it answers stands in the channel."""

from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.runtimekit import logs, release_gates, release_records, settings
from mlplatform_cdk.runtimekit.errors import KnownError

_LOG = logs.logger("gate")


class NoDecision(KnownError):
    """A button that says neither yes nor no."""


def handle(event: Mapping[str, Any], context: object) -> str:  # noqa: ARG001 - Lambda's signature
    """Decide about the gate in ``event``: ``{"approve": "<id>"}`` or ``{"reject": "<id>"}``.

    The chat's service calls with the role of the channel: who of its members pressed stands in the channel, not here.
    """
    if len(event) != 1 or not {*event} <= {"approve", "reject"}:
        raise NoDecision(f'a button must send {{"approve": "<gate>"}} or {{"reject": "<gate>"}}, got {dict(event)}')
    ((decision, gate_id),) = event.items()
    endpoint, channel = settings.required("ENDPOINT_NAME"), settings.required("CHANNEL")
    try:
        gate = release_gates.decide(
            release_records.table_name(),
            endpoint,
            approve=decision == "approve",
            who=f"a member of {channel}",
            reason="by a button of the chat",
            gate_id=str(gate_id),
        )
    except release_gates.GateClosed as closed:
        return str(closed)
    _LOG.info("decided", extra={"gate": gate.id, "decision": gate.decision})
    return f"{gate.endpoint}: {gate.decision}"
