"""How good a classifier is, in numpy alone: importing scikit-learn takes longer than evaluating.

The tests hold each of these against scikit-learn's function of the same meaning.
"""

import numpy as np
from numpy.typing import NDArray


def measure(
    expected: NDArray[np.int64], came: NDArray[np.int64], probabilities: NDArray[np.float32]
) -> dict[str, float]:
    """Every metric of one model: ``f1`` is the mean over the classes, ``roc_auc`` one class against the rest.

    :param expected: the true class indices; every class must occur.
    :param came: the predicted ones.
    :param probabilities: of each class, row by row.
    """
    return {
        "accuracy": float(np.mean(expected == came)),
        "f1": _f1(expected, came, probabilities.shape[1]),
        "log_loss": _log_loss(expected, probabilities),
        "roc_auc": _roc_auc(expected, probabilities),
    }


def _f1(expected: NDArray[np.int64], came: NDArray[np.int64], classes: int) -> float:
    right = np.array([np.sum((expected == one) & (came == one)) for one in range(classes)])
    named = np.array([np.sum(expected == one) + np.sum(came == one) for one in range(classes)])
    return float(np.mean(2 * right / np.maximum(named, 1)))


def _log_loss(expected: NDArray[np.int64], probabilities: NDArray[np.float32]) -> float:
    shares = probabilities.astype(np.float64)
    shares /= shares.sum(axis=1, keepdims=True)
    smallest = np.finfo(probabilities.dtype).eps  # as scikit-learn clips
    of_expected = np.clip(shares[np.arange(len(expected)), expected], smallest, 1 - smallest)
    return float(-np.mean(np.log(of_expected)))


def _roc_auc(expected: NDArray[np.int64], probabilities: NDArray[np.float32]) -> float:
    classes = probabilities.shape[1]
    if classes == 2:  # noqa: PLR2004 - binary: either class gives the same area
        return _area(expected == 1, probabilities[:, 1])
    return float(np.mean([_area(expected == one, probabilities[:, one]) for one in range(classes)]))


def _area(positive: NDArray[np.bool_], scores: NDArray[np.float32]) -> float:
    """The chance that a positive row scores above a negative one; a tie counts half."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    yes, no = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - yes * (yes + 1) / 2) / (yes * no))
