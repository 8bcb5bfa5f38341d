"""Bodies to tensors and back: JSON and CSV, checked against the manifest, a mistake told in one sentence.

JSON in: ``{"inputs": {tensor: nested list}}``, or ``{"instances": [row, ...]}`` for a model with one input.
CSV in: rows of numbers without a header, or under a header that names the model's columns; an empty cell is missing.
JSON out: ``{"outputs": {tensor: nested list}, "labels": [name, ...]}``; CSV out: label, then the probabilities.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import Manifest, Tensor
from mlplatform_cdk.serving.container.errors import NotAcceptable, RequestError, UnsupportedContentType
from mlplatform_cdk.serving.container.tensors import as_array

JSON, CSV = "application/json", "text/csv"
Tensors = Mapping[str, NDArray[Any]]


def decode(body: bytes, content_type: str, manifest: Manifest) -> dict[str, NDArray[Any]]:
    """The tensors in ``body``.

    :param body: the request's body.
    :param content_type: its format; parameters such as a charset are left alone, and none means JSON.
    :param manifest: what the model takes.
    """
    kind = content_type.partition(";")[0].strip().lower() or JSON
    reader = _READERS.get(kind)
    if reader is None or kind not in manifest.content_types:
        raise UnsupportedContentType(
            f"the content type must be {_either(manifest.content_types)}, got {content_type!r}"
        )
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError(f"the body must be text in UTF-8, got bytes that are not ({error.reason})") from None
    tensors = reader(text, manifest)
    lengths = {len(array) for one, array in zip(manifest.inputs, tensors.values(), strict=True) if one.shape}
    if len(lengths) > 1:
        raise RequestError(f"all inputs must have the same number of rows, got {sorted(lengths)}")
    return tensors


def answer_type(accept: str) -> str:
    """The format that ``accept`` (an Accept header, possibly empty) asks for."""
    wanted = [(*_quality(part), -place) for place, part in enumerate(accept.split(","))] if accept.strip() else []
    if not wanted:
        return JSON
    for quality, kind, _ in sorted(wanted, key=lambda one: (-one[0], -one[2])):
        if quality > 0 and kind in _ACCEPTED:
            return _ACCEPTED[kind]
    raise NotAcceptable(f"the Accept header must allow {_either((JSON, CSV))}, got {accept!r}")


def encode(outputs: Tensors, kind: str, manifest: Manifest) -> bytes:
    """``outputs`` as a body.

    :param outputs: tensors by name, in the manifest's order.
    :param kind: what ``answer_type`` gave.
    :param manifest: names the labels.
    """
    return _encode_csv(outputs, manifest) if kind == CSV else _encode_json(outputs, manifest)


def _encode_json(outputs: Tensors, manifest: Manifest) -> bytes:
    answer: dict[str, object] = {"outputs": {name: array.tolist() for name, array in outputs.items()}}
    names = _names(outputs, manifest)
    return json.dumps(answer if names is None else {**answer, "labels": names}, separators=(",", ":")).encode()


def _encode_csv(outputs: Tensors, manifest: Manifest) -> bytes:
    names = _names(outputs, manifest)
    columns = [array.reshape(len(array), -1).tolist() for array in outputs.values()]
    if names is not None:
        columns[list(outputs).index("label")] = [[name] for name in names]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(
        list(chain.from_iterable(parts)) for parts in zip(*columns, strict=True)
    )
    return text.getvalue().encode()


def _names(outputs: Tensors, manifest: Manifest) -> list[str] | None:
    if not manifest.labels or "label" not in outputs:
        return None
    return [manifest.labels[index] for index in outputs["label"].tolist()]


def _decode_json(text: str, manifest: Manifest) -> dict[str, NDArray[Any]]:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise RequestError(f"the body must be JSON, got something else ({error})") from None
    except RecursionError:
        raise RequestError("the body must be JSON of a few levels, got one nested too deep") from None
    given = value if isinstance(value, dict) else {}
    inputs = given.get("inputs")
    if "instances" in given and len(manifest.inputs) == 1:
        inputs = {manifest.inputs[0].name: given["instances"]}
    names = [one.name for one in manifest.inputs]
    if not isinstance(inputs, dict) or set(inputs) != set(names):
        came = f"inputs {', '.join(sorted(inputs)) or 'none'}" if isinstance(inputs, dict) else _kind(value)
        raise RequestError(f'the body must be {{"inputs": {{...}}}} with {", ".join(names)}, got {came}')
    return {one.name: as_array(inputs[one.name], one) for one in manifest.inputs}


def _decode_csv(text: str, manifest: Manifest) -> dict[str, NDArray[Any]]:
    if len(manifest.inputs) != 1:
        raise UnsupportedContentType(f"a model with {len(manifest.inputs)} inputs must be asked in JSON, got CSV")
    tensor = manifest.inputs[0]
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise RequestError(f"the body must be CSV, got something else ({error})") from None
    if rows and tuple(cell.strip() for cell in rows[0]) == tensor.columns:
        rows = rows[1:]
    numbers = [[_cell(cell, number, tensor) for cell in row] for number, row in enumerate(rows, 1)]
    return {tensor.name: as_array(numbers, tensor)}


def _cell(cell: str, row: int, tensor: Tensor) -> float | int | str | None:
    text = cell.strip()
    if tensor.dtype == "string":
        return text
    try:
        return None if not text else int(text) if "int" in tensor.dtype else float(text)
    except ValueError:
        raise RequestError(f"row {row} of the body must hold numbers, got {text[:40]!r}") from None


def _quality(part: str) -> tuple[float, str]:
    kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
    given = [piece.removeprefix("q=") for piece in parameters if piece.startswith("q=")]
    try:
        return (float(given[0]) if given else 1.0), kind
    except ValueError:
        return 0.0, kind


def _refuse(constant: str) -> None:
    raise RequestError(f"the body must hold finite numbers (null where one is missing), got {constant}")


def _kind(value: object) -> str:
    return f"an object with {', '.join(sorted(value)[:5]) or 'nothing'}" if isinstance(value, dict) else "no object"


def _either(kinds: tuple[str, ...]) -> str:
    return " or ".join(kinds)


_READERS: Mapping[str, Callable[[str, Manifest], dict[str, NDArray[Any]]]] = {JSON: _decode_json, CSV: _decode_csv}
_ACCEPTED = {JSON: JSON, CSV: CSV, "*/*": JSON, "application/*": JSON, "text/*": CSV}
