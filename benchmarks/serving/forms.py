"""The forms in which each server stands beside ours: those that its own documentation advises."""

import os
from collections.abc import Sequence

from benchmarks.serving import environments
from benchmarks.serving.servers import Server
from benchmarks.serving.wire import JSON

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
ALL = str(CORES)
OURS = Server(name="mlplatform", environment=environments.OURS)
_PROCESSES = Server(name=f"mlplatform, {ALL} processes", environment=environments.OURS, settings={"PROCESSES": ALL})
FASTAPI = Server(name="FastAPI+uvicorn", environment="fastapi", settings={"WORKERS": ALL})
_STRIPPED = Server(name="FastAPI+uvicorn, stripped", environment="fastapi", settings={"WORKERS": ALL, "STRIPPED": "1"})
MOSEC = Server(name="mosec", environment="mosec", settings={"WORKERS": ALL})
_BATCHES = {"WORKERS": "1", "BATCH": "64", "WAIT": "1"}


def _mosec(name: str, workers: str, batch: int) -> Server:
    """One that fills a batch, or waits a millisecond for it: the best size depends on how many ask."""
    return Server(
        name=f"mosec, {name}", environment="mosec", settings={"WORKERS": workers, "BATCH": str(batch), "WAIT": "1"}
    )


TABULAR = (
    OURS,
    _PROCESSES,
    Server(name="mlplatform, busy polling", environment=environments.OURS, settings={"BUSY_POLL_US": "100"}),
    Server(name="mosec, 1 worker", environment="mosec", settings={"WORKERS": "1"}),
    MOSEC,
    _mosec("batches of 16", "1", 16),
    _mosec("batches of 16 on all cores", ALL, 16),
    _mosec("batches of 32 on all cores", ALL, 32),
    _mosec("batches of 64", "1", 64),
    FASTAPI,
    _STRIPPED,
    Server(name="LitServe", environment="litserve", settings={"WORKERS": ALL}),
    Server(name="LitServe, batching", environment="litserve", settings=_BATCHES),
    Server(name="MLServer", environment="mlserver"),
    Server(
        name="Triton (Python backend)",
        environment="pytriton",
        settings={"WORKERS": ALL},
        path="/v2/models/model/infer",
    ),
)
FORMATS = (OURS, _PROCESSES, MOSEC, FASTAPI, _STRIPPED)
# A slow model: FastAPI computes in its thread pool, so that its loop goes on.
_SLOW = {**FASTAPI.settings, "INLINE": "0"}
_SLOW_FASTAPI = Server(name=FASTAPI.name, environment=FASTAPI.environment, settings=_SLOW)
_SLOW_STRIPPED = Server(
    name=_STRIPPED.name, environment=_STRIPPED.environment, settings={**_SLOW, **_STRIPPED.settings}
)
# The others answer however late it is; where only throughput counts, so does ours. Overload is measured without this.
_PATIENT = Server(name=OURS.name, environment=OURS.environment, settings={"DEADLINE_MS": "60000"})
# What `mlplatform tune` chooses for the image model in int8. All others compute on ONNX Runtime.
OPENVINO = Server(
    name="mlplatform, OpenVINO",
    environment=environments.OURS_OPENVINO,
    settings={**_PATIENT.settings, "ENGINE": "openvino"},
)
_SLOW_BATCHES = {"WORKERS": ALL, "BATCH": "4", "WAIT": "5"}
_SLOW_PEERS = (
    MOSEC,
    Server(name="mosec, batches of 4", environment="mosec", settings=_SLOW_BATCHES),
    _SLOW_FASTAPI,
    _SLOW_STRIPPED,
)
HEAVY = {"image": (_PATIENT, OPENVINO, *_SLOW_PEERS), "transformer": (_PATIENT, *_SLOW_PEERS)}
OVERLOADED = (OURS, MOSEC, _SLOW_FASTAPI)


def asked_as(servers: Sequence[Server], kind: str) -> list[Server]:
    """Those that differ for bodies of ``kind``: FastAPI has one form for what is not JSON."""
    return [one for one in servers if kind == JSON or "STRIPPED" not in one.settings]
