"""The container itself, started with a setting and put under load from this process, over HTTP."""

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from threading import Thread
from time import perf_counter
from typing import Any

import numpy as np

from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.serving.container.engines.golden import golden_inputs
from mlplatform_cdk.serving.container.negotiation import JSON, NPY, NPZ, media_type
from mlplatform_cdk.serving.container.settings import Settings
from mlplatform_cdk.serving.tune.trials import Served

CONNECTIONS = 16
_SECONDS, _WARM_SECONDS = 1.5, 0.3
_START_SECONDS = _ANSWER_SECONDS = 60


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
            times, seconds = asyncio.run(_load(port, *question(manifest)))
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


def question(manifest: Manifest) -> tuple[str, bytes]:
    """The first golden request in a format that the model takes: the content type, and the body.

    :raises TuneError: when there is none that can carry it.
    """
    golden = manifest.golden_requests[0]
    kinds = {media_type(one)[0] for one in manifest.content_types}
    if JSON in kinds:
        return JSON, json.dumps(golden.body()).encode()
    inputs, file = golden_inputs(manifest, golden), io.BytesIO()
    if any(one.dtype == object for one in inputs.values()) or not kinds & ({NPY, NPZ} if len(inputs) == 1 else {NPZ}):
        told = ", ".join(manifest.content_types)
        raise TuneError(f"a model must take JSON, or npy or npz for numbers, to be asked as it is tuned, got {told}")
    if NPZ in kinds:
        np.savez(file, **inputs)  # type: ignore[arg-type]  # the names are the inputs'
        return NPZ, file.getvalue()
    np.save(file, inputs[manifest.inputs[0].name])
    return NPY, file.getvalue()


class _started:  # noqa: N801 - read as a verb
    """A container on a free port; stopped at the end."""

    def __init__(self, base: Path, environment: Mapping[str, str]) -> None:
        own = {one.metadata["variable"] for one in fields(Settings)}  # a cache, or a log, of the caller's would count
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in own},
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
                # What the model's hooks print would stop it where nobody read.
                self._reader = Thread(target=deque, args=(self._process.stdout, 0), daemon=True)
                self._reader.start()
                return int(port)
        self._process.wait()
        raise TuneError(f"the container must serve the model, got: {wrong or 'an end without a word'}")

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_START_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        assert self._process.stdout
        self._process.stdout.close()


async def _load(port: int, kind: str, body: bytes) -> tuple[list[float], float]:
    """Closed loop: each connection asks again when it was answered. The times after the first moment, and how long."""
    lines = ("POST /invocations HTTP/1.1", "Host: x", f"Content-Type: {kind}", f"Content-Length: {len(body)}")
    head = "\r\n".join([*lines, "", ""])
    begin = perf_counter() + _WARM_SECONDS
    end = begin + _SECONDS
    asked = (_ask(port, head.encode() + body, begin, end) for _ in range(CONNECTIONS))
    try:
        async with asyncio.timeout(_WARM_SECONDS + _SECONDS + _ANSWER_SECONDS):
            found = await asyncio.gather(*asked)
    except TimeoutError:
        raise TuneError(f"the container must answer a golden request within {_ANSWER_SECONDS} s, got none") from None
    except (ConnectionError, EOFError) as error:
        raise TuneError(f"the container must answer golden requests, got an end of the connection ({error})") from None
    return [one for times in found for one in times], _SECONDS


async def _ask(port: int, request: bytes, begin: float, end: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
    times = []
    while (started := perf_counter()) < end:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        await _read_body(reader, head.lower())
        now = perf_counter()
        if not head.startswith(b"HTTP/1.1 200"):
            status = head.splitlines()[0].decode(errors="replace")
            raise TuneError(f"the container must answer a golden request with 200, got {status}")
        if begin <= now < end:
            times.append(now - started)
    writer.close()
    return times


async def _read_body(reader: asyncio.StreamReader, head: bytes) -> None:
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    if length:
        await reader.readexactly(int(length))
        return
    while size := int(await reader.readline(), 16):  # a stream's chunks
        await reader.readexactly(size + 2)
    await reader.readline()
