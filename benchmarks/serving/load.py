"""A small, fast load generator: closed loop with N connections, or open loop at a constant rate.

In the open loop a latency counts from the moment at which the request was due, so that a server which stalls cannot
hide it (no coordinated omission). The generator shares the machine with the server: say so beside every figure.

    python -m benchmarks.serving.load http://127.0.0.1:8080/invocations --body FILE --connections 64 --seconds 5
"""

import argparse
import asyncio
import gc
import json
import sys
from array import array
from collections import Counter, deque
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter, sleep
from urllib.parse import urlsplit

import psutil
import uvloop

_TICK_SECONDS = 0.001  # uvloop makes less than this no wait at all: exact, but a core is lost
_DRAIN_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is asked, and how.

    :param url: of the server, with the path.
    :param body: of every request.
    :param connections: how many are open.
    :param seconds: how long it is measured.
    :param rate: requests a second in the open loop; default: closed loop, each connection asks when it was answered.
    :param warm_up: seconds before, which do not count; default: 1.
    :param content_type: of the body; default: JSON.
    :param headers: more lines of the head; default: none.
    :param pid: the server's process, to tell its processor time; default: unknown.
    """

    url: str
    body: bytes
    connections: int
    seconds: float
    rate: float | None = None
    warm_up: float = 1.0
    content_type: str = "application/json"
    headers: tuple[str, ...] = ()
    pid: int | None = None

    def request(self) -> bytes:
        """The bytes of one request."""
        parts = urlsplit(self.url)
        lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "User-Agent: load", "Accept: */*"]
        lines += [f"Content-Type: {self.content_type}", f"Content-Length: {len(self.body)}", *self.headers]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came back; latencies are of answers with status 200, in milliseconds."""

    seconds: float
    answered: int
    statuses: dict[int, int]
    broken: int
    unanswered: int
    per_second: float
    mean_ms: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    worst_ms: float
    server_cpu_us: float | None


class _Run:
    """Everything that the connections of one run share."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.payload = plan, plan.request()
        self.counting = self.ended = False
        self.latencies = array("d")
        self.statuses: Counter[int] = Counter()
        self.broken = 0
        self.free: deque[_Connection] = deque()
        self.due: deque[float] = deque()
        self.open_loop = plan.rate is not None

    def answered(self, status: int, latency: float) -> None:
        if self.counting:
            self.statuses[status] += 1
            if status == 200:  # noqa: PLR2004 - the only status that is an answer
                self.latencies.append(latency)


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run, self._payload = run, run.payload
        self._began = 0.0
        self._raw = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self._run.ended:
            self._run.broken += 1

    def ask(self, due: float) -> None:
        self._began = due
        self._transport.write(self._payload)

    def data_received(self, data: bytes) -> None:
        raw = self._raw + data if self._raw else data
        end = raw.find(b"\r\n\r\n") + 4
        place = raw.lower().find(b"content-length:", 0, end)
        if end < 4 or place < 0 or len(raw) < end + int(raw[place + 15 : raw.index(b"\r", place)]):  # noqa: PLR2004
            self._raw = raw
            return
        self._raw = b""
        now, run = perf_counter(), self._run
        run.answered(int(raw[9:12]), now - self._began)
        if run.ended:
            return
        if not run.open_loop:
            self.ask(now)
        elif run.due:
            self.ask(run.due.popleft())
        else:
            run.free.append(self)


async def _schedule(run: _Run, rate: float, until: float) -> None:
    """Let requests become due at a constant rate; those for which no connection is free wait, and their time counts."""
    loop, due, step = asyncio.get_running_loop(), perf_counter(), 1 / rate
    while due < until:
        now = perf_counter()
        while due <= now:
            if run.free:
                run.free.popleft().ask(due)
            else:
                run.due.append(due)
            due += step
        if (left := due - perf_counter()) > _TICK_SECONDS:
            await loop.run_in_executor(None, sleep, left)
        else:
            await asyncio.sleep(0)


async def _measure(plan: Plan) -> Result:
    loop, run = asyncio.get_running_loop(), _Run(plan)
    target = urlsplit(plan.url)
    assert target.hostname
    assert target.port
    connections = [
        (await loop.create_connection(lambda: _Connection(run), target.hostname, target.port))[1]
        for _ in range(plan.connections)
    ]
    gc.freeze()
    gc.disable()
    if plan.rate is None:
        for one in connections:
            one.ask(perf_counter())
        await asyncio.sleep(plan.warm_up)
    else:
        run.free.extend(connections)
        scheduled = asyncio.ensure_future(_schedule(run, plan.rate, perf_counter() + plan.warm_up + plan.seconds))
        await asyncio.sleep(plan.warm_up)
    cpu, began, run.counting = plan.pid and processor_seconds(plan.pid), perf_counter(), True
    if plan.rate is None:
        await asyncio.sleep(plan.seconds)
    else:
        await scheduled
        until = perf_counter() + _DRAIN_SECONDS
        while (run.due or len(run.free) < plan.connections) and not run.broken and perf_counter() < until:  # noqa: ASYNC110
            await asyncio.sleep(_TICK_SECONDS)
    spent, seconds = plan.pid and processor_seconds(plan.pid), perf_counter() - began
    run.counting, run.ended = False, True
    return _result(run, seconds, None if cpu is None or spent is None else spent - cpu)


def processor_seconds(pid: int) -> float:
    """What the process ``pid`` and its descendants have spent of processor time."""
    process = psutil.Process(pid)
    times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
    return float(sum(one.user + one.system for one in times))


def _result(run: _Run, seconds: float, cpu: float | None) -> Result:
    found = sorted(run.latencies)
    answered = sum(run.statuses.values())

    def quantile(share: float) -> float:
        return 1000 * found[min(len(found) - 1, int(share * len(found)))] if found else 0.0

    return Result(
        seconds=seconds,
        answered=answered,
        statuses=dict(run.statuses),
        broken=run.broken,
        unanswered=len(run.due) + (run.plan.connections - len(run.free) if run.open_loop else 0),
        per_second=len(found) / seconds,
        mean_ms=1000 * sum(found) / len(found) if found else 0.0,
        p50_ms=quantile(0.5),
        p90_ms=quantile(0.9),
        p99_ms=quantile(0.99),
        p999_ms=quantile(0.999),
        worst_ms=quantile(1.0),
        server_cpu_us=None if cpu is None or not answered else 1e6 * cpu / answered,
    )


def measure(plan: Plan) -> Result:
    """Run ``plan`` in this process."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_measure(plan))


def main() -> None:
    """Measure what the arguments say, and print the result as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--body", type=Path, required=True)
    parser.add_argument("--content-type", default="application/json")
    parser.add_argument("--header", action="append", default=[])
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--warm-up", type=float, default=1)
    parser.add_argument("--rate", type=float, help="requests a second, in the open loop")
    parser.add_argument("--pid", type=int, help="the server's process")
    told = parser.parse_args()
    plan = Plan(
        url=told.url,
        body=told.body.read_bytes(),
        connections=told.connections,
        seconds=told.seconds,
        rate=told.rate,
        warm_up=told.warm_up,
        content_type=told.content_type,
        headers=tuple(told.header),
        pid=told.pid,
    )
    sys.stdout.write(json.dumps(asdict(measure(plan))) + "\n")


if __name__ == "__main__":
    main()
