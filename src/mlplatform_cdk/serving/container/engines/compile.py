"""``python -m mlplatform_cdk.serving.container.engines.compile``: puts TensorRT's engines into the archive.

A SageMaker processing job on the GPU instance type that will serve; the container then loads what lies there and builds
nothing. No GPU was at hand when this was written: its flow is tested with a provider that is not TensorRT's.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from mlplatform_cdk.runtimekit import job, logs, settings
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.job import JobError
from mlplatform_cdk.runtimekit.manifest import Manifest, ModelFile, Serving, unpack_archive
from mlplatform_cdk.runtimekit.manifest.packing import pack_folder
from mlplatform_cdk.serving.container.engines import machine, tensorrt
from mlplatform_cdk.serving.container.engines.choice import EngineChoice
from mlplatform_cdk.serving.container.engines.golden import golden_inputs
from mlplatform_cdk.serving.container.engines.gpu import TENSORRT, GpuEngine
from mlplatform_cdk.serving.container.engines.independence import batches_by_row

ARCHIVE = "model.tar.gz"
_log = logs.logger("compile")


def main() -> None:
    """Compile the model of the input ``model`` and write the archive to the output ``compiled``."""
    machine.load_driver()
    archive = job.required_archive("model")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "model")
        folder.mkdir()
        manifest = unpack_archive(archive, folder)
        tuned = (manifest.serving or Serving()).max_batch_size or EngineChoice().max_batch_size
        rows = int(settings.number("MAX_BATCH_SIZE", tuned, least=1, most=65536))
        _compile_files(folder, manifest, rows)
        pack_folder(folder, job.processing_output("compiled") / ARCHIVE)


def _compile_files(folder: Path, manifest: Manifest, rows: int) -> None:
    """Build what TensorRT can build, and say of each file that it cannot why.

    :raises KnownError: when it builds none.
    """
    refused: list[KnownError] = []
    for file in manifest.files:
        try:
            compile_file(folder, manifest, file, rows)
        except KnownError as error:
            _log.warning("not compiled", extra={"file": file.path, "precision": file.precision, "reason": str(error)})
            refused.append(error)
    if len(refused) == len(manifest.files):
        raise refused[0]


def compile_file(folder: Path, manifest: Manifest, file: ModelFile, rows: int) -> Path:
    """Build the engine of ``file`` for one row up to ``rows`` on this machine's GPU; the folder that it lies in.

    :param folder: the unpacked model; the engine goes under it.
    :param manifest: the model's.
    :param file: one of its files.
    :param rows: the most in a batch.
    :raises KnownError: when the machine has no GPU or no TensorRT, or nothing was built.
    """
    key, profile = tensorrt.engine_key(manifest, file), tensorrt.shape_profile(manifest, rows)
    place = folder / tensorrt.FOLDER / key.name()
    if tensorrt.shipped(folder, key) is not None and tensorrt.max_batch_size_of(place) == rows:
        _log.info("already compiled", extra={"engine": key.name()})
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    outputs = [one.name for one in manifest.outputs]
    providers = tensorrt.providers(place, file.precision, profile)
    try:
        engine = GpuEngine("tensorrt", folder / file.path, file.precision, outputs, providers, EngineChoice())
        _require_ranges(engine, file)
        _build(engine, manifest, rows)
        _require_engine(place, file)
    except BaseException:
        shutil.rmtree(place)
        raise
    tensorrt.describe(place, key, rows)
    _log.info("compiled", extra={"engine": key.name(), "max_batch_size": rows})
    return place


def _require_ranges(engine: GpuEngine, file: ModelFile) -> None:
    """Refuse int8 of which TensorRT would compute fragments, slower than fp32, and its provider tells nobody.

    It takes signed types around zero (https://github.com/NVIDIA/TensorRT/issues/2774); what ``mlplatform quantize``
    makes for CPUs has unsigned ones. What it refuses, or has scales of each request's own, goes to other providers.
    """
    others = set[str]().union(*(names for provider, names in engine.operators.items() if provider != TENSORRT))
    left = sorted(one for one in others if one.rpartition(".")[2].startswith(("QuantizeLinear", "DynamicQuantize")))
    if left:
        engine.close()
        raise JobError(
            f"TensorRT must take the int8 ranges of {file.path}, got {', '.join(left)} left to others: it takes signed "
            "types around zero, and the ranges for CPUs are unsigned"
        )


def _build(engine: GpuEngine, manifest: Manifest, rows: int) -> None:
    inputs = golden_inputs(manifest, manifest.golden_requests[0])
    try:
        engine.run(inputs)  # the engine is built with the first run
        if batches_by_row(manifest):
            engine.run({name: np.repeat(array[:1], rows, axis=0) for name, array in inputs.items()})
    except Exception as error:  # the runtime's errors are of many types
        raise JobError(f"TensorRT must compute a golden request, got {' '.join(str(error).split())[:300]}") from error
    finally:
        engine.close()


def _require_engine(place: Path, file: ModelFile) -> None:
    if not any(place.glob("*.engine")):
        raise JobError(f"TensorRT must build an engine of {file.path}, got none: it can compute no part of this model")


if __name__ == "__main__":
    sys.exit(job.run_step(main, name="compile", reason_file="message"))
