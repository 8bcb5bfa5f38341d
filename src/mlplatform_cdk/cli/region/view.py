"""One region as it is now: its probe's verdict, who drained it, and the alarm that Route 53 reads.

The table says all; where it cannot be read, the region's public answer says what callers and Route 53 see.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from mlplatform_cdk.cli.console import CommandFailed
from mlplatform_cdk.cli.region import control, place
from mlplatform_cdk.cli.region.control import UNKNOWN
from mlplatform_cdk.runtimekit.client.http_wire import HttpWire
from mlplatform_cdk.runtimekit.client.wire import Reply, Request, Wire
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.region_health import IN_SERVICE, STALE

_CONNECT_S, _ANSWER_S = 3.0, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """Who has drained a region, why, and since when.

    :param by: as AWS knows them.
    :param reason: what they said.
    :param at: in milliseconds since 1970; 0: not known.
    """

    by: str
    reason: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A region.

    :param region: which.
    :param status: its verdict, ``stale`` where that counts no more, ``unknown`` where the region cannot be reached.
    :param since: since when it has had that status, in milliseconds since 1970; 0: not known.
    :param golden: what came of the last round of golden requests.
    :param version: the beginning of the SHA-256 digest of the model that answers.
    :param label: what people call that version; empty: the model is in no registry, or only ``/health`` answered.
    :param reason: why, in the probe's words.
    :param bad_version: the version that is wrong wherever it serves.
    :param drained: whether somebody has drained the region; its probe publishes that within its next round.
    :param switch: ``On``, ``Off`` or ``unknown``, where there are routing controls; empty: there are none.
    :param alarm: the state of the alarm that Route 53 reads, or ``unknown``.
    :param read_from: ``table``, ``/health``, or nothing.
    :param problem: what could not be read, and why.
    """

    region: str
    status: str = UNKNOWN
    since: int = 0
    golden: str = ""
    version: str = ""
    label: str = ""
    reason: str = ""
    bad_version: str = ""
    drained: Drained | None = None
    switch: str = ""
    alarm: str = UNKNOWN
    read_from: str = ""
    problem: str = ""

    @property
    def serves(self) -> bool:
        """Whether callers are led here, and will be after the next round, too."""
        return self.status == IN_SERVICE and self.drained is None and self.switch != control.OFF

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        drained = self.drained
        told = {"by": drained.by, "reason": drained.reason, "at": moment(drained.at)} if drained else None
        texts = ("region", "status", "golden", "version", "label", "reason", "bad_version")
        rest = ("switch", "alarm", "read_from", "problem")
        return {
            **{name: getattr(self, name) for name in (*texts, *rest)},
            "since": moment(self.since),
            "drained": told,
        }


class Region:
    """Looks at one region.

    :param domain: the one name.
    :param region: which.
    :param wire: how ``/health`` is asked.
    """

    def __init__(self, domain: str, region: str, wire: Wire) -> None:
        self._domain, self._region, self._wire = domain, region, wire
        # Here and not in the thread that looks: boto3's own session is for one thread.
        self._dynamodb, self._cloudwatch = place.client("dynamodb", region), place.client("cloudwatch", region)
        place.client("ssm", region)

    def look(self) -> Seen:
        """The region as it is now, whatever of it can be reached."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            address = place.address_in(self._region, self._domain)
            answer = self._dynamodb.get_item(
                TableName=address.table, Key={"endpoint": {"S": address.endpoint}}, ConsistentRead=True
            )
        except (BotoCoreError, ClientError, CommandFailed, KnownError) as problem:
            return self._from_health(str(problem))
        try:
            alarms = self._cloudwatch.describe_alarms(AlarmNames=[address.alarm])["MetricAlarms"]
        except (BotoCoreError, ClientError) as problem:
            return _of_row(self._region, answer, alarm=UNKNOWN, problem=str(problem))
        return _of_row(self._region, answer, alarm=alarms[0]["StateValue"] if alarms else "there is none")

    def _from_health(self, problem: str) -> Seen:
        """What the region says to everyone."""
        url = f"https://{self._region}.{self._domain}/health"
        request = Request(url=url, headers={"User-Agent": "mlplatform-cdk"}, body=b"", method="GET")
        exchange = self._wire.start(request, connect_s=_CONNECT_S, attempt_s=_ANSWER_S)
        self._wire.wait([exchange], _CONNECT_S + _ANSWER_S)
        outcome = exchange.outcome()
        told = _read(outcome) if isinstance(outcome, Reply) else {}
        if not told:
            exchange.cancel()
            return Seen(region=self._region, problem=problem)
        return Seen(
            region=self._region,
            status=str(told["status"]),
            since=int(told.get("since") or 0),
            golden=str(told.get("golden", "")),
            version=str(told.get("version", "")),
            read_from="/health",
            problem=problem,
        )


def look_at(domain: str, regions: Iterable[str], wire: Wire | None = None) -> Sequence[Seen]:
    """All of ``regions``, at once.

    :param domain: the one name.
    :param regions: which.
    :param wire: how ``/health`` is asked; default: over HTTPS.
    """
    used = wire or HttpWire()
    switches = control.states(domain)
    looked = [Region(domain, region, used) for region in regions]
    try:
        with ThreadPoolExecutor(max_workers=max(1, len(looked))) as pool:
            return [replace(one, switch=switches.get(one.region, "")) for one in pool.map(Region.look, looked)]
    finally:
        used.close()


def moment(milliseconds: int) -> str:
    """ISO 8601, in UTC; empty for what is not known."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds") if milliseconds else ""


def drained_of(item: Mapping[str, Any]) -> Drained | None:
    """Who has drained the region, by its row."""
    if "drain" not in item:
        return None
    told = item["drain"].get("M", {})
    by, reason = (told.get(name, {}).get("S", "") for name in ("by", "reason"))
    return Drained(by=by or "somebody", reason=reason, at=int(told.get("at", {}).get("N", 0)))


def _of_row(region: str, answer: Mapping[str, Any], *, alarm: str, problem: str = "") -> Seen:
    item = answer.get("Item", {})
    texts = ("golden", "version", "label", "reason", "bad_version")
    read = {name: item.get(name, {}).get("S", "") for name in texts}
    numbers = {name: int(float(item.get(name, {}).get("N", 0))) for name in ("since", "valid_until")}
    # By the region's clock, which is the probe's: this machine's may be wrong.
    counts = _told_at(answer) < numbers["valid_until"]
    return Seen(
        region=region,
        status=item.get("status", {}).get("S", STALE) if counts else STALE,
        since=numbers["since"] if counts else numbers["valid_until"],
        drained=drained_of(item),
        alarm=alarm,
        read_from="table",
        problem=problem,
        **read,
    )


def _told_at(answer: Mapping[str, Any]) -> float:
    """When an answer was given, in milliseconds since 1970."""
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    return (parsedate_to_datetime(date) if date else datetime.now(UTC)).timestamp() * 1000


def _read(reply: Reply) -> dict[str, Any]:
    """What ``/health`` says; nothing, where that is no verdict."""
    try:
        told = json.loads(reply.body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) and "status" in told else {}
