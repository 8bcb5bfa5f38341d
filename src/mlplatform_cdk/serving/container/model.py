"""The model behind the server: its manifest, its ONNX session, and the proof that it answers its golden requests."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.manifest import Manifest, read_folder
from mlplatform_cdk.serving.container.tensors import as_array


class ModelError(KnownError):
    """A model folder that cannot be served."""


class Model:
    """A loaded model; ``run`` may be called from several threads at once.

    :param manifest: what it takes and gives.
    :param session: the ONNX Runtime session.
    """

    def __init__(self, manifest: Manifest, session: Any) -> None:
        self.manifest = manifest
        self._session = session
        self._outputs = [one.name for one in manifest.outputs]

    @classmethod
    def load(cls, folder: Path, *, threads: int) -> "Model":
        """The model in ``folder``, proved on its golden requests.

        :param folder: where SageMaker unpacked ``model.tar.gz``.
        :param threads: how many threads compute one answer.
        """
        import onnxruntime

        manifest = read_folder(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        path = folder / manifest.file("fp32").path
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ModelError(f"{path.name} must be an ONNX model that this runtime loads, got {error}") from error
        model = cls(manifest, session)
        model.prove()
        return model

    def run(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The outputs by name, in the manifest's order."""
        return dict(zip(self._outputs, self._session.run(self._outputs, inputs), strict=True))

    def prove(self) -> None:
        """Refuse a model that answers a golden request otherwise than its manifest says; this warms it up too."""
        problems: list[str] = []
        for golden in self.manifest.golden_requests:
            inputs = {one.name: as_array(golden.inputs[one.name], one) for one in self.manifest.inputs}
            answer = {name: np.asarray(array).tolist() for name, array in self.run(inputs).items()}
            problems += golden.check({"outputs": answer})
        if problems:
            raise ModelError(f"the model must answer its golden requests rightly, got: {'; '.join(problems)}")
