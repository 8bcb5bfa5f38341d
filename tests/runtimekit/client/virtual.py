"""Regions that answer in a time of their own: nothing waits, nothing is sent, and each run is the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mlplatform_cdk.runtimekit.client import RegionClient, Unsigned
from mlplatform_cdk.runtimekit.client.wire import Exchange, Fault, Reply, Request

REFUSED = Fault(what="refused the connection", sent=False)
CUT = Fault(what="closed the connection without an answer", sent=True)
NEVER = 1e9

# When, and a random number, to seconds and what comes of it.
Behaviour = Callable[[float, float], tuple[float, Reply | Fault]]


def reply(status: int = 200, body: bytes = b"[1]", **headers: str) -> Reply:
    return Reply(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=body)


def always(outcome: Reply | Fault, seconds: float = 0.05) -> Behaviour:
    return lambda _now, _chance: (seconds, outcome)


def well(seconds: float = 0.05) -> Behaviour:
    return always(reply(), seconds)


DEAD = always(REFUSED, 0.001)
SILENT = always(CUT, NEVER)


def between(begin: float, end: float, then: Behaviour, otherwise: Behaviour) -> Behaviour:
    return lambda now, chance: (then if begin <= now < end else otherwise)(now, chance)


@dataclass
class VirtualExchange:
    wire: VirtualWire
    request: Request
    region: str
    at: float
    done_at: float
    result: Reply | Fault
    cancelled: bool = False

    def outcome(self) -> Reply | Fault | None:
        return self.result if self.wire.time >= self.done_at and not self.cancelled else None

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class VirtualWire:
    regions: Mapping[str, Behaviour]
    seed: int = 0
    time: float = 0.0
    sent: list[VirtualExchange] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    closed: bool = False
    health: dict[str, Behaviour] = field(default_factory=dict)
    looks: list[tuple[str, float]] = field(default_factory=list)
    hung_looks: list[VirtualExchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def now(self) -> float:
        return self.time

    def chance(self) -> float:
        return self.random.random()

    def start(self, request: Request, *, connect_s: float, attempt_s: float) -> Exchange:
        assert 0 < connect_s <= attempt_s
        region = str(urlsplit(request.url).hostname).partition(".")[0]
        if request.method == "GET":
            return self._look(request, region)
        seconds, result = self.regions[region](self.time, self.random.random())
        self.sent.append(VirtualExchange(self, request, region, self.time, self.time + seconds, result))
        return self.sent[-1]

    def _look(self, request: Request, region: str) -> Exchange:
        self.looks.append((region, self.time))
        seconds, result = self.health.get(region, always(reply(404), 0))(self.time, 0)
        exchange = VirtualExchange(self, request, region, self.time, self.time + seconds, result)
        if seconds == NEVER:
            self.hung_looks.append(exchange)
        return exchange

    def wait(self, exchanges: Collection[Exchange], seconds: float) -> None:
        assert seconds >= 0
        ends = [one.done_at for one in exchanges if isinstance(one, VirtualExchange)]
        if not ends:
            self.slept.append(seconds)
        self.time = max(self.time, min([self.time + seconds, *ends]))

    def close(self) -> None:
        self.closed = True

    def asked(self, since: float = 0.0) -> list[str]:
        return [one.region for one in self.sent if one.at >= since]


def world(seed: int = 0, **regions: Behaviour) -> VirtualWire:
    return VirtualWire(regions, seed)


def client(wire: VirtualWire, **options: object) -> RegionClient:
    urls = {region: f"https://{region}.models.example.com" for region in wire.regions}
    return RegionClient(urls, wire=wire, **{"authorization": Unsigned(), **options})  # type: ignore[arg-type]
