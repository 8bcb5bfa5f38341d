"""A tensor as its bare bytes: little-endian, row after row, its shape and type told beside it."""

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import DTYPES
from mlplatform_cdk.serving.container.codecs.npy import check_booleans
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.tensors import TensorReader

SHAPE_HEADER, DTYPE_HEADER = "x-tensor-shape", "x-tensor-dtype"
_SHAPE = re.compile(r"\s*\d{1,18}\s*(,\s*\d{1,18}\s*){0,31}", re.ASCII)
_DTYPES = {name: np.dtype(name).newbyteorder("<") for name in DTYPES if name != "string"}


class RawTensor:
    """Reads bare bytes for one input, without a copy where the type is the input's.

    :param reader: the input.
    """

    def __init__(self, reader: TensorReader) -> None:
        self._reader = reader
        self._free = [axis for axis, size in enumerate(reader.tensor.shape) if isinstance(size, str)]

    def decode(self, body: bytes, parameters: Mapping[str, str], headers: Mapping[str, str]) -> NDArray[Any]:
        """The array whose bytes ``body`` is; it may share the body's memory, read-only.

        :param body: the elements.
        :param parameters: those of the content type: ``shape`` and ``dtype``, which go before the headers.
        :param headers: the request's, names in lower case: ``x-tensor-shape`` and ``x-tensor-dtype``.
        """
        name = parameters.get("dtype") or headers.get(DTYPE_HEADER) or self._reader.tensor.dtype
        dtype = _DTYPES.get(name)
        if dtype is None:
            raise RequestError(f"the tensor's dtype must be one of {', '.join(_DTYPES)}, got {name[:40]!r}")
        said = parameters.get("shape") or headers.get(SHAPE_HEADER)
        shape = _parsed(said) if said else self._inferred(len(body), dtype.itemsize)
        self._reader.check_shape(shape)
        count = math.prod(shape)
        self._reader.check_elements(count)
        if count * dtype.itemsize != len(body):
            sizes = " x ".join(map(str, shape))
            raise RequestError(f"the body must have {count * dtype.itemsize} bytes for {sizes} {name}, got {len(body)}")
        array = np.frombuffer(body, dtype)
        if dtype.kind == "b":
            check_booleans(array, self._reader.name)
        return self._reader.from_array(array.reshape(shape))

    def _inferred(self, length: int, itemsize: int) -> tuple[int, ...]:
        """The shape of ``length`` bytes, where at most one dimension of the input varies."""
        sizes = self._reader.tensor.shape
        if len(self._free) > 1:
            raise RequestError(
                f"a raw tensor must say its shape in {SHAPE_HEADER} or in the content type, such as "
                'application/octet-stream; shape="4,30", got none'
            )
        fixed = math.prod(size for size in sizes if isinstance(size, int)) * itemsize
        rows = length // fixed if fixed else 0
        return tuple(rows if isinstance(size, str) else size for size in sizes)


def _parsed(text: str) -> tuple[int, ...]:
    if not _SHAPE.fullmatch(text):
        raise RequestError(f"the tensor's shape must be whole numbers such as 4,30, got {text[:40]!r}")
    return tuple(int(one) for one in text.split(","))
