"""How the container behaves: one frozen record, read once from environment variables, each with a range and a default.

docs/serving.md shows them as a table, which a test holds against this file.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from mlplatform_cdk.runtimekit.settings import SettingError
from mlplatform_cdk.serving.container.limits import Limits

STANDARD_OUTPUT = "-"  # as a folder of captures
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_MIB = 1024 * 1024
_LIMITS = Limits()
_BATCH_DEADLINE_MS = 600_000.0


def _setting(
    variable: str, default: Any, text: str, *, least: float | None = None, most: float | None = None, **more: Any
) -> Any:
    told = {"variable": variable, "text": text, "least": least, "most": most, **more}
    return field(default=default, metadata=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says; ``None`` means that the manifest says it, or else the machine."""

    host: str = _setting("BIND_HOST", "0.0.0.0", "the address to listen on")  # noqa: S104 - a container is reached from outside
    port: int = _setting("SAGEMAKER_BIND_TO_PORT", 8080, "the port; 0 takes a free one", least=0, most=65535)
    leave_root_for: str | None = _setting(
        "LEAVE_ROOT_FOR",
        None,
        "who goes on when root started it, as uid:gid",
        other="root; the images say 10001:10001",
    )
    max_body_bytes: int = _setting("MAX_BODY_BYTES", _LIMITS.body_bytes, "the largest request body", least=1)
    max_rows: int = _setting("MAX_ROWS", _LIMITS.rows, "the most rows in one request", least=1)
    max_elements: int = _setting("MAX_ELEMENTS", _LIMITS.elements, "the most numbers or texts in one tensor", least=1)
    max_pixels: int = _setting("MAX_PIXELS", _LIMITS.pixels, "the largest picture, also while it is resized", least=1)
    max_unpacked_bytes: int = _setting(
        "MAX_UNPACKED_BYTES", _LIMITS.unpacked_bytes, "what a compressed body (npz) may unpack to", least=1
    )
    max_header_bytes: int = _setting("MAX_HEADER_BYTES", 32768, "the largest request head", least=1024, most=_MIB)
    client_timeout_s: float = _setting(
        "CLIENT_TIMEOUT_S", 30.0, "how long a client may take to send a request, or to take an answer", least=0.05
    )
    idle_timeout_s: float = _setting("IDLE_TIMEOUT_S", 75.0, "how long a connection may stay silent", least=0.05)
    drain_timeout_s: float = _setting(
        "DRAIN_TIMEOUT_S", 25.0, "how long SIGTERM waits for answers; SageMaker kills after 30", least=0.05
    )
    lanes: int | None = _setting(
        "LANES", None, "batches computed at once", least=1, most=256, other="the manifest's, else one per core"
    )
    max_batch_size: int | None = _setting(
        "MAX_BATCH_SIZE", None, "the most rows computed at once", least=1, most=65536, other="the manifest's, else 64"
    )
    max_batch_delay_ms: float | None = _setting(
        "MAX_BATCH_DELAY_MS",
        None,
        "how long a row may wait for others while a lane is free",
        least=0,
        most=30,
        other="the manifest's, else 0",
    )
    busy_poll_us: int = _setting(
        "BUSY_POLL_US",
        0,
        "how long the event loop looks for requests after an answer before it sleeps, in microseconds",
        least=0,
        most=1000,
    )
    queue_limit: int = _setting("QUEUE_LIMIT", 1024, "the most requests that wait; beyond it: 429", least=1)
    deadline_ms: float | None = _setting(
        "DEADLINE_MS",
        None,
        "when an answer is too late, counted from the request's arrival",
        least=1,
        other="nine tenths of the manifest's latency_budget_ms",
    )
    batch: bool = _setting(
        "SAGEMAKER_BATCH",
        False,
        "whether this is a batch transform, whose answers are due in 600 s unless DEADLINE_MS is set",
    )
    max_payload_mb: int | None = _setting(
        "SAGEMAKER_MAX_PAYLOAD_IN_MB",
        None,
        "the largest request body of a batch transform unless MAX_BODY_BYTES is set; 0: of any size",
        least=0,
        other="MAX_BODY_BYTES",
    )
    processes: int | None = _setting(
        "PROCESSES", None, "processes that share the port", least=1, most=256, other="the manifest's, else 1"
    )
    engine: str | None = _setting("ENGINE", None, "what computes", other="the manifest's, else auto")
    precision: str | None = _setting("PRECISION", None, "which of the model's files", other="the manifest's, else auto")
    allow_cpu: bool = _setting("ALLOW_CPU", False, "whether a machine with a GPU may serve on its CPU")
    threads: int | None = _setting(
        "INFERENCE_THREADS", None, "cores that compute one batch", least=1, most=256, other="1"
    )
    multi_model: bool = _setting("SAGEMAKER_MULTI_MODEL", False, "whether /models loads and unloads models")
    model_memory_bytes: int | None = _setting(
        "MODEL_MEMORY_BYTES", None, "the memory that loaded models may take", least=1, other="half of what there is"
    )
    evict_models: bool = _setting(
        "EVICT_MODELS", False, "whether a load unloads the model not asked for longest; SageMaker does that itself"
    )
    allow_hooks: bool = _setting("ALLOW_HOOKS", True, "whether a model may bring code of its own, in hooks.py")
    cache_bytes: int = _setting("CACHE_BYTES", 0, "memory for answers to equal requests; 0: none are kept", least=0)
    cache_seconds: float = _setting("CACHE_SECONDS", 60.0, "how long a kept answer is good", least=0)
    cache_single_flight: bool = _setting(
        "CACHE_SINGLE_FLIGHT", False, "whether equal requests at the same time are computed once"
    )
    cache_url: str | None = _setting("CACHE_URL", None, "a shared cache, as valkey://host:port", other="none")
    cache_timeout_ms: float = _setting(
        "CACHE_TIMEOUT_MS", 20.0, "how long the shared cache may take before it is left out", least=1, most=1000
    )
    capture_share: float = _setting(
        "CAPTURE_SHARE", 0.0, "share of requests kept as SageMaker's data capture does", least=0, most=1
    )
    capture_target: str = _setting(
        "CAPTURE_TARGET",
        STANDARD_OUTPUT,
        "the folder for them; - writes them to standard output, between the log's lines",
    )
    capture_bytes: int = _setting(
        "CAPTURE_BYTES", 64 * _MIB, "what waits to be written, and what a folder gets in all, at most", least=1
    )
    access_log_share: float = _setting(
        "ACCESS_LOG_SHARE", 0.0, "share of requests that get a line in the log", least=0, most=1
    )
    lambda_streaming: bool = _setting(
        "LAMBDA_STREAMING", False, "whether answers leave a Lambda function as a stream (InvokeMode RESPONSE_STREAM)"
    )
    metrics_namespace: str | None = _setting(
        "METRICS_NAMESPACE", None, "CloudWatch namespace of the metrics in the log (EMF)", other="none: no such lines"
    )

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """The settings that ``environment`` makes; an empty variable counts as missing.

        In a batch transform, what is left open is the job's:
        https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html

        :raises SettingError: when a variable does not mean what it must.
        """
        told = {one: environment.get(one.metadata["variable"], "") for one in fields(cls)}
        found = {one.name: _parsed(one, text) for one, text in told.items() if text}
        return cls(**(_of_batch(found) | found))

    def limits(self) -> Limits:
        """What one request may make the container allocate."""
        return Limits(
            body_bytes=self.max_body_bytes,
            rows=self.max_rows,
            elements=self.max_elements,
            pixels=self.max_pixels,
            unpacked_bytes=self.max_unpacked_bytes,
        )


