"""Manifests of versions, as the tests of releases compare and read them."""

from typing import Any

from mlplatform_cdk.runtimekit.manifest import GoldenRequest, Manifest, ModelFile, Tensor

FEATURES = Tensor(name="features", dtype="float32", shape=("batch", 2), columns=("age", "income"), units="SI")
LABEL = Tensor(name="label", dtype="int64", shape=("batch",))


def manifest(**changes: Any) -> Manifest:
    """A manifest that is like every other one but for ``changes``."""
    inputs, outputs = changes.pop("inputs", (FEATURES,)), changes.pop("outputs", (LABEL,))
    golden = GoldenRequest(
        name="one", inputs={one.name: [[1, 2]] for one in inputs}, outputs={one.name: [1] for one in outputs}
    )
    return Manifest(
        model_name="churn",
        run_id="r1",
        dataset_version="d1",
        dataset_uri="s3://lake/raw/churn/",
        code_version="c1",
        algorithm={"algorithm": "logistic-regression"},
        files=(ModelFile(precision="fp32", path="model.fp32.onnx", opset=20, sha256="0" * 64),),
        inputs=inputs,
        outputs=outputs,
        preprocessing=(),
        golden_requests=(golden,),
        latency_budget_ms=100,
        **{"content_types": ("application/json", "text/csv"), "labels": ("stays", "leaves"), **changes},
    )
