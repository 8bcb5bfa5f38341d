"""A model archive, unpacked and asked: on its golden requests, and on the rows of a holdout."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.dataset import Dataset
from mlplatform_cdk.runtimekit.job import JobError
from mlplatform_cdk.runtimekit.manifest import Manifest, sha256_of, unpack_archive
from mlplatform_cdk.training.evaluate.runtime.metrics import measure


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model with its manifest."""

    manifest: Manifest
    session: Any
    sha256: str

    @classmethod
    def load(cls, archive: Path, folder: Path) -> "Candidate":
        """The model in ``archive``, unpacked into ``folder``."""
        import onnxruntime

        folder.mkdir()
        manifest = unpack_archive(archive, folder)
        # What will be served is what is measured.
        served = manifest.serving.precision if manifest.serving else None
        path = folder / manifest.file(served or "fp32").path
        try:
            session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:
            raise JobError(f"{path.name} of {archive.name} must be an ONNX model, got {error}") from error
        return cls(manifest, session, sha256_of(archive))

    def golden_problems(self) -> list[str]:
        """What the model answers otherwise than its golden requests say."""
        problems = []
        for golden in self.manifest.golden_requests:
            features = np.array(golden.inputs[self.manifest.inputs[0].name], dtype=np.float32)
            problems += golden.check({"outputs": {name: one.tolist() for name, one in self._run(features).items()}})
        return problems

    def objection(self, dataset: Dataset) -> str | None:
        """Why the model cannot be measured on ``dataset``, or nothing."""
        columns = self.manifest.inputs[0].columns
        lacking = [name for name in columns if name not in dataset.features]
        if len(self.manifest.inputs) != 1 or not columns or lacking:
            return f"it asks for the columns {', '.join(lacking) or 'of no table'}, which this dataset lacks"
        new = [name for name in dataset.classes if name not in self.manifest.labels]
        return f"it does not know the class {new[0]}" if new else None

    def metrics(self, features: NDArray[np.float32], expected: NDArray[np.int64], dataset: Dataset) -> dict[str, float]:
        """The metrics on rows of ``dataset``; columns and classes are matched by name."""
        columns = [dataset.features.index(name) for name in self.manifest.inputs[0].columns]
        answer = self._run(np.ascontiguousarray(features[:, columns]))
        theirs = np.array([self.manifest.labels.index(name) for name in dataset.classes])
        if len(theirs) != len(self.manifest.labels):
            raise JobError("a model must know no more classes than the holdout has, got one that does")
        back = np.argsort(theirs)
        return measure(expected, back[answer["label"]], answer["probabilities"][:, theirs])

    def _run(self, features: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        names = [one.name for one in self.manifest.outputs]
        answers = self.session.run(names, {self.manifest.inputs[0].name: features})
        return dict(zip(names, answers, strict=True))


def as_json(value: dict[str, Any]) -> str:
    """``value`` with sorted keys, as every result file is written."""
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n"
