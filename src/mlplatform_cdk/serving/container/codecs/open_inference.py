"""Named tensors as the Open Inference Protocol (KServe v2, Triton) writes them in JSON."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from mlplatform_cdk.serving.container.codecs.json_document import few, kind_of
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.tensors import TensorReader

_NUMBERS = "iuf"
_KINDS = {
    **dict.fromkeys(("FP16", "BF16", "FP32", "FP64"), "f"),
    **{f"{sign}INT{bits}": _NUMBERS for sign in ("", "U") for bits in (8, 16, 32, 64)},
    "BOOL": "b",
    "BYTES": "O",
}
_KEYS = {"name", "shape", "datatype", "data"}


def read_tensors(given: list[Any], readers: Sequence[TensorReader]) -> dict[str, NDArray[Any]]:
    """The arrays of ``[{"name", "shape", "datatype", "data"}, ...]``, in the manifest's order.

    :param given: the request's ``inputs``.
    :param readers: the model's inputs.
    :raises RequestError: when they are not the model's inputs.
    """
    entries: dict[str, dict[str, Any]] = {}
    for one in given:
        if type(one) is not dict or not one.keys() >= _KEYS or type(one["name"]) is not str:
            raise RequestError(f"each of the inputs must have name, shape, datatype and data, got {kind_of(one)}")
        entries[one["name"]] = one
    names = [one.name for one in readers]
    if entries.keys() != set(names) or len(entries) != len(given):
        raise RequestError(f"the inputs must be {', '.join(names)}, each once, got {few(entries)}")
    return {one.name: _array(entries[one.name], one) for one in readers}


def _array(entry: dict[str, Any], reader: TensorReader) -> NDArray[Any]:
    shape, data, datatype = entry["shape"], entry["data"], entry["datatype"]
    if type(datatype) is not str or reader.dtype.kind not in _KINDS.get(datatype, ""):
        raise RequestError(f"{reader.name} must have a datatype for {reader.tensor.dtype}, got {str(datatype)[:40]!r}")
    if type(shape) is not list or any(type(size) is not int or size < 0 for size in shape) or type(data) is not list:
        raise RequestError(f"{reader.name} must have a shape of whole numbers and its data in a list, got others")
    if not data or type(data[0]) is not list:
        return reader.from_flat(data, shape)
    array = reader.from_nested(data)
    if array.shape != tuple(shape):
        came = " x ".join(map(str, array.shape))
        raise RequestError(f"{reader.name} must have the shape that it says, {' x '.join(map(str, shape))}, got {came}")
    return array
