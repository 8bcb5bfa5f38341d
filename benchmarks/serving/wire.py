"""The request bodies of the benchmark: the same row in every format that a server takes."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
_TRITON = {"float32": "FP32", "int64": "INT64"}


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent, and what must come back, by output.

    :param tolerance: by how much a number may be off; default: rows that are computed together may differ in their last
        bits.
    """

    content: bytes
    content_type: str = JSON
    expected: Mapping[str, Any] = field(default_factory=dict)
    tolerance: float = 1e-3


def body(name: str, rows: NDArray[Any], content_type: str = JSON) -> Body:
    """``rows`` for the input ``name``, as our own server, and every peer's application here, takes them."""
    if content_type == CSV:
        lines = [",".join(map(_number, row.ravel())) for row in rows]
        return Body("\n".join([*lines, ""]).encode(), CSV)
    if content_type == NPY:
        buffer = io.BytesIO()
        np.save(buffer, rows)
        return Body(buffer.getvalue(), NPY)
    return Body(json.dumps({"inputs": {name: _short(rows)}}).encode())


def as_read(rows: NDArray[Any], content_type: str) -> NDArray[Any]:
    """``rows`` as a server reads them: text has four digits."""
    return rows if content_type == NPY else np.asarray(_short(rows), dtype=rows.dtype)


def triton_body(name: str, rows: NDArray[Any]) -> Body:
    """The same rows in Triton's protocol."""
    flat: list[Any] = _short(rows.ravel())
    tensor = {"name": name, "shape": list(rows.shape), "datatype": _TRITON[rows.dtype.name], "data": flat}
    return Body(json.dumps({"inputs": [tensor]}).encode())


def _short(rows: NDArray[Any]) -> Any:
    """Numbers of four digits, as a client writes measured values."""
    return rows.tolist() if rows.dtype.kind == "i" else np.round(rows.astype(np.float64), 4).tolist()


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, np.floating) else str(value)
