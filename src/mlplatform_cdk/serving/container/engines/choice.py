"""What is wanted of an engine: by the environment first, by the manifest's tuning next, else by what the machine has."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

EngineName = Literal["auto", "cpu", "cuda", "tensorrt", "openvino"]


def usable_cores() -> int:
    """The cores that this process may run on: fewer than the machine has where its affinity says so."""
    affinity = getattr(os, "sched_getaffinity", None)  # Linux only
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineChoice:
    """Which file of a model is run, by what, and on how many cores.

    :param precision: ``fp32``, ``fp16``, ``int8``, or ``auto``: fp16 on a GPU where the archive has it, else fp32.
    :param engine: ``cpu`` (ONNX Runtime), ``openvino``, ``cuda``, ``tensorrt``, or ``auto``: TensorRT, then CUDA, then
        the CPU, by what the machine has.
    :param threads: how many compute one call of ``run``; default: 1, since lanes run beside one another.
    :param lone_threads: how many compute a request that is alone; default: as many as there are cores.
    :param allow_cpu: may a machine with a GPU serve on its CPU; default: no.
    :param engine_cache: where TensorRT's engines lie; default: ``tensorrt`` beside the model.
    """

    precision: str = "auto"
    engine: str = "auto"
    threads: int = 1
    lone_threads: int = field(default_factory=usable_cores)
    allow_cpu: bool = False
    engine_cache: Path | None = None
