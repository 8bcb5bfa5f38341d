"""Manifests of models that exist on paper only, and their codecs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import GoldenRequest, ImagePreprocessing, Manifest, ModelFile, Tensor
from mlplatform_cdk.serving.container.codecs import Codec
from mlplatform_cdk.serving.container.limits import Limits

JSON, CSV, LINES = "application/json", "text/csv", "application/jsonlines"
NPY, NPZ, RAW = "application/x-npy", "application/x-npz", "application/octet-stream"
JPEG, PNG = "image/jpeg", "image/png"
EVERY = (JSON, CSV, LINES, NPY, NPZ, RAW, JPEG, PNG)

TABLE = Tensor(name="features", dtype="float32", shape=("batch", 3), columns=("age", "visits", "spent"))
LABEL = Tensor(name="label", dtype="int64", shape=("batch",))
PROBABILITIES = Tensor(name="probabilities", dtype="float32", shape=("batch", 2))
TOKENS = (
    Tensor(name="input_ids", dtype="int64", shape=("batch", "sequence")),
    Tensor(name="attention_mask", dtype="int64", shape=("batch", "sequence")),
)


def tensor(dtype: Any, *shape: int | str, name: str = "x", image: ImagePreprocessing | None = None) -> Tensor:
    return Tensor(name=name, dtype=dtype, shape=shape or ("batch", 2), image=image)


def manifest(
    *inputs: Tensor,
    outputs: tuple[Tensor, ...] = (LABEL, PROBABILITIES),
    labels: tuple[str, ...] = (),
    content_types: tuple[str, ...] = EVERY,
) -> Manifest:
    golden = GoldenRequest(name="g", inputs={one.name: [] for one in inputs}, outputs={one.name: [] for one in outputs})
    return Manifest(
        model_name="paper",
        run_id="r",
        dataset_version="v",
        dataset_uri="s3://lake/",
        code_version="1",
        algorithm={},
        files=(ModelFile(precision="fp32", path="model.onnx", opset=17, sha256=""),),
        inputs=inputs,
        outputs=outputs,
        content_types=content_types,
        preprocessing=(),
        golden_requests=(golden,),
        latency_budget_ms=10,
        labels=labels,
    )


def codec(*inputs: Tensor, limits: Limits | None = None, **more: Any) -> Codec:
    return Codec(manifest(*inputs or (TABLE,), **more), limits or Limits())


def same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two arrays are alike to the last bit, NaN included."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    if one.dtype == object:
        return bool(one.tolist() == other.tolist())
    return bool(np.array_equal(one, other, equal_nan=one.dtype.kind == "f")) and bool(
        np.array_equal(np.signbit(one), np.signbit(other)) or one.dtype.kind != "f" or np.isnan(one).any()
    )
