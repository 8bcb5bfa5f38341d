"""How far the answers of a quantized model are from those of the model that it was made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import Manifest

Answers = Mapping[str, NDArray[Any]]
_CONSTANT = 1e-6  # of its size, by which a number may vary and be the same one in fp32


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """What quantization cost on the data.

    :param measure: what ``cost`` is: ``accuracy`` lost (labels known), ``disagreement`` (a classifier, labels unknown)
        or ``error`` (numbers: the root mean square difference as a share of their standard deviation).
    :param cost: by that measure; 0 is none, less than 0 a gain.
    :param metrics: all that was measured, by name.
    """

    measure: str
    cost: float
    metrics: Mapping[str, float]


def compare(expected: Answers, came: Answers, labels: NDArray[np.int64] | None, manifest: Manifest) -> Accuracy:
    """The cost of answering ``came`` where the first model answered ``expected``.

    :param expected: outputs by name, for all rows.
    :param came: likewise.
    :param labels: the true classes, where they are known.
    :param manifest: says whether it is a classifier.
    """
    metrics = _distances(expected, came)
    first, second = classes(expected, manifest), classes(came, manifest)
    if first is None or second is None:
        return Accuracy(measure="error", cost=metrics["relative_error"], metrics=metrics)
    metrics["agreement"] = float(np.mean(first == second))
    if labels is None or len(labels) != len(first):
        return Accuracy(measure="disagreement", cost=1 - metrics["agreement"], metrics=metrics)
    metrics["accuracy_before"] = float(np.mean(first == labels))
    metrics["accuracy_after"] = float(np.mean(second == labels))
    cost = metrics["accuracy_before"] - metrics["accuracy_after"]
    return Accuracy(measure="accuracy", cost=cost, metrics=metrics)


def error(expected: Sequence[NDArray[Any]], came: Sequence[NDArray[Any]]) -> float:
    """The root mean square difference of all numbers that are not whole, as a share of their standard deviation.

    The greatest of all outputs; no number where one is none.
    """
    before = [one.astype(np.float64) for one in expected if one.dtype.kind == "f"]
    after = [one.astype(np.float64) for one in came if one.dtype.kind == "f"]
    shares = [np.sqrt(np.mean((a - b) ** 2)) / _scale(b) for a, b in zip(after, before, strict=True) if a.size]
    return float(np.max(shares, initial=0.0))


def _scale(numbers: NDArray[np.float64]) -> float:
    """The standard deviation; the size of what does not vary in fp32, and 1 for nothing but zeros."""
    spread, size = float(np.std(numbers)), float(np.max(np.abs(numbers)))
    return spread if spread > _CONSTANT * size else size or 1.0


def _distances(expected: Answers, came: Answers) -> dict[str, float]:
    pairs = [(expected[name], came[name]) for name in expected if expected[name].dtype.kind == "f"]
    differences = [np.abs(one.astype(np.float64) - other) for one, other in pairs]
    return {
        "largest_difference": float(np.max([one.max(initial=0.0) for one in differences], initial=0.0)),
        "mean_difference": float(np.mean([one.mean() for one in differences])) if differences else 0.0,
        "relative_error": error([one for one, _ in pairs], [other for _, other in pairs]),
    }


def classes(answers: Answers, manifest: Manifest) -> NDArray[np.int64] | None:
    """The class of each row: the output ``label``, or the likeliest of an output as wide as there are labels.

    Of two labels, one share is the second one's, where the model gives no more. An output ``label`` may have several
    for a row, such as one for each token.
    """
    if not manifest.labels:
        return None
    label = answers.get("label")
    if label is not None and label.dtype.kind in "iu":
        return label.astype(np.int64).reshape(-1)
    count = len(manifest.labels)
    for one in answers.values():
        if one.ndim == 2 and one.shape[1] == count:  # noqa: PLR2004 - rows by classes
            likeliest: NDArray[np.int64] = np.argmax(one, axis=1).astype(np.int64)
            return likeliest
    if count == 2 and len(answers) == 1:  # noqa: PLR2004 - a share of the second label
        (only,) = answers.values()
        if only.dtype.kind == "f" and only.size == len(only) and only.size and 0 <= only.min() <= only.max() <= 1:
            return (only.reshape(-1) >= 0.5).astype(np.int64)  # noqa: PLR2004 - the likelier one
    return None
