"""The page behind a signed link: GET shows what is known and two buttons, and only POST acts.

Mail scanners and previews open every link that they see, so that opening one must never approve anything.
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from mlplatform_cdk.release.gates.door.runtime import page
from mlplatform_cdk.runtimekit import logs, release_facts, release_gates, release_records, settings, signed_links

_LOG = logs.logger("gate")
_LONGEST_NAME = 80
_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    # No script, nothing from elsewhere, in nobody's frame, and the link goes nowhere by a referrer.
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Answer a request to the function's URL."""
    method = event["requestContext"]["http"]["method"]
    try:
        if method in ("GET", "HEAD"):
            return _answer(200, _show(dict(parse_qsl(event.get("rawQueryString", "")))), method)
        if method == "POST":
            return _answer(200, _act(_form(event)), method)
    except signed_links.LinkRefused as refused:
        return _answer(403, page.message("This link opens nothing", str(refused)), method)
    except release_gates.GateClosed as closed:
        return _answer(409, page.message("Too late", str(closed)), method)
    return _answer(405, page.message("This page is no API", "this page is read by GET and answered by POST"), method)


def _show(parameters: Mapping[str, str]) -> str:
    gate = _gate(parameters)
    if not gate.is_open(datetime.now(UTC)):
        how = (
            f"It was {gate.decision} by {gate.who}."
            if gate.decision
            else f"It closed on {release_facts.moment(gate.expires)}, and its release went back."
        )
        return page.message("The gate is closed", how)
    return page.question(gate, parameters)


def _act(form: Mapping[str, str]) -> str:
    gate = _gate(form)
    name = " ".join(form.get("who", "").split())[:_LONGEST_NAME]
    decision = form.get("decision")
    if not name or decision not in (release_gates.APPROVE, release_gates.REJECT):
        return page.question(gate, form, complaint="Say who you are, and press one of the two.")
    decided = release_gates.decide(
        release_records.table_name(),
        gate.endpoint,
        approve=decision == release_gates.APPROVE,
        who=f"{name} (by the link)",
        reason=form.get("reason", ""),
        gate_id=gate.id,
    )
    _LOG.info("decided", extra={"gate": gate.id, "decision": decided.decision})
    way = "goes on" if decided.decision == release_gates.APPROVE else "goes back to the version before it"
    return page.message(decided.decision.capitalize(), f"The release to {gate.endpoint} {way}.")


def _gate(parameters: Mapping[str, str]) -> release_gates.OpenGate:
    """The gate of a link that counts."""
    endpoint, gate_id = signed_links.verify(parameters, key_id=settings.required("LINK_KEY_ID"))
    gate = release_gates.read_gate(release_records.table_name(), endpoint)
    if gate is None or gate.id != gate_id:
        raise release_gates.GateClosed(f"this gate of {endpoint} is long closed")
    return gate


def _form(event: Mapping[str, Any]) -> dict[str, str]:
    body = event.get("body") or ""
    text = base64.b64decode(body).decode("utf-8", "replace") if event.get("isBase64Encoded") else body
    return dict(parse_qsl(text))


def _answer(status: int, html: str, method: str) -> dict[str, Any]:
    return {"statusCode": status, "headers": dict(_HEADERS), "body": "" if method == "HEAD" else html}
