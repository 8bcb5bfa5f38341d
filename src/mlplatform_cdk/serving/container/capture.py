"""A sample of what was asked and answered, as SageMaker's data capture writes it, for hosts that have none.

The format and the files' names: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html
Off the hot path: a request only joins a bounded queue, one thread encodes and writes; what finds no room is counted.
"""

import base64
import os
import random
import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.serving.container.settings import STANDARD_OUTPUT, Settings

_WRITE_SECONDS = 1.0
_ENCODINGS = {"application/json": "JSON", "text/csv": "CSV"}
_log = logs.logger("capture")


class CaptureError(KnownError):
    """A target that captured data cannot be written to."""


@dataclass(slots=True)
class Exchange:
    """One request and its answer.

    :param asked: content type and body of the request.
    :param answered: content type and body of the answer.
    :param inference_id: the caller's own id; default: none.
    :param attributes: the custom attributes; default: none.
    """

    asked: tuple[str, bytes]
    answered: tuple[str, bytes]
    inference_id: str = ""
    attributes: str = ""

    @property
    def bytes(self) -> int:
        """What it holds in memory, about."""
        return len(self.asked[1]) + len(self.answered[1])


class Capture:
    """Takes a share of the exchanges and writes them about once a second.

    :param settings: the share, the target, and how many bytes wait and are written at most.
    :param names: endpoint and variant, the folders below the target.
    :param draw: a number from 0 to 1 for each exchange; default: at random.
    :param output: where standard output is; default: the process's.
    """

    def __init__(
        self,
        settings: Settings,
        names: tuple[str, str] = ("endpoint", "AllTraffic"),
        draw: Callable[[], float] = random.random,
        output: BinaryIO | None = None,
    ) -> None:
        self._share, self._most, self._draw = settings.capture_share, settings.capture_bytes, draw
        self._output = output
        self._folder = None if settings.capture_target == STANDARD_OUTPUT else Path(settings.capture_target, *names)
        self._room = self._most
        self._waiting: deque[tuple[datetime, Exchange]] = deque()
        self._put_bytes = self._got_bytes = 0  # one thread each adds to them: no lock is needed
        self.taken = self.dropped = 0
        self._writing, self._ended = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None
        if self._folder is not None:
            _require_writable(self._folder)

    @staticmethod
    def of(settings: Settings) -> "Capture | None":
        """The capture that ``settings`` ask for, if they do."""
        return Capture(settings) if settings.capture_share > 0 else None

    def start(self) -> None:
        """Write from a thread; without it, ``flush`` writes."""
        self._thread = threading.Thread(target=self._write_on, name="capture", daemon=True)
        self._thread.start()

    def wants(self) -> bool:
        """Whether the next exchange is part of the sample."""
        return self._draw() < self._share

    def take(self, exchange: Exchange) -> None:
        """Let ``exchange`` be written, if there is room for it; this never blocks."""
        if self._put_bytes - self._got_bytes + exchange.bytes > self._most:
            self.dropped += 1
            return
        self._put_bytes += exchange.bytes
        self._waiting.append((datetime.now(UTC), exchange))

    def flush(self) -> None:
        """Write what waits."""
        with self._writing:
            lines: list[bytes] = []
            for _ in range(len(self._waiting)):
                moment, exchange = self._waiting.popleft()
                self._got_bytes += exchange.bytes
                lines.append(line_of(exchange, moment) + b"\n")
            if lines:
                self._write(lines)

    def close(self) -> None:
        """Write what waits, and end."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()
        if self.dropped:
            _log.warning("captured data was left out", extra={"taken": self.taken, "dropped": self.dropped})

    def _write_on(self) -> None:
        while not self._ended.wait(_WRITE_SECONDS):
            self.flush()

    def _write(self, lines: list[bytes]) -> None:
        try:
            if self._folder is not None:
                lines = self._to_file(self._folder, lines)
            elif self._output is not None:
                self._output.write(b"".join(lines))
            else:
                for line in lines:
                    logs.write(line.decode())
        except OSError as error:
            self.dropped += len(lines)
            _log.warning("captured data is lost", extra={"reason": str(error), "lost": len(lines)})
        else:
            self.taken += len(lines)

    def _to_file(self, folder: Path, lines: list[bytes]) -> list[bytes]:
        """Write what the folder still has room for into one file; give what was written."""
        kept: list[bytes] = []
        for line in lines:
            if len(line) <= self._room:
                self._room -= len(line)
                kept.append(line)
        self.dropped += len(lines) - len(kept)
        if kept:
            now = datetime.now(UTC)
            path = folder / now.strftime("%Y/%m/%d/%H") / f"{now.strftime('%M-%S-%f')[:-3]}-{uuid.uuid4()}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".part")
            unfinished.write_bytes(b"".join(kept))
            unfinished.replace(path)
        return kept


def line_of(exchange: Exchange, moment: datetime) -> bytes:
    """An exchange as one line of SageMaker's captured data, without its end.

    :param moment: when it was answered.
    """
    data = {
        "endpointInput": _side("INPUT", *exchange.asked),
        "endpointOutput": _side("OUTPUT", *exchange.answered),
    }
    event: dict[str, Any] = {"eventId": str(uuid.uuid4())}
    if exchange.attributes:
        event["customAttributes"] = [exchange.attributes]
    if exchange.inference_id:
        event["inferenceId"] = exchange.inference_id
    event["inferenceTime"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return orjson.dumps({"captureData": data, "eventMetadata": event, "eventVersion": "0"})


def _side(mode: str, content_type: str, body: bytes) -> dict[str, str]:
    encoding = _ENCODINGS.get(content_type.partition(";")[0].strip().lower(), "BASE64")
    try:
        text = base64.b64encode(body).decode() if encoding == "BASE64" else body.decode()
    except UnicodeDecodeError:
        encoding, text = "BASE64", base64.b64encode(body).decode()
    return {"observedContentType": content_type, "mode": mode, "data": text, "encoding": encoding}


def _require_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CaptureError(f"CAPTURE_TARGET must be a folder that can be written to, got {error}") from None
    if not os.access(folder, os.W_OK):
        raise CaptureError(f"CAPTURE_TARGET must be a folder that can be written to, got {folder}")
