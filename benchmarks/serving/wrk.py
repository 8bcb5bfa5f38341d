"""The closed loop by ``wrk`` (https://github.com/wg/wrk), a load generator in C which leaves the cores to the servers.

Where it is not installed, the generator in ``load.py`` takes its place. wrk counts statuses over 399, does not read
the answers, and adds to its latencies what requests would have waited that it could not send (no coordinated omission).
"""

import json
import math
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.serving.load import processor_seconds
from benchmarks.serving.wire import Body

_SPARE_S, _TIMEOUT_S = 40.0, 30
_SCRIPT = """
local file = io.open("BODY", "rb")
wrk.method, wrk.body = "POST", file:read("*a")
file:close()
wrk.headers["Content-Type"] = "TYPE"
function done(summary, latency, requests)
  local e = summary.errors
  local told = {summary.duration, summary.requests, e.status, e.connect + e.read + e.write + e.timeout, latency.mean,
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency:percentile(99.9), latency.max}
  print("figures [" .. table.concat(told, ", ") .. "]")
end
"""


def found() -> str | None:
    """Where ``wrk`` is; ``None`` where it is not installed."""
    return shutil.which("wrk")


def measure(program: str, url: str, body: Body, *, connections: int, seconds: float, pid: int) -> dict[str, Any]:
    """What ``load.measure`` tells of a closed loop, without a warm-up: whoever asks has warmed the server up.

    :param program: wrk.
    :param body: of every request.
    :param connections: how many are open.
    :param seconds: how long; wrk takes whole ones.
    :param pid: the server's process.
    """
    whole = math.ceil(seconds)
    with tempfile.TemporaryDirectory() as folder:
        content, script = Path(folder) / "body", Path(folder) / "script.lua"
        content.write_bytes(body.content)
        script.write_text(_SCRIPT.replace("BODY", str(content)).replace("TYPE", body.content_type), encoding="utf-8")
        command = [program, "--threads", "1", "--connections", str(connections), "--duration", f"{whole}s"]
        command += ["--timeout", f"{_TIMEOUT_S}s", "--script", str(script), url]
        before = processor_seconds(pid)
        ended = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, timeout=whole + _TIMEOUT_S + _SPARE_S
        )
        spent = processor_seconds(pid) - before
    lines = [line for line in ended.stdout.splitlines() if line.startswith("figures ")]
    if ended.returncode or not lines:
        raise RuntimeError(f"wrk failed on {urlsplit(url).netloc}: {(ended.stderr or ended.stdout)[-1000:]}")
    return _result(json.loads(lines[0].removeprefix("figures ")), spent)


def _result(told: list[float], spent: float) -> dict[str, Any]:
    microseconds, requests, refused, broken, *latencies = told
    names = ("mean_ms", "p50_ms", "p90_ms", "p99_ms", "p999_ms", "worst_ms")
    statuses: Mapping[str, int] = {"200": int(requests - refused)} | ({"400 or more": int(refused)} if refused else {})
    return {
        "seconds": microseconds / 1e6,
        "answered": int(requests),
        "statuses": statuses,
        "broken": int(broken),
        "unanswered": 0,
        "per_second": (requests - refused) / microseconds * 1e6,
        **{name: one / 1000 for name, one in zip(names, latencies, strict=True)},
        "server_cpu_us": 1e6 * spent / requests if requests else None,
    }
