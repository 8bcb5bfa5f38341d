"""TensorRT's engines: compiled once for a model, a GPU architecture and a range of batch sizes, then only loaded.

They lie in ``tensorrt/<key>/`` beside the model; the compile job (``compile.py``) puts them there.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from mlplatform_cdk.runtimekit.manifest import Manifest, ModelFile, Precision
from mlplatform_cdk.serving.container.engines import machine
from mlplatform_cdk.serving.container.engines.errors import ModelError
from mlplatform_cdk.serving.container.engines.gpu import CUDA_PROVIDERS, TENSORRT
from mlplatform_cdk.serving.container.engines.runtime import Providers

FOLDER = "tensorrt"
_ABOUT = "about.json"
_ROWS = "max_batch_size"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineKey:
    """All that must be the same where an engine is compiled and where it serves; its batch size is its own to say.

    :param model_sha256: the digest of the ONNX file.
    :param precision: of the file.
    :param runtime: ONNX Runtime's version, which cuts the graph into what TensorRT gets.
    :param tensorrt: TensorRT's version; its engines load in no other.
    :param compute_capability: the GPU's architecture.
    :param inputs: their shapes by name, as JSON.
    """

    model_sha256: str
    precision: str
    runtime: str
    tensorrt: str
    compute_capability: str
    inputs: str

    def name(self) -> str:
        """The folder of the engine: the architecture for a reader, the rest as a digest."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
        return f"sm{self.compute_capability.replace('.', '')}-{self.precision}-{digest[:16]}"


def engine_key(manifest: Manifest, file: ModelFile) -> EngineKey:
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
        inputs=json.dumps({one.name: one.shape for one in manifest.inputs}),
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


def providers(place: Path, precision: Precision, profile: Mapping[str, str]) -> Providers:
    """The providers with options that keep an engine in ``place``; what TensorRT cannot compute, CUDA does.

    :param place: the engine's folder.
    :param precision: of the file.
    :param profile: as ``shape_profile`` gives it; with another than it was compiled for, an engine would be built anew
        (https://github.com/microsoft/onnxruntime/pull/15546).
    """
    # https://onnxruntime.ai/docs/execution-providers/TensorRT-ExecutionProvider.html
    options: Mapping[str, str] = {
        "device_id": "0",
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(place),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(place),
        "trt_fp16_enable": "1" if precision == "fp16" else "0",
        "trt_int8_enable": "1" if precision == "int8" else "0",
        **profile,
    }
    return ((TENSORRT, options), *CUDA_PROVIDERS)


def shipped(folder: Path, key: EngineKey) -> Path | None:
    """The folder of this key's engine among those shipped in the model's ``folder``, if it is there."""
    place = folder / FOLDER / key.name()
    return place if (place / _ABOUT).is_file() and any(place.glob("*.engine")) else None


def describe(place: Path, key: EngineKey, max_batch_size: int) -> None:
    """Write beside the engine in ``place`` what it was compiled for."""
    about = asdict(key) | {_ROWS: max_batch_size}
    (place / _ABOUT).write_text(json.dumps(about, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def max_batch_size_of(place: Path) -> int:
    """The most rows that the engine in ``place`` was compiled for."""
    return int(_about(place)[_ROWS])


def nearest(folder: Path, key: EngineKey | None) -> str:
    """What the archive has of engines and how far that is from ``key``, in words; empty: it has none.

    :param folder: of the unpacked model.
    :param key: what is needed; None: no engine can be used here.
    """
    places = sorted(one.parent for one in (folder / FOLDER).glob(f"*/{_ABOUT}"))
    if not places or key is None:
        return ", ".join(place.name for place in places)
    told = {place.name: _differences(_about(place), key) for place in places}
    name = min(told, key=lambda one: len(told[one]))
    return f"{name}, which is for {', '.join(told[name]) or 'it, without its engine'}"


def _differences(about: Mapping[str, object], key: EngineKey) -> list[str]:
    return [f"{name} {about.get(name)} and not {one}" for name, one in asdict(key).items() if about.get(name) != one]


def _about(place: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((place / _ABOUT).read_text(encoding="utf-8"))
    return found
