"""The fitted pipeline as an ONNX graph, believed only after it has answered like scikit-learn."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.job import JobError

INPUT, LABEL, PROBABILITIES = "features", "label", "probabilities"
OPSET = 17  # known to every ONNX Runtime and TensorRT still supported
_OPSET_ML = 3
_TOLERANCE = 1e-3  # the graph works in float32, scikit-learn in float64


class OnnxModel:
    """An ONNX file with one input of features and the outputs ``label`` and ``probabilities``, on the CPU."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def answer(self, features: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The class index and the probability of each class, for each row."""
        label, probabilities = self._session.run([LABEL, PROBABILITIES], {INPUT: features})
        return label, probabilities


def export(pipeline: Any, path: Path, *, width: int) -> None:
    """Write ``pipeline``, which takes ``width`` features, to ``path``."""
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import FloatTensorType

    graph = to_onnx(
        pipeline,
        initial_types=[(INPUT, FloatTensorType([None, width]))],
        options={"zipmap": False},
        target_opset={"": OPSET, "ai.onnx.ml": _OPSET_ML},
    )
    path.write_bytes(graph.SerializeToString())


def verify(model: OnnxModel, pipeline: Any, features: NDArray[np.float32]) -> None:
    """Refuse a graph whose answers to ``features`` are not those of ``pipeline``."""
    expected = pipeline.predict_proba(features)
    label, probabilities = model.answer(features)
    if probabilities.shape != expected.shape:
        raise JobError(f"the ONNX graph must give {expected.shape[1]} probabilities a row, got {probabilities.shape}")
    off = np.abs(probabilities - expected).max(axis=1)
    of_label = expected[np.arange(len(label)), label]  # a label within rounding of the likeliest is as good
    wrong = (off > _TOLERANCE) | (of_label < expected.max(axis=1) - _TOLERANCE)
    if wrong.any():
        raise JobError(
            f"the ONNX graph must answer like the trained model, got {int(wrong.sum())} of {len(features)} validation "
            f"rows that differ (by up to {off.max():.2g}); scale the features or choose another algorithm"
        )
