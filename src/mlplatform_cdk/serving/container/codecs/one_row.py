"""Requests of one row in JSON, many at a time: one text to parse, one array, and one text of answers.

What is read and written is what ``JsonForms`` and ``Answers`` read and write, byte for byte.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import orjson
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import Manifest, Tensor
from mlplatform_cdk.serving.container.codecs.answers import LABEL, dumps
from mlplatform_cdk.serving.container.codecs.json_document import loads
from mlplatform_cdk.serving.container.codecs.json_forms import commonest
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.limits import Limits
from mlplatform_cdk.serving.container.negotiation import JSON

_DIGITS = b"0123456789+-.eE"
_BETWEEN = b", \t\r\n"
_NUMERIC = _DIGITS + _BETWEEN  # without brackets, quotes and letters, the numbers of a row stay within it
_BEGIN, _END = b"[[", b"]]"
_PROBES = ((b"0", [[0]]), (b"1", [[1]]))  # no place but that of the rows gives both
_MOST_FRAMES, _BYTES_PER_NUMBER, _BYTES_AROUND = 64, 32, 256
_Frame = tuple[bytes, bytes, int, int]


class OneRow:
    """Reads and writes requests of one row for one model.

    :param manifest: what the model takes and gives; ``of`` says whether it can be.
    :param longest: a body of more bytes is not read here.
    """

    def __init__(self, manifest: Manifest, longest: int) -> None:
        (only,) = manifest.inputs
        self.name = only.name
        self._dtype: np.dtype[Any] = np.dtype(only.dtype)
        self._width = int(only.shape[1])
        self._commas = self._width - 1
        self._longest = min(longest, self._width * _BYTES_PER_NUMBER + _BYTES_AROUND)
        self._frames: dict[bytes, _Frame] = {}
        self._labels = {place: dumps(one) for place, one in enumerate(manifest.labels)}
        self._label = next((place for place, one in enumerate(manifest.outputs) if one.name == LABEL), None)
        parts = [
            dumps(one.name).replace(b"%", b"%%") + (b":[%b]", b":[[%b]]")[_is_row(one)] for one in manifest.outputs
        ]
        labels = b',"labels":[%b]' if self._labels and self._label is not None else b""
        self._answer = b'{"outputs":{' + b",".join(parts) + b"}" + labels + b"}"
        self._rows = [_is_row(one) for one in manifest.outputs]

    @classmethod
    def of(cls, manifest: Manifest, limits: Limits, longest: int) -> Self | None:
        """For a model of one input, rows of floating-point numbers, whose outputs are rows of numbers; else none.

        :param manifest: of the model.
        :param limits: what a request may cost.
        :param longest: a body of more bytes is not for the event loop.
        """
        inputs, outputs = manifest.inputs, manifest.outputs
        if len(inputs) != 1 or not inputs[0].dtype.startswith("float") or not _is_row(inputs[0]):
            return None
        if JSON not in manifest.content_types or int(inputs[0].shape[1]) > limits.elements:
            return None
        if not all(one.dtype != "string" and (_is_row(one) or _is_number(one)) for one in outputs):
            return None
        known = all(one.name != LABEL or _is_number(one) for one in outputs)
        return cls(manifest, min(longest, limits.body_bytes)) if known else None

    def numbers(self, body: bytes) -> bytes | None:
        """The text between the brackets of the only row; ``None`` where the body has another form, or may have.

        It holds nothing but numbers and what stands between numbers, with as many commas as a row has; whether they
        are well formed is seen by ``read``.
        """
        if len(body) > self._longest:
            return None
        # A body without its digits is known by a look. Where what stands before and behind the numbers is the same,
        # too, digits were left out between these only, and commas and white space are those of a row.
        key = body.translate(None, _DIGITS)
        frame = self._frames.get(key)
        if frame is None or not body.startswith(frame[0]) or not body.endswith(frame[1]):
            frame = self._frame(key, body)
            if frame is None:
                return None
        return body[frame[2] : frame[3]]

    def read(self, texts: Sequence[bytes]) -> NDArray[Any]:
        """An array with a row for each of ``texts``, which ``numbers`` gave; the caller holds ``exact()``.

        :raises Exception: where any of them is not right; ``JsonForms`` tells which, and why.
        """
        values = orjson.loads(b"[%b]" % b",".join(texts))
        return np.array(values, self._dtype).reshape(len(texts), self._width)

    def write(self, outputs: Sequence[NDArray[Any]], count: int) -> list[bytes]:
        """A body for each of ``count`` rows.

        :param outputs: in the manifest's order, each with ``count`` rows.
        """
        columns = []
        for array, is_row in zip(outputs, self._rows, strict=True):
            text = dumps(array)
            cells = text[2:-2].split(b"],[") if is_row else text[1:-1].split(b",")
            if len(array) != count or len(cells) != count:
                raise ValueError(f"an output must have a row for each of {count} rows, got {len(array)}")
            columns.append(cells)
        if self._labels and self._label is not None:
            columns.append([self._labels[int(place)] for place in columns[self._label]])
        return [self._answer % row for row in zip(*columns, strict=True)]

    def _frame(self, key: bytes, body: bytes) -> _Frame | None:
        """What stands before and behind the numbers of ``body``, and where these begin and end; kept for its like."""
        start, end = body.find(_BEGIN) + len(_BEGIN), body.rfind(_END)
        numbers = body[start:end]
        if not len(_BEGIN) <= start <= end or numbers.count(b",") != self._commas or numbers.translate(None, _NUMERIC):
            return None
        before, behind = body[:start], body[end:]
        if not all(self._rows_in(before + probe + behind) == rows for probe, rows in _PROBES):
            return None
        if len(self._frames) >= _MOST_FRAMES:
            self._frames.clear()
        found = self._frames[key] = (before, behind, start, -len(behind))
        return found

    def _rows_in(self, body: bytes) -> list[Any] | None:
        try:
            document = loads(body)
        except RequestError:
            return None
        return commonest(document, self.name)[0] if type(document) is dict else None


def _is_row(tensor: Tensor) -> bool:
    match tensor.shape:
        case (str(), int(width)):
            return width > 0
    return False


def _is_number(tensor: Tensor) -> bool:
    return len(tensor.shape) == 1 and isinstance(tensor.shape[0], str)
