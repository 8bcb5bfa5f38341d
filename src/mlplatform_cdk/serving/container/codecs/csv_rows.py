"""CSV rows to a tensor: plain numbers through the JSON parser, whatever else through the strict reader.

Python's and numpy's text parsers take ten times as long; both ways give the same array, which a test holds them to.
"""

import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.limits import Limits
from mlplatform_cdk.serving.container.tensors import TensorReader

_BOM = b"\xef\xbb\xbf"
_PLAIN = b"0123456789+-.eE, \t\n"
_NEGATIVE_ZERO = re.compile(rb"-0[],\s]")  # an integer 0 in JSON, but -0.0 here
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_MISSING = {b"": b"null", b"[": b"[null", b"]": b"null]", b"[[": b"[[null", b"]]": b"null]]"}
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_LONGEST = 400  # digits of a whole number; more would only cost time
_MOST_HEADERS, _LONGEST_KEPT = 64, 4096  # lines, and bytes of each
_PART_BYTES, _PART_ROWS = 64 * 1024, 1024  # read at once: Python's values take many times the memory of an array
_SHOWN = 40


class CsvRows:
    """Reads the rows of one input.

    :param reader: the input.
    :param limits: what the body may cost.
    """

    def __init__(self, reader: TensorReader, limits: Limits) -> None:
        self._reader = reader
        self._limits = limits
        self._shape = reader.tensor.shape[1:]
        self._flat = len(reader.tensor.shape) != 2  # noqa: PLR2004 - rows and columns
        fixed = bool(reader.tensor.shape) and all(isinstance(size, int) for size in self._shape)
        self._width = math.prod(map(int, self._shape)) if fixed else None
        self._parted = bool(reader.tensor.shape) and isinstance(reader.tensor.shape[0], str)
        self._columns = () if self._flat else reader.tensor.columns
        self._ambiguous = bool(self._columns) and all(map(_NUMBER.fullmatch, self._columns))
        self._headers: dict[bytes, list[int]] = {}

    def decode(self, body: bytes, header: str | None = None) -> NDArray[Any]:
        """The array that ``body`` holds; an empty cell is a missing number.

        :param body: the rows, with or without a header.
        :param header: ``present`` or ``absent``, where the caller says so; default: seen by its names.
        """
        body = body.removeprefix(_BOM)
        if body.count(b"\n") > self._limits.rows + 1:
            raise RequestError(f"the body must have at most {self._limits.rows} rows, got more")
        if self._reader.numeric:
            order, start = self._first_line(body, header)
            array = self._fast(body[start:] if start else body)
            if array is not None:
                return _ordered(array, order)
        return self._strict(body, header)

    def _first_line(self, body: bytes, header: str | None) -> tuple[list[int] | None, int]:
        """The order of the columns where the first line is a header, and where the rows begin."""
        if header == "absent" or not (self._columns or header):
            return None, 0
        end = body.find(b"\n")
        line = body if end < 0 else body[:end]
        order = self._headers.get(line)
        if order is None and (self._ambiguous or header or line.rstrip(b"\r").translate(None, _PLAIN)):
            try:
                first = next(_rows(_text(line)), None)
            except RequestError:
                return None, 0  # a name over several lines, or no CSV at all: the strict reader's business
            order = self._order(first, header) if first else None
            if (
                order is not None
                and header is None
                and len(self._headers) < _MOST_HEADERS
                and len(line) <= _LONGEST_KEPT
            ):
                self._headers[line] = order
        return order, 0 if order is None else len(line) + 1

    def _fast(self, body: bytes) -> NDArray[Any] | None:
        """The array, where every cell is a number as JSON writes it, or empty; else ``None``."""
        if b"\r" in body:
            body = body.replace(b"\r\n", b"\n")
        body = body.rstrip(b"\n")
        if not body or body.translate(None, _PLAIN):
            return None
        if len(body) <= _PART_BYTES or not self._parted:
            return self._fast_part(body)
        parts: list[NDArray[Any]] = []
        start = 0
        while start < len(body):
            end = body.find(b"\n", start + _PART_BYTES)
            part = self._fast_part(body[start : end if end >= 0 else len(body)])
            if part is None or (parts and part.shape[1:] != parts[0].shape[1:]):
                return None
            parts.append(part)
            start = end + 1 if end >= 0 else len(body)
        return self._whole(parts)

    def _fast_part(self, body: bytes) -> NDArray[Any] | None:
        text = b"[[" + body.replace(b"\n", b"],[") + b"]]"
        try:
            try:
                rows = orjson.loads(text)
            except orjson.JSONDecodeError:  # cells are missing: between two commas, or beside a bracket
                if self._width and body.count(b",") != (self._width - 1) * (body.count(b"\n") + 1):
                    return None
                rows = orjson.loads(b",".join([_MISSING.get(cell, cell) for cell in text.split(b",")]))
            array = self._flattened(rows) if self._flat else self._reader.from_clean(rows, len(body))
        except (orjson.JSONDecodeError, RequestError):
            return None  # the strict reader finds out, and says, what is wrong
        if np.count_nonzero(array) < array.size and b"-0" in text and _NEGATIVE_ZERO.search(text):
            return None
        return array

    def _flattened(self, rows: list[list[Any]]) -> NDArray[Any]:
        if {len(row) for row in rows} != {self._width}:
            raise RequestError(f"each row of the body must have {self._width} cells, got others")
        return self._reader.from_flat([cell for row in rows for cell in row], (len(rows), *map(int, self._shape)))

    def _strict(self, body: bytes, header: str | None) -> NDArray[Any]:
        if self._flat and self._width is None:
            raise RequestError(f"{self._reader.name} must be asked in JSON, since its shape varies, got CSV")
        text = _text(body)
        rows = _rows(text)
        first = next(rows, None)
        order = self._order(first, header) if first else None
        if first and order is None:
            rows = chain([first], rows)
        quick = {"f": float, "i": int, "u": int}.get(self._reader.dtype.kind) if _is_plain(text) else None
        cells = (self._cells(row, number, quick) for number, row in enumerate(rows, 1))
        parts = []
        while part := list(islice(cells, _PART_ROWS if self._parted else None)):
            parts.append(self._flattened(part) if self._flat else self._reader.from_nested(part))
        if not parts:
            raise RequestError(f"{self._reader.name} must have at least one row, got none")
        if len({one.shape[1:] for one in parts}) > 1:
            raise RequestError(f"{self._reader.name} must have rows of one length, got rows that differ")
        return _ordered(self._whole(parts), order)

    def _whole(self, parts: list[NDArray[Any]]) -> NDArray[Any]:
        if len(parts) == 1:
            return parts[0]
        self._reader.check_elements(sum(one.size for one in parts))
        array = np.concatenate(parts)
        self._reader.check_shape(array.shape)
        return array

    def _order(self, first: list[str], header: str | None) -> list[int] | None:
        """Where each column of the manifest stands in the first row; ``None`` where that is no header."""
        if header == "absent":
            return None
        names = [cell.strip() for cell in first]
        known = self._columns and len(names) == len(self._columns) and set(names) == set(self._columns)
        if header == "present" and not self._columns:
            return []
        if header == "present" and not known:
            raise RequestError("the header must name the columns of the manifest, got others")
        if not known:
            return None
        if self._ambiguous and header is None:
            raise RequestError(
                "the content type must say header=present or header=absent where columns are named by numbers, "
                "got a first row that can be either"
            )
        return [names.index(name) for name in self._columns]

    def _cells(self, row: list[str], number: int, quick: Callable[[str], float] | None) -> list[Any]:
        if self._width not in (None, len(row)):
            raise RequestError(f"row {number} of the body must have {self._width} cells, got {len(row)}")
        kind = self._reader.dtype.kind
        if kind == "O":
            return list(row)
        if quick is not None:
            with suppress(ValueError):  # a cell that is empty, or no number: looked at one by one
                return [*map(quick, row)]
        convert = {"f": _float, "b": _boolean}.get(kind, _integer)
        try:
            return [convert(cell.strip()) for cell in row]
        except ValueError as error:
            what = "true or false" if kind == "b" else "numbers"
            raise RequestError(f"row {number} of the body must hold {what}, got {str(error)[:_SHOWN]!r}") from None


def _ordered(array: NDArray[Any], order: list[int] | None) -> NDArray[Any]:
    return array if order is None or order == sorted(order) else np.ascontiguousarray(array[..., order])


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise RequestError(f"the body must be text in UTF-8, got bytes that are not ({error.reason})") from None


def _rows(text: str) -> Iterator[list[str]]:
    try:
        yield from filter(None, csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise RequestError(f"the body must be CSV, got something else ({error})") from None


def _is_plain(text: str) -> bool:
    """Whether Python's own numbers are ours: it also knows underscores, and digits of other scripts."""
    return text.isascii() and "_" not in text


def _float(cell: str) -> float | None:
    if not cell:
        return None
    if not _NUMBER.fullmatch(cell):
        raise ValueError(cell)
    return float(cell)


def _integer(cell: str) -> int | None:
    if not cell:
        return None
    if not _WHOLE.fullmatch(cell) or len(cell) > _LONGEST:
        raise ValueError(cell)
    return int(cell)


def _boolean(cell: str) -> bool:
    value = _BOOLEANS.get(cell.lower())
    if value is None:
        raise ValueError(cell)
    return value
