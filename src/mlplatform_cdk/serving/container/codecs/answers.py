"""Tensors to bodies: JSON, CSV, JSON Lines, npy and npz.

A float32 is written with the digits that bring back the same float32. JSON knows neither NaN nor infinity: both are
null there; CSV leaves NaN empty and says inf; npy and npz keep every bit.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import Manifest, Tensor
from mlplatform_cdk.serving.container.codecs import npy
from mlplatform_cdk.serving.container.errors import NotAcceptable
from mlplatform_cdk.serving.container.negotiation import CSV, JSON, JSON_LINES, NPY, NPZ, answer_type

Outputs = Mapping[str, NDArray[Any]]
_MOST_ACCEPTS, _LONGEST_ACCEPT = 256, 256
LABEL = "label"
_ENDS = "\r\n"  # Python's csv quotes a text that holds what ends its lines
_Name = TypeVar("_Name", str, bytes)


class Answers:
    """Writes one model's answers; safe to use from several threads.

    :param manifest: what the model gives.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._labels = dict(enumerate(manifest.labels)) if manifest.labels else None
        self._csv_labels = dict(enumerate(_csv_texts([[one] for one in manifest.labels])))
        self._writers: dict[str, Callable[[Outputs], bytes]] = {JSON: self._json}
        if _by_row(manifest.outputs):
            self._writers |= {CSV: self._csv, JSON_LINES: self._json_lines}
        if all(one.dtype != "string" for one in manifest.outputs):
            if len(manifest.outputs) == 1 or _by_row(manifest.outputs):
                self._writers[NPY] = npy.write_rows
            self._writers[NPZ] = self._npz
        self._formats = tuple(self._writers)
        self._accepted: dict[str, str] = {}

    def accept(self, accept: str) -> str:
        """The format that an Accept header (possibly empty) asks for.

        :raises NotAcceptable: when it allows none that this model's answers can be written in.
        """
        kind = self._accepted.get(accept)
        if kind is None:
            kind = answer_type(accept, self._formats)
            if len(self._accepted) < _MOST_ACCEPTS and len(accept) <= _LONGEST_ACCEPT:
                self._accepted[accept] = kind
        return kind

    def encode(self, outputs: Outputs, kind: str) -> bytes:
        """``outputs`` as a body.

        :param outputs: tensors by name, in the manifest's order.
        :param kind: what ``accept`` gave.
        """
        writer = self._writers.get(kind)
        if writer is None:
            raise NotAcceptable(f"the answer must be wanted in {' or '.join(self._formats)}, got {kind!r}")
        return writer(outputs)

    def _json(self, outputs: Outputs) -> bytes:
        answer: dict[str, Any] = {"outputs": outputs}
        if self._labels is not None and LABEL in outputs:
            answer["labels"] = _looked_up(outputs[LABEL], self._labels)
        return dumps(answer)

    def _json_lines(self, outputs: Outputs) -> bytes:
        names = _looked_up(outputs[LABEL], self._labels) if self._labels and LABEL in outputs else None
        lines = []
        for row in range(_length(outputs)):
            answer: dict[str, Any] = {"outputs": {name: array[row] for name, array in outputs.items()}}
            if names is not None:
                answer["label"] = names[row]
            lines.append(dumps(answer))
        return b"\n".join(lines) + b"\n"

    def _csv(self, outputs: Outputs) -> bytes:
        length = _length(outputs)
        columns = []
        for name, array in outputs.items():
            if name == LABEL and self._csv_labels:
                columns.append(_looked_up(array, self._csv_labels))
            else:
                columns.append(_csv_cells(array.reshape(length, -1)))
        lines = map(b",".join, zip(*columns, strict=True))
        return b"\n".join(line or b'""' for line in lines) + b"\n"  # a blank line would be no row

    @staticmethod
    def _npz(outputs: Outputs) -> bytes:
        from mlplatform_cdk.serving.container.codecs import npz  # zipfile costs every start some milliseconds

        return npz.write(outputs)


def _looked_up(label: NDArray[Any], names: Mapping[int, _Name]) -> list[_Name]:
    try:
        return [names[index] for index in label.ravel().tolist()]
    except KeyError as error:
        raise IndexError(f"the manifest must have a label for each class, got class {error}") from None


def _by_row(outputs: Sequence[Tensor]) -> bool:
    return len({one.shape[:1] or None for one in outputs}) == 1 and bool(outputs[0].shape)


def _length(outputs: Outputs) -> int:
    (length,) = {len(array) for array in outputs.values()}
    return length


def dumps(value: object) -> bytes:
    """``value`` as JSON, arrays included."""
    return orjson.dumps(value, _plain, orjson.OPT_SERIALIZE_NUMPY)


def _plain(value: object) -> object:
    """What orjson does not take as it is: texts, slices that lie apart, and another kind of Mapping."""
    if isinstance(value, np.ndarray):
        return value.tolist() if value.dtype.kind in "OU" or value.ndim == 0 else np.ascontiguousarray(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


def _csv_cells(rows: NDArray[Any]) -> list[bytes]:
    """Each row's cells, joined by commas."""
    if rows.dtype.kind in "OU":
        return _csv_texts(rows.tolist())
    if rows.dtype.kind == "f" and np.isinf(rows).any():
        exact = [[orjson.loads(dumps(one)) if np.isfinite(one) else _odd(one) for one in row] for row in rows]
        return _csv_texts(exact)
    return dumps(np.ascontiguousarray(rows))[2:-2].replace(b"null", b"").split(b"],[")


def _odd(number: Any) -> str:
    return "" if np.isnan(number) else "inf" if number > 0 else "-inf"


def _csv_texts(rows: list[list[Any]]) -> list[bytes]:
    lines = []
    for row in rows:
        text = io.StringIO()
        csv.writer(text, lineterminator=_ENDS).writerow(row)
        lines.append(text.getvalue().removesuffix(_ENDS).encode())
    return lines
