"""TensorRT's engines: compiled once for a model, a GPU architecture and a range of shapes, then only loaded.

They lie in ``tensorrt/<key>/`` beside the model; the compile job puts them there, see serving/compile.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mlplatform_cdk.runtimekit.manifest import Manifest, ModelFile
from mlplatform_cdk.serving.container.engines import machine
from mlplatform_cdk.serving.container.engines.errors import ModelError
from mlplatform_cdk.serving.container.engines.gpu import CUDA_PROVIDERS, TENSORRT
from mlplatform_cdk.serving.container.engines.runtime import Providers

FOLDER = "tensorrt"
_ABOUT = "about.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineKey:
    """All that an engine is compiled for; another value of any field needs another engine.

    :param model_sha256: the digest of the ONNX file.
    :param precision: of the file.
    :param runtime: ONNX Runtime's version, which cuts the graph into what TensorRT gets.
    :param tensorrt: TensorRT's version; its engines load in no other.
    :param compute_capability: the GPU's architecture.
    :param profile: the range of shapes, as ``shape_profile`` writes it.
    """

    model_sha256: str
    precision: str
    runtime: str
    tensorrt: str
    compute_capability: str
    profile: str

    def name(self) -> str:
        """The folder of the engine: the architecture for a reader, the rest as a digest."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        return f"sm{self.compute_capability.replace('.', '')}-{self.precision}-{digest[:16]}"


def engine_key(manifest: Manifest, file: ModelFile, max_batch_size: int) -> EngineKey:
    """The key of ``file``'s engine on this machine.

    :raises ModelError: when the machine has no GPU or no TensorRT.
    """
    import onnxruntime

    capability, version = machine.compute_capability(), machine.tensorrt_version()
    if capability is None or version is None:
        lacking = "no GPU" if capability is None else "no TensorRT library"
        raise ModelError(f"a TensorRT engine needs a GPU and TensorRT, got a machine with {lacking}")
    return EngineKey(
        model_sha256=file.sha256,
        precision=file.precision,
        runtime=onnxruntime.__version__,
        tensorrt=version,
        compute_capability=capability,
        profile=json.dumps(shape_profile(manifest, max_batch_size), sort_keys=True),
    )


def shape_profile(manifest: Manifest, max_batch_size: int) -> dict[str, str]:
    """The range of shapes as the options of TensorRT's provider; empty where every shape is fixed.

    :param manifest: whose inputs they are; the first dimension may vary, no other.
    :param max_batch_size: the most rows; the engine is fastest there, since load is where speed counts.
    :raises ModelError: when another dimension varies.
    """
    parts: dict[str, list[str]] = {"min": [], "opt": [], "max": []}
    for one in manifest.inputs:
        if any(isinstance(size, str) for size in one.shape[1:]):
            raise ModelError(f"a TensorRT engine needs inputs that vary by batch only, got {one.name} {one.shape}")
        if one.shape and isinstance(one.shape[0], str):
            for part, rows in (("min", 1), ("opt", max_batch_size), ("max", max_batch_size)):
                parts[part].append(f"{one.name}:{'x'.join(map(str, (rows, *one.shape[1:])))}")
    return {f"trt_profile_{part}_shapes": ",".join(values) for part, values in parts.items() if values}


def providers(folder: Path, key: EngineKey) -> Providers:
    """The providers with options that keep engines in ``folder``; what TensorRT cannot compute, CUDA does.

    :param folder: of this key's engine.
    :param key: gives the precision and the range of shapes.
    """
    # https://onnxruntime.ai/docs/execution-providers/TensorRT-ExecutionProvider.html
    options: Mapping[str, str] = {
        "device_id": "0",
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(folder),
        "trt_fp16_enable": "1" if key.precision == "fp16" else "0",
        "trt_int8_enable": "1" if key.precision == "int8" else "0",
        **json.loads(key.profile),
    }
    return ((TENSORRT, options), *CUDA_PROVIDERS)


def shipped(folder: Path, key: EngineKey) -> Path | None:
    """The folder of this key's engine among those shipped in the model's ``folder``, if it is there."""
    place = folder / FOLDER / key.name()
    return place if (place / _ABOUT).is_file() and any(place.glob("*.engine")) else None


def describe(place: Path, key: EngineKey) -> None:
    """Write beside the engine in ``place`` what it was compiled for."""
    (place / _ABOUT).write_text(json.dumps(asdict(key), indent=1, sort_keys=True) + "\n", encoding="utf-8")
