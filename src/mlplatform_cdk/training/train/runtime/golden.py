"""Which questions a model is asked ever after: plain rows of the validation split, sure answers, every class."""

import math

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import GoldenRequest
from mlplatform_cdk.training.train.runtime.onnx_export import INPUT, LABEL, PROBABILITIES, OnnxModel

_SINGLE_ROWS = 4
_SURE = 0.05  # by how much the likeliest class leads, so that another machine's rounding cannot turn the label


def golden_requests(model: OnnxModel, features: NDArray[np.float32]) -> tuple[GoldenRequest, ...]:
    """A few requests of one row and one of several, with the answers of ``model``.

    :param model: the model as it will be served.
    :param features: the validation rows.
    """
    rows = features[_chosen(*model.answer(features))]
    singles = [_request(model, rows[place : place + 1], f"row-{place + 1}") for place in range(len(rows))]
    return (*singles, _request(model, rows, "batch"))


def _chosen(labels: NDArray[np.int64], probabilities: NDArray[np.float32]) -> list[int]:
    ordered = np.sort(probabilities, axis=1)
    lead = ordered[:, -1] - ordered[:, -2]
    candidates = np.flatnonzero(lead >= _SURE)
    if not len(candidates):
        candidates = np.argsort(-lead, kind="stable")[:_SINGLE_ROWS]
    by_class = [[int(row) for row in candidates if labels[row] == one] for one in np.unique(labels[candidates])]
    turns = [rows[turn] for turn in range(_SINGLE_ROWS) for rows in by_class if turn < len(rows)]
    return turns[: max(_SINGLE_ROWS, len(by_class))]


def _request(model: OnnxModel, rows: NDArray[np.float32], name: str) -> GoldenRequest:
    label, probabilities = model.answer(rows)
    outputs = {LABEL: label.tolist(), PROBABILITIES: probabilities.tolist()}
    return GoldenRequest(name=name, inputs={INPUT: [_json(row) for row in rows.tolist()]}, outputs=outputs)


def _json(row: list[float]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in row]
