"""A gate where a release waits for a person: who opened it with what known, and who decided.

An endpoint has one gate at a time, as it has one release. Its item holds the token of the waiting state, which only
this module reads: people, links and chats know the gate's id, which opens nothing by itself.
"""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from mlplatform_cdk.runtimekit import aws, release_records
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.release_records import PARTITION_KEY, SORT_KEY, Record

GATE, STEP, LOCK = "gate", "Gate", "lock"
REJECTED = "Release.Rejected"  # the error of the waiting state, which leads to the way back
APPROVE, REJECT = "approved", "rejected"
_WAY_BACK, _TURNED_BACK = "WayBack", ("return", "failed")  # a release's step, and a train's decisions
_NEWEST = 50  # records among which those after an answer are looked for
_LONGEST_REASON = 1000  # with who decided, within what a cause may hold
_GONE = ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")


class NotItsTurn(KnownError):
    """A release that must not ask anybody: the endpoint is another one's."""


class GateClosed(KnownError):
    """A decision that comes too late, or for another gate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenGate:
    """A gate, and what was known when it opened.

    :param endpoint: whose release waits.
    :param id: tells this gate from the ones before it.
    :param token: of the waiting state.
    :param release: the ARN of the execution.
    :param version: the ARN of the model package.
    :param percent: green's share of the traffic while it waits.
    :param opened: when, ISO-8601 in UTC.
    :param expires: until when an answer counts, ISO-8601 in UTC.
    :param metrics: of green and blue.
    :param decision: what was decided; empty: nothing yet.
    :param who: who decided.
    :param reason: why.
    :param sent: has the waiting state heard of it.
    """

    endpoint: str
    id: str
    token: str = field(repr=False)
    release: str
    version: str
    percent: float
    opened: str
    expires: str
    metrics: Mapping[str, Any]
    decision: str = ""
    who: str = ""
    reason: str = ""
    sent: bool = False

    def is_open(self, now: datetime) -> bool:
        """True while a decision can still count."""
        return not self.decision and now < datetime.fromisoformat(self.expires)


def open_gate(
    table: str,
    *,
    endpoint: str,
    token: str,
    release: str,
    version: str,
    percent: float,
    timeout_s: float,
    metrics: Mapping[str, Any],
) -> OpenGate:
    """Open the gate of ``endpoint``; for the same token, again, the gate is the one that it opened before.

    :param table: the table of records.
    :param timeout_s: after how many seconds the waiting state gives up.
    :raises NotItsTurn: when another release holds the endpoint, as after this one was ended and begun again.
    """
    holder = release_records.read(table, f"{LOCK}#{endpoint}", LOCK)
    if holder is not None and holder["owner"] != release:
        raise NotItsTurn(f"{release} must hold {endpoint} to ask at its gate, and {holder['owner']} does")
    before = read_gate(table, endpoint)
    if before is not None and before.token == token:
        return before
    now = datetime.now(UTC)
    gate = OpenGate(
        endpoint=endpoint,
        id=secrets.token_hex(8),
        token=token,
        release=release,
        version=version,
        percent=percent,
        opened=now.isoformat(timespec="seconds"),
        expires=(now + timedelta(seconds=timeout_s)).isoformat(timespec="seconds"),
        metrics=metrics,
    )
    item = asdict(gate) | _key(endpoint) | {"metrics": json.dumps(dict(metrics), default=str)}
    release_records.put(table, item)
    return gate


def read_gate(table: str, endpoint: str) -> OpenGate | None:
    """The newest gate of ``endpoint``, open or not; None: there was none yet."""
    item = release_records.read(table, *_key(endpoint).values())
    if item is None:
        return None
    del item[SORT_KEY]
    return OpenGate(**{**item, "endpoint": endpoint, "metrics": json.loads(item["metrics"])})


def decide(table: str, endpoint: str, *, approve: bool, who: str, reason: str = "", gate_id: str = "") -> OpenGate:
    """Let the release go on, or send it back; the first decision counts.

    :param table: the table of records.
    :param who: decides.
    :param reason: why; it goes to the record, and with a rejection to the registry.
    :param gate_id: the gate that is meant; default: whichever is open.
    :raises GateClosed: when no release waits there, or not any more.
    """
    gate = read_gate(table, endpoint)
    if gate is None or (gate_id and gate.id != gate_id):
        which = f"the gate {gate_id}" if gate_id else "a gate"
        raise GateClosed(f"no release of {endpoint} waits at {which}")
    wanted = {"decision": APPROVE if approve else REJECT, "who": who, "reason": " ".join(reason.split())}
    wanted["reason"] = wanted["reason"][:_LONGEST_REASON]
    again, now = bool(gate.decision), datetime.now(UTC)
    _claim(table, gate, wanted)
    if again:
        wanted["reason"] = gate.reason
    # Written first: whoever dies after the answer was heard would take the record along. The same answer again, by the
    # same person, makes up for what was not done.
    written = _record(table, gate, wanted, moment=now)  # before what the machine records next
    try:
        _send(gate, wanted, heard=lambda: again and _was_heard(table, gate, wanted, since=written.at))
    except GateClosed:
        _record(table, gate, {**wanted, "decision": f"{wanted['decision']}, too late"}, unheard=True)
        raise
    _mark_sent(table, gate)
    return OpenGate(**{**asdict(gate), **wanted, "sent": True})


def _record(
    table: str,
    gate: OpenGate,
    wanted: Mapping[str, str],
    *,
    moment: datetime | None = None,
    unheard: bool = False,
) -> Record:
    """Write down who decided what; that nobody heard of it is a record of its own."""
    return release_records.record(
        table,
        endpoint=gate.endpoint,
        release=gate.release,
        version=gate.version,
        step=STEP,
        sequence=f"{gate.id}-unheard" if unheard else gate.id,
        percent=gate.percent,
        metrics=gate.metrics,
        moment=moment,
        **wanted,
    )


def _claim(table: str, gate: OpenGate, wanted: Mapping[str, str]) -> None:
    """Write the decision where there is none; the same one may be sent again if it was not heard."""
    if gate.decision:
        repeated = not gate.sent and (gate.decision, gate.who) == (wanted["decision"], wanted["who"])
        if not repeated:
            raise GateClosed(f"the gate of {gate.endpoint} was {gate.decision} by {gate.who} already")
        return
    if not gate.is_open(datetime.now(UTC)):
        raise GateClosed(f"the gate of {gate.endpoint} closed at {gate.expires}, and its release went back")
    client = aws.client("dynamodb")
    try:
        client.update_item(
            TableName=table,
            Key=release_records.to_item(_key(gate.endpoint)),
            UpdateExpression="SET #decision = :decision, #who = :who, #reason = :reason",
            ConditionExpression="#id = :id AND #decision = :none",
            ExpressionAttributeNames={f"#{name}": name for name in ("decision", "who", "reason", "id")},
            ExpressionAttributeValues=release_records.to_item(
                {":id": gate.id, ":none": "", **{f":{name}": value for name, value in wanted.items()}}
            ),
        )
    except client.exceptions.ConditionalCheckFailedException:
        raise GateClosed(f"somebody else decided about the gate of {gate.endpoint} just now") from None


def _was_heard(table: str, gate: OpenGate, wanted: Mapping[str, str], *, since: str) -> bool:
    """Did an answer that was sent before reach the waiting state: what went on has left a record after it.

    A rejection need not have: a release that does not wait any more, and was not let go on, has gone back.
    """
    newer = (one for one in release_records.history(table, gate.endpoint, newest=_NEWEST) if one.at > since)
    own = [one for one in newer if one.release == gate.release and one.step != STEP]
    went_on = any(one.step != _WAY_BACK and one.decision not in _TURNED_BACK for one in own)
    return went_on or wanted["decision"] == REJECT


def _send(gate: OpenGate, wanted: Mapping[str, str], *, heard: Callable[[], bool]) -> None:
    client = aws.client("stepfunctions")
    cause = f"{wanted['who']}: {wanted['reason'] or 'no reason given'}"
    try:
        if wanted["decision"] == APPROVE:
            client.send_task_success(taskToken=gate.token, output=json.dumps(dict(wanted)))
        else:
            client.send_task_failure(taskToken=gate.token, error=REJECTED, cause=cause)
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
        if not heard():  # else whoever sent it could not write that down
            raise GateClosed(f"the release of {gate.endpoint} does not wait at its gate any more") from None


def _mark_sent(table: str, gate: OpenGate) -> None:
    aws.client("dynamodb").update_item(
        TableName=table,
        Key=release_records.to_item(_key(gate.endpoint)),
        UpdateExpression="SET #sent = :yes",
        ConditionExpression="#id = :id",
        ExpressionAttributeNames={"#sent": "sent", "#id": "id"},
        ExpressionAttributeValues=release_records.to_item({":yes": True, ":id": gate.id}),
    )


def _key(endpoint: str) -> dict[str, str]:
    return {PARTITION_KEY: f"{GATE}#{endpoint}", SORT_KEY: GATE}
