"""numpy's own format: one array as it lies in memory, behind a header that is parsed once and then known by its bytes.

The header is Python text; it is read by a pattern, never evaluated, and object arrays (pickles) have no way in.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.tensors import TensorReader

_MAGIC = b"\x93NUMPY"
_LENGTH_BYTES = {1: 2, 2: 4, 3: 4}
_LONGEST_HEADER = 4096  # bytes; numpy writes 118 for one array
_MOST_HEADERS = 256
_MOST_AXES = 32
_ALIGNMENT = 64
_LONG = 60_000  # bytes; a header of version 1 has at most 65,535
_ENTRY = re.compile(
    rb"\s*['\"](descr|fortran_order|shape)['\"]\s*:\s*(?:['\"]([<>|=]?[a-zA-Z]\d*)['\"]|(True|False)"
    rb"|\(\s*((?:\d{1,18}\s*,\s*)*(?:\d{1,18}\s*)?)\))\s*(?:,|$)"
)
_TYPE = re.compile(rb"[<>|=]?(f[248]|[iu][1248]|b1)")


@dataclass(frozen=True, slots=True)
class _Header:
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    count: int
    size: int  # of the whole body, in bytes


class NpyArray:
    """Reads bodies in numpy's format for one input, without a copy where type and order are the input's.

    :param reader: the input.
    """

    def __init__(self, reader: TensorReader) -> None:
        self._reader = reader
        self._known: dict[bytes, _Header] = {}

    def decode(self, body: bytes) -> NDArray[Any]:
        """The array that ``body`` holds; it may share the body's memory, read-only."""
        start, offset = _bounds(body)
        key = body[:offset]
        header = self._known.get(key)
        if header is None:
            header = self._parsed(key[start:].strip(), offset)
            if len(self._known) >= _MOST_HEADERS:
                self._known.clear()
            self._known[key] = header
        if len(body) != header.size:
            raise RequestError(f"the body must have {header.size} bytes, as its npy header says, got {len(body)}")
        array = np.frombuffer(body, header.dtype, header.count, offset)
        if header.dtype.kind == "b":
            check_booleans(array, self._reader.name)
        shaped = array.reshape(header.shape, order="F") if header.fortran else array.reshape(header.shape)
        return self._reader.from_array(shaped)

    def _parsed(self, text: bytes, offset: int) -> _Header:
        entries = _entries(text[1:-1]) if text.startswith(b"{") and text.endswith(b"}") else {}
        if entries.keys() != {b"descr", b"fortran_order", b"shape"}:
            raise RequestError("the npy header must have a plain type, an order and a shape, got another")
        described, order, sizes = (entries[name] for name in (b"descr", b"fortran_order", b"shape"))
        if not _TYPE.fullmatch(described):
            raise RequestError(f"the npy array must hold numbers or booleans, got the type {described.decode()!r}")
        shape = tuple(int(one) for one in sizes.split(b",") if one.strip())
        if len(shape) > _MOST_AXES:
            raise RequestError(f"the npy array must have at most {_MOST_AXES} axes, got {len(shape)}")
        self._reader.check_shape(shape)
        count = math.prod(shape)
        self._reader.check_elements(count)
        dtype = np.dtype(described.decode())
        return _Header(dtype, shape, order == b"True", count, offset + count * dtype.itemsize)


def write(array: NDArray[Any]) -> bytes:
    """``array`` in numpy's format, version 1.0, or 3.0 where a name needs it.

    :param array: of numbers, booleans, or rows with named fields of these.
    """
    dtype = array.dtype
    described = repr(dtype.str if dtype.fields is None else dtype.descr)
    text = f"{{'descr': {described}, 'fortran_order': False, 'shape': {array.shape}, }}".encode()
    version = 1 if text.isascii() and len(text) < _LONG else 3
    width = _LENGTH_BYTES[version]
    text += b" " * (-(len(_MAGIC) + 2 + width + len(text) + 1) % _ALIGNMENT) + b"\n"
    return b"".join((_MAGIC, bytes((version, 0)), len(text).to_bytes(width, "little"), text, array.tobytes()))


def write_rows(outputs: Mapping[str, NDArray[Any]]) -> bytes:
    """``outputs`` in numpy's format: the array where there is one, else rows with a field per output.

    :param outputs: tensors by name, of one length.
    """
    if len(outputs) == 1:
        return write(next(iter(outputs.values())))
    (length,) = {len(array) for array in outputs.values()}
    rows = np.empty(length, [(name, array.dtype.str, array.shape[1:]) for name, array in outputs.items()])
    for name, array in outputs.items():
        rows[name] = array
    return write(rows)


def check_booleans(array: NDArray[Any], name: str) -> None:
    """Refuse bytes that are neither 0 nor 1, which numpy would take for booleans of neither kind."""
    if array.size and int(array.view(np.uint8).max()) > 1:
        raise RequestError(f"{name} must hold booleans of 0 or 1, got another byte")


def _bounds(body: bytes) -> tuple[int, int]:
    """Where the header's text begins, and where the numbers do."""
    width = _LENGTH_BYTES.get(body[6], 0) if len(body) > len(_MAGIC) + 2 and body.startswith(_MAGIC) else 0
    if not width:
        raise RequestError("the body must be an array in numpy's npy format, got something else")
    offset = 8 + width + int.from_bytes(body[8 : 8 + width], "little")
    if offset > _LONGEST_HEADER or offset > len(body):
        raise RequestError(f"the npy header must be whole and at most {_LONGEST_HEADER} bytes, got {offset}")
    return 8 + width, offset


def _entries(text: bytes) -> dict[bytes, bytes]:
    entries: dict[bytes, bytes] = {}
    position = 0
    while position < len(text) and not text[position:].isspace():
        found = _ENTRY.match(text, position)
        if found is None or found[1] in entries:
            return {}
        value = found[{b"descr": 2, b"fortran_order": 3, b"shape": 4}[found[1]]]
        if value is None:
            return {}
        entries[found[1]] = value
        position = found.end()
    return entries
