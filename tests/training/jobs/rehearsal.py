"""Jobs as SageMaker runs them: a process of their own, the pruned tree alone on its path, folders for its channels."""

import csv
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[3] / "src" / "mlplatform_cdk"
SHIPPED = (
    "__init__.py",
    "runtimekit",
    "training/container",
    "training/preprocess/runtime",
    "training/train/runtime",
    "training/evaluate/runtime",
    "serving/container",
    "serving/quantize",
)
TRAINING = {"MODEL_NAME": "cancer", "DATASET_URI": "s3://lake/raw/cancer/", "CODE_VERSION": "1.0.0"}


def ship(folder: Path) -> Path:
    """The images' trees in one folder, without the rooms' own ``__init__`` (which import aws_cdk)."""
    for name in SHIPPED:
        source, target = SOURCE / name, folder / "mlplatform_cdk" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


@dataclass(frozen=True)
class Finished:
    """How a job ended and what it left."""

    code: int
    base: Path
    log: list[dict[str, Any]]
    errors: str

    @property
    def reason(self) -> str:
        """What SageMaker would show as ExitMessage or FailureReason."""
        files = [self.base / "output" / name for name in ("message", "failure")]
        return "".join(file.read_text(encoding="utf-8") for file in files if file.exists())

    def output(self, name: str) -> Path:
        return self.base / "processing" / "output" / name


def run_job(tree: Path, step: str, base: Path, environment: Mapping[str, str]) -> Finished:
    process = subprocess.run(
        [sys.executable, "-m", "mlplatform_cdk.training.container", step],
        env=child_environment(tree, base) | {"RUN_ID": "run-1", **environment},
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Finished(
        process.returncode, base, [json.loads(line) for line in process.stdout.splitlines()], process.stderr
    )


def child_environment(tree: Path, base: Path) -> dict[str, str]:
    # One thread: those of OpenMP wait by counting, and take the cores from the tests beside them.
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(tree),
        "SAGEMAKER_BASE_DIR": str(base),
        "OMP_NUM_THREADS": "1",
    }


def preprocess(tree: Path, base: Path, files: Mapping[str, str | bytes], **environment: str) -> Finished:
    raw = base / "processing" / "input" / "raw"
    raw.mkdir(parents=True)
    for name, content in files.items():
        (raw / name).parent.mkdir(parents=True, exist_ok=True)
        (raw / name).write_bytes(content.encode() if isinstance(content, str) else content)
    settings = {"LABEL_COLUMN": "label", "DATASET_VERSION": "v1", **environment}
    return run_job(tree, "preprocess", base, settings)


def train(tree: Path, base: Path, dataset: Path, hyperparameters: Mapping[str, str], **environment: str) -> Finished:
    shutil.copytree(dataset, base / "input" / "data" / "dataset")
    (base / "input" / "config").mkdir()
    (base / "input" / "config" / "hyperparameters.json").write_text(json.dumps(hyperparameters), encoding="utf-8")
    return run_job(tree, "train", base, {**TRAINING, **environment})


def evaluate(
    tree: Path, base: Path, dataset: Path, model: Path, production: Path | None = None, **environment: str
) -> Finished:
    inputs = base / "processing" / "input"
    shutil.copytree(dataset, inputs / "dataset")
    for name, archive in (("model", model), ("production", production)):
        (inputs / name).mkdir()
        if archive:
            shutil.copy(archive, inputs / name / "model.tar.gz")
    return run_job(tree, "evaluate", base, environment)


def pack(folder: Path, archive: Path, names: Iterable[str] | None = None) -> Path:
    """The files of ``folder`` as SageMaker packs ``/opt/ml/model``."""
    with tarfile.open(archive, "w:gz") as tar:
        for name in sorted(path.name for path in folder.iterdir()) if names is None else names:
            tar.add(folder / name, name)
    return archive


def as_csv(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [",".join(header), *(",".join(map(str, row)) for row in rows)]
    return "\n".join(lines) + "\n"


def breast_cancer() -> str:
    """The breast cancer data of scikit-learn, as the CSV file that ships inside it, with a named header."""
    import sklearn.datasets

    path = Path(sklearn.datasets.__file__).parent / "data" / "breast_cancer.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    names = ("malignant", "benign")
    return as_csv([f"f{i}" for i in range(30)] + ["label"], [[*row[:-1], names[int(row[-1])]] for row in rows])
