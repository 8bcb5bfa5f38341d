"""The container itself, started with a setting and put under load from this process, over HTTP."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.serving.tune.trials import Served

CONNECTIONS = 16
_SECONDS, _WARM_SECONDS = 1.5, 0.3
_START_SECONDS = 60


class TuneError(KnownError):
    """A model that cannot be tuned, in one sentence."""


def under_load(folder: Path, manifest: Manifest, changed: str, environment: Mapping[str, str]) -> Served:
    """How the container answers the first golden request, asked over ``CONNECTIONS`` connections at once.

    :param folder: the unpacked model.
    :param manifest: the model's.
    :param changed: what the setting is, in words.
    :param environment: the container's settings.
    """
    with tempfile.TemporaryDirectory() as base:
        Path(base, "model").symlink_to(folder.resolve(), target_is_directory=True)
        with _started(Path(base), environment) as port:
            body = json.dumps(manifest.golden_requests[0].body()).encode()
            times, seconds = asyncio.run(_load(port, body))
    if not times:
        raise TuneError(f"the container must answer golden requests under load, got no answer with {dict(environment)}")
    times.sort()
    return Served(
        changed=changed,
        max_batch_size=int(environment["MAX_BATCH_SIZE"]),
        max_batch_delay_ms=float(environment["MAX_BATCH_DELAY_MS"]),
        processes=int(environment["PROCESSES"]),
        requests_per_second=len(times) / seconds,
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[int(len(times) * 0.99)] * 1000,
    )


class _started:  # noqa: N801 - read as a verb
    """A container on a free port; stopped at the end."""

    def __init__(self, base: Path, environment: Mapping[str, str]) -> None:
        self._environment = {
            **os.environ,
            "SAGEMAKER_BASE_DIR": str(base),
            "BIND_HOST": "127.0.0.1",
            "SAGEMAKER_BIND_TO_PORT": "0",
            "DEADLINE_MS": "60000",
            **environment,
        }

    def __enter__(self) -> int:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mlplatform_cdk.serving.container", "serve"],
            env=self._environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        port: Any = 0
        seen: list[str] = []
        wrong = ""
        assert self._process.stdout
        for line in self._process.stdout:
            told = json.loads(line) if line.startswith("{") else {"message": line.strip()}
            seen.append(str(told.get("message")))
            wrong = seen[-1] if told.get("level") == "ERROR" else wrong
            port = told.get("port") or port
            if seen.count("ready") == int(self._environment["PROCESSES"]):
                return int(port)
        self._process.wait()
        raise TuneError(f"the container must serve the model, got: {wrong or 'an end without a word'}")

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.communicate(timeout=_START_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


async def _load(port: int, body: bytes) -> tuple[list[float], float]:
    """Closed loop: each connection asks again when it was answered. The times after the first moment, and how long."""
    lines = ("POST /invocations HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {len(body)}")
    head = "\r\n".join([*lines, "", ""])
    begin = perf_counter() + _WARM_SECONDS
    end = begin + _SECONDS
    found = await asyncio.gather(*(_ask(port, head.encode() + body, begin, end) for _ in range(CONNECTIONS)))
    return [one for times in found for one in times], _SECONDS


async def _ask(port: int, request: bytes, begin: float, end: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    times = []
    while (started := perf_counter()) < end:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        length = int(lower.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        now = perf_counter()
        if not head.startswith(b"HTTP/1.1 200"):
            status = head.splitlines()[0].decode(errors="replace")
            raise TuneError(f"the container must answer a golden request with 200, got {status}")
        if begin <= now < end:
            times.append(now - started)
    writer.close()
    return times
