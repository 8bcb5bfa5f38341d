"""Interleaved measurement: every server gets its turn in each round, so that the machine's moods fall on all alike."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.serving import right, wrk
from benchmarks.serving.servers import Running
from benchmarks.serving.wire import Body

ROOT = Path(__file__).parents[2]
_SPARE_S = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How servers are asked.

    :param name: as the tables have it.
    :param connections: how many are open.
    :param seconds: of one measurement.
    :param rate: requests a second, in the open loop; default: closed loop.
    :param warm_up: seconds before each measurement, which do not count; wrk has none.
    """

    name: str
    connections: int
    seconds: float
    rate: float | None = None
    warm_up: float = 0.5


Figures = dict[str, Any]


def ask(running: Running, body: Body, load: Load) -> Figures:
    """One measurement, by a load generator in a process of its own; of a closed loop, the answers must be right.

    In the open loop ours alone can count latencies from the moment when a request was due.
    """
    if load.rate is not None:
        return _ask_ours(running, body, load)
    right.check(running.url, body)
    program = wrk.found()
    if program is None:
        figures = _ask_ours(running, body, load)
    else:
        figures = wrk.measure(
            program, running.url, body, connections=load.connections, seconds=load.seconds, pid=running.pid
        )
    right.check(running.url, body)
    return figures


def _ask_ours(running: Running, body: Body, load: Load) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "body"
        path.write_bytes(body.content)
        command = [sys.executable, "-m", "benchmarks.serving.load", running.url, "--body", str(path)]
        command += ["--content-type", body.content_type, "--connections", str(load.connections)]
        command += ["--seconds", str(load.seconds), "--warm-up", str(load.warm_up), "--pid", str(running.pid)]
        command += ["--rate", str(load.rate)] if load.rate else []
        ended = subprocess.run(  # noqa: S603
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ,
            timeout=load.seconds + load.warm_up + _SPARE_S,
        )
    if ended.returncode:
        raise RuntimeError(f"the load on {running.server.name} failed: {ended.stderr[-1000:]}")
    found: Figures = json.loads(ended.stdout)
    return found


def interleaved(
    servers: Sequence[tuple[Running, Body]],
    loads: Iterable[Load],
    *,
    rounds: int,
    beside: Callable[[], None] = lambda: None,
) -> dict[str, dict[str, Figures]]:
    """Figures by load and server, each the median of its rounds.

    :param servers: running servers, each with the body it is asked with.
    :param rounds: how often every server gets its turn.
    :param beside: measures what is no server, once in each round, in the middle of it; default: nothing.
    """
    return {load.name: _one_load(servers, load, rounds, beside) for load in loads}


def _one_load(
    servers: Sequence[tuple[Running, Body]], load: Load, rounds: int, beside: Callable[[], None]
) -> dict[str, Figures]:
    seen: dict[str, list[Figures]] = {running.server.name: [] for running, _ in servers}
    for number in range(rounds):
        # The order changes sides, so that nobody always follows the same neighbour.
        for place, (running, body) in enumerate(servers if number % 2 == 0 else servers[::-1]):
            if place == len(servers) // 2:
                beside()
            seen[running.server.name].append(ask(running, body, load))
    return {name: _middle(found) for name, found in seen.items()}


def _middle(found: Sequence[Figures]) -> Figures:
    """The median of each figure; what counts answers or failures is summed up."""
    result: Figures = {}
    for name, value in found[0].items():
        values = [one[name] for one in found]
        if isinstance(value, Mapping):
            keys = sorted({key for one in values for key in one})
            result[name] = {key: sum(one.get(key, 0) for one in values) for key in keys}
        elif name in {"answered", "broken", "unanswered"}:
            result[name] = sum(values)
        else:
            result[name] = None if None in values else median(values)
    result["per_second_range"] = [min(one["per_second"] for one in found), max(one["per_second"] for one in found)]
    return result
