"""Golden requests per precision: the same questions, each file with the tolerance that it was seen to need."""

from pathlib import Path

import numpy as np

from mlplatform_cdk.runtimekit.manifest import GoldenRequest, Manifest, Precision
from mlplatform_cdk.serving.container.engines.engine import Array
from mlplatform_cdk.serving.container.engines.golden import golden_inputs
from mlplatform_cdk.serving.quantize import run
from mlplatform_cdk.serving.quantize.accuracy import classes

_MARGIN = 2.0  # other processors round their float parts otherwise
_LEAST = 1e-4


def golden_tolerance(manifest: Manifest, path: Path, precision: Precision) -> tuple[str, float]:
    """What is wrong with the golden answers of the file at ``path`` (empty: nothing), and the tolerance for the rest.

    Numbers may be off, by as much as was seen and a margin; whole numbers and texts, such as labels, may not, nor may
    the likeliest class.
    """
    engine = run.open_file(path, precision, manifest)
    furthest = 0.0
    for golden in manifest.golden_requests:
        answers = run.ask(engine, golden_inputs(manifest, golden))
        came = dict(zip((one.name for one in manifest.outputs), answers, strict=True))
        problem, far = _distance(golden, came)
        problem = problem or _class_problem(golden, came, manifest)
        if problem:
            return problem, 0.0
        furthest = max(furthest, far)
    return "", float(f"{max(furthest * _MARGIN, _LEAST):.2g}")


def _class_problem(golden: GoldenRequest, came: dict[str, Array], manifest: Manifest) -> str:
    expected = {name: np.asarray(one, dtype=came[name].dtype) for name, one in golden.outputs.items()}
    before, after = classes(expected, manifest), classes({name: came[name] for name in expected}, manifest)
    if before is None or after is None or np.array_equal(before, after):
        return ""
    return f"the golden request {golden.name} gets another class than in fp32"


def _distance(golden: GoldenRequest, came: dict[str, Array]) -> tuple[str, float]:
    furthest = 0.0
    for name, expected in golden.outputs.items():
        answer = came[name]
        if answer.dtype.kind != "f":
            if answer.tolist() != expected:
                return f"the golden request {golden.name} gets another {name} than in fp32", 0.0
            continue
        before, after = np.asarray(expected, dtype=np.float64), answer.astype(np.float64)
        distance = np.where(np.isnan(before) & np.isnan(after), 0.0, np.abs(after - before))
        if not np.isfinite(distance).all():
            return f"the golden request {golden.name} gets a {name} that is no number", 0.0
        furthest = max(furthest, float(np.max(distance, initial=0.0)))
    return "", furthest
