"""The manifest itself: one frozen record, read strictly and written so that equal manifests are equal bytes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from mlplatform_cdk.runtimekit.manifest import records
from mlplatform_cdk.runtimekit.manifest.golden import GoldenRequest
from mlplatform_cdk.runtimekit.manifest.records import ManifestError
from mlplatform_cdk.runtimekit.manifest.serving import ImagePreprocessing, Precision, Serving
from mlplatform_cdk.runtimekit.manifest.tensors import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One ONNX file of the archive.

    :param precision: the precision of its weights and arithmetic.
    :param path: where it lies in the archive.
    :param opset: the ONNX operator set that it needs.
    :param sha256: the digest of its content.
    :param tolerance: how far its answers were proved to be from the golden ones, an absolute number, for a file whose
        precision is not that of the golden answers; default: what each golden request allows.
    """

    precision: Precision
    path: str
    opset: int
    sha256: str
    tolerance: float | None = None

    def __post_init__(self) -> None:
        """Refuse a path that leaves the archive, and a tolerance that is none."""
        if self.tolerance is not None and not 0 <= self.tolerance < float("inf"):
            raise ManifestError(f"the tolerance of {self.path} must be a number of at least 0, got {self.tolerance}")
        if not self.path or self.path.startswith("/") or ".." in self.path.split("/"):
            raise ManifestError(f"the path of a model file must stay inside the archive, got {self.path!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All that others must know about a model.

    :param model_name: the name of the model, the same over its versions.
    :param run_id: the run that made it; names the execution, the job, the package and the release too.
    :param dataset_version: the version of the data that it learned from.
    :param dataset_uri: the prefix where that data lies.
    :param code_version: the version of the training code.
    :param algorithm: how it was trained, and with which hyperparameters.
    :param files: its ONNX files, one per precision.
    :param inputs: what a request must carry.
    :param outputs: what an answer carries.
    :param content_types: the request formats that it can be asked in.
    :param preprocessing: what happens to an input inside the graph, step by step, in words.
    :param labels: names of the classes, in the order of the indices that ``label`` gives; default: none, no classifier.
    :param metrics: how good it is on the holdout, by name; default: none, not evaluated yet.
    :param golden_requests: questions with known answers.
    :param latency_budget_ms: how long an answer to one row may take, in milliseconds.
    :param serving: how it is served best, as measured; default: none, the container's own defaults.
    :param format_version: the version of this contract; default: 1.
    """

    model_name: str
    run_id: str
    dataset_version: str
    dataset_uri: str
    code_version: str
    algorithm: Mapping[str, str]
    files: tuple[ModelFile, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    content_types: tuple[str, ...]
    preprocessing: tuple[str, ...]
    golden_requests: tuple[GoldenRequest, ...]
    latency_budget_ms: float
    labels: tuple[str, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    serving: Serving | None = None
    format_version: Literal[1] = 1

    def __post_init__(self) -> None:
        """Refuse a manifest by which nobody could serve or test the model."""
        for name in ("files", "inputs", "outputs", "content_types", "golden_requests"):
            if not getattr(self, name):
                raise ManifestError(f"manifest.{name} must have at least one entry, got none")
        if self.latency_budget_ms <= 0:
            raise ManifestError(f"manifest.latency_budget_ms must be more than 0, got {self.latency_budget_ms}")
        inputs, outputs = {one.name for one in self.inputs}, {one.name for one in self.outputs}
        for golden in self.golden_requests:
            if set(golden.inputs) != inputs or not set(golden.outputs) <= outputs:
                raise ManifestError(f"the golden request {golden.name} must use the model's tensors, got others")

    @classmethod
    def from_json(cls, text: str | bytes) -> "Manifest":
        """The manifest that ``text`` holds, every field checked."""
        try:
            value = json.loads(text, parse_constant=_refuse)
        except ValueError as error:
            raise ManifestError(f"the manifest must be JSON, got something else ({error})") from None
        manifest: Manifest = records.decode(cls, value, "manifest")
        return manifest

    def to_json(self) -> str:
        """The manifest as JSON; equal manifests give equal texts."""
        return json.dumps(records.encode(self), indent=1, sort_keys=True, allow_nan=False) + "\n"

    def with_metrics(self, metrics: Mapping[str, float]) -> "Manifest":
        """The same manifest with ``metrics`` measured on the holdout."""
        return replace(self, metrics=dict(metrics))

    def file(self, precision: Precision = "fp32") -> ModelFile:
        """The ONNX file of ``precision``."""
        for one in self.files:
            if one.precision == precision:
                return one
        raise ManifestError(
            f"the model must have a file of precision {precision}, got {', '.join(f.precision for f in self.files)}"
        )


def _refuse(constant: str) -> None:
    raise ManifestError(f"the manifest must hold finite numbers, got {constant}")


def json_schema() -> dict[str, Any]:
    """The JSON schema of ``manifest.json``, made from the dataclasses."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Model manifest",
        **records.schema(Manifest),
        "$defs": records.definitions(Manifest, ModelFile, Tensor, ImagePreprocessing, GoldenRequest, Serving),
    }
