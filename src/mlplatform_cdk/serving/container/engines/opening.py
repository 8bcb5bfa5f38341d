"""From a model folder and a choice to the engine that runs it, never to another one in silence."""

from pathlib import Path

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.runtimekit.manifest import Manifest, ModelFile, Serving
from mlplatform_cdk.serving.container.engines import machine, tensorrt
from mlplatform_cdk.serving.container.engines.choice import AUTO, GPU_ENGINES, EngineChoice
from mlplatform_cdk.serving.container.engines.engine import Engine
from mlplatform_cdk.serving.container.engines.errors import ModelError
from mlplatform_cdk.serving.container.engines.gpu import CUDA, CUDA_PROVIDERS, TENSORRT, GpuEngine
from mlplatform_cdk.serving.container.engines.independence import batches_by_row
from mlplatform_cdk.serving.container.engines.onnx_cpu import OnnxCpuEngine
from mlplatform_cdk.serving.container.engines.runtime import available_providers

_log = logs.logger("engines")


def open_engine(folder: Path, manifest: Manifest, choice: EngineChoice) -> Engine:
    """The engine for the model in ``folder``.

    :param folder: the unpacked model, its files already checked against ``manifest``.
    :param manifest: names the files and the outputs.
    :param choice: what is wanted.
    :raises ModelError: when the archive or the machine does not have it.
    """
    gpu = _gpu_to_use(choice)
    file = _file(manifest, choice, gpu=gpu)
    outputs = [one.name for one in manifest.outputs]
    if not gpu:
        return _on_cpu(folder, manifest, choice, file)
    place = _shipped(folder, manifest, choice, file) if choice.engine != "cuda" else None
    if place is not None:
        rows = tensorrt.max_batch_size_of(place)
        providers = tensorrt.providers(place, file.precision, tensorrt.shape_profile(manifest, rows))
        most = rows if batches_by_row(manifest) else None
        return GpuEngine("tensorrt", folder / file.path, file.precision, outputs, providers, choice, most)
    return GpuEngine("cuda", folder / file.path, file.precision, outputs, CUDA_PROVIDERS, choice)


def _gpu_to_use(choice: EngineChoice) -> bool:
    """Whether the GPU computes; an error where the machine has one that cannot be used, or none that is wanted."""
    sign = machine.signs_of_gpu()
    if sign:
        machine.load_driver()
    usable = CUDA in available_providers()
    if choice.engine in GPU_ENGINES and not (sign and usable):
        lacking = "an ONNX Runtime without CUDA" if sign else "a machine without a GPU"
        raise ModelError(f"the engine {choice.engine} needs an NVIDIA GPU and onnxruntime-gpu, got {lacking}")
    if choice.engine in GPU_ENGINES or not sign:
        return bool(sign)
    if choice.allow_cpu and (choice.engine != AUTO or not usable):
        return False
    if choice.engine == AUTO and usable:
        return True
    wanted = "an ONNX Runtime without CUDA" if not usable else f"the engine {choice.engine}"
    raise ModelError(
        f"a machine with a GPU ({sign}) must serve on it, got {wanted}; set ALLOW_CPU=true to serve on the CPU"
    )


def _file(manifest: Manifest, choice: EngineChoice, *, gpu: bool) -> ModelFile:
    have = {one.precision: one for one in manifest.files}
    wanted = choice.precision
    if wanted == AUTO:
        tuned = manifest.serving or Serving()
        fits = tuned.engine is None or (tuned.engine in GPU_ENGINES) == gpu  # tuned on such a machine
        best = "fp16" if gpu and "fp16" in have else "fp32" if "fp32" in have else next(iter(have))
        wanted = tuned.precision if tuned.precision and fits else best
    for precision, file in have.items():
        if precision == wanted:
            return file
    raise ModelError(f"the model must have a file of precision {wanted}, got {', '.join(have)}")


def _on_cpu(folder: Path, manifest: Manifest, choice: EngineChoice, file: ModelFile) -> Engine:
    outputs = [one.name for one in manifest.outputs]
    tuned = manifest.serving.engine if manifest.serving else None
    if choice.engine == "openvino" or (choice.engine == AUTO and tuned == "openvino"):
        from mlplatform_cdk.serving.container.engines.openvino_cpu import OpenVinoEngine

        return OpenVinoEngine(folder / file.path, file.precision, outputs, choice)
    return OnnxCpuEngine(folder / file.path, file.precision, outputs, choice)


def _shipped(folder: Path, manifest: Manifest, choice: EngineChoice, file: ModelFile) -> Path | None:
    """Where TensorRT's engine is; None: CUDA shall compute, and the log says why where the archive has engines.

    :raises ModelError: when TensorRT was asked for, and has no engine for this model and machine.
    """
    if TENSORRT not in available_providers() or machine.tensorrt_version() is None:
        key, needed = None, "TensorRT in the image, which needs a base_image that has it"
    else:
        key = tensorrt.engine_key(manifest, file)
        place = tensorrt.shipped(folder, key)
        if place is not None:
            return place
        needed = f"tensorrt/{key.name()}, made by the compile job with this image on this instance type"
    found = tensorrt.nearest(folder, key)
    if choice.engine == "tensorrt":
        raise ModelError(
            f"TensorRT must have an engine compiled for this model and machine ({needed}), got "
            f"{found or 'none in the archive'}"
        )
    if found:
        _log.warning("CUDA computes: no engine of TensorRT fits", extra={"needed": needed, "found": found})
    return None