def _of_batch(found: Mapping[str, Any]) -> dict[str, Any]:
    """What a batch transform says of requests: their size, and how long SageMaker waits for an answer, by default.

    That is the default of InvocationsTimeoutInSeconds, which the container is not told:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ModelClientConfig.html
    """
    if not found.get("batch"):
        return {}
    payload = found.get("max_payload_mb")
    size = sys.maxsize if payload == 0 else (payload or 0) * _MIB  # 0: sent in chunks, as large as the object
    return {"deadline_ms": _BATCH_DEADLINE_MS, "max_body_bytes": max(size, _LIMITS.body_bytes)}


def table() -> str:
    """The settings as a table in Markdown."""
    lines = ["| variable | meaning | default | range |", "|---|---|---|---|"]
    for one in fields(Settings):
        told = one.metadata
        default = told.get("other") or (str(one.default).lower() if isinstance(one.default, bool) else one.default)
        lines.append(f"| `{told['variable']}` | {told['text']} | {default} | {_range(one)} |")
    return "\n".join(lines)


def _range(one: Field[Any]) -> str:
    least, most = one.metadata["least"], one.metadata["most"]
    if "bool" in str(one.type):
        return "true, false"
    if least is None:
        return ""
    return f"{least} or more" if most is None else f"{least} to {most}"


def _parsed(one: Field[Any], text: str) -> Any:
    kind = str(one.type)
    if "str" in kind:
        return text
    if "bool" in kind:
        if text.lower() not in _TRUE + _FALSE:
            raise SettingError(
                f"the environment variable {one.metadata['variable']} must be true or false, got {text!r}"
            )
        return text.lower() in _TRUE
    return _number(one, text, int if "int" in kind else float)


def _number(one: Field[Any], text: str, kind: type[int] | type[float]) -> float:
    least, most = one.metadata["least"], one.metadata["most"]
    try:
        value = kind(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= (most if most is not None else float("1e300")):
        word = "a whole number" if kind is int else "a number"
        sentence = f"the environment variable {one.metadata['variable']} must be {word}, {_range(one)}, got {text!r}"
        raise SettingError(sentence)
    return value
