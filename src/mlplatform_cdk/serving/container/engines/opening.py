"""From a model folder and a choice to the engine that runs it."""

from pathlib import Path

from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.serving.container.engines.choice import EngineChoice
from mlplatform_cdk.serving.container.engines.engine import Engine
from mlplatform_cdk.serving.container.engines.onnx_cpu import OnnxCpuEngine


def open_engine(folder: Path, manifest: Manifest, choice: EngineChoice) -> Engine:
    """The engine for the model in ``folder``.

    :param folder: the unpacked model, its files already checked against ``manifest``.
    :param manifest: names the files and the outputs.
    :param choice: what is wanted.
    """
    precision = "fp32" if choice.precision == "auto" else choice.precision
    file = next(one for one in manifest.files if one.precision == precision)
    return OnnxCpuEngine(folder / file.path, precision, [one.name for one in manifest.outputs], choice)
