"""Runs when a release comes to a gate: the token is kept, people are told, and the state waits."""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mlplatform_cdk.release.gates.runtime import messages
from mlplatform_cdk.runtimekit import aws, logs, release_gates, release_records, settings, signed_links

_LOG = logs.logger("gate")


def handle(event: Mapping[str, Any], context: object) -> dict[str, str]:  # noqa: ARG001 - Lambda's signature
    """Open the gate that ``event`` describes; the release goes on only when somebody decides.

    :param event: ``token``, ``endpoint``, ``release``, ``version``, ``percent``, ``timeout_s``, ``metrics``.
    """
    logs.bind(execution=event["release"], step=release_gates.STEP)
    gate = release_gates.open_gate(release_records.table_name(), **event)
    _ask(gate)
    _LOG.info("opened", extra={"gate": gate.id})
    return {"gate": gate.id}


def _ask(gate: release_gates.OpenGate) -> None:
    link = _link(gate)
    people, chat = settings.optional("TOPIC_ARN"), settings.optional("CHAT_TOPIC_ARN")
    if people:
        text = messages.letter(gate, link=link)
        aws.client("sns").publish(TopicArn=people, Subject=messages.subject(gate), Message=text)
    if chat:
        said = messages.card(gate, link=link, function=settings.required("CHAT_FUNCTION"), region=_region())
        aws.client("sns").publish(TopicArn=chat, Message=said)


def _link(gate: release_gates.OpenGate) -> str:
    url = settings.optional("LINK_URL")
    if not url:
        return ""
    until = int(datetime.fromisoformat(gate.expires).timestamp())
    key = settings.required("LINK_KEY_ID")
    return signed_links.sign(url, key_id=key, endpoint=gate.endpoint, gate=gate.id, until=until)


def _region() -> str:
    return os.environ["AWS_REGION"]  # Lambda sets it
