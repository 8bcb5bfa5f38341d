"""One model's codec: what its manifest says is looked up once, not per request."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from threading import Lock
from typing import Any

from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.serving.container import negotiation
from mlplatform_cdk.serving.container.codecs.answers import Answers
from mlplatform_cdk.serving.container.codecs.csv_rows import CsvRows
from mlplatform_cdk.serving.container.codecs.json_forms import JsonForms
from mlplatform_cdk.serving.container.codecs.json_lines import JsonLines
from mlplatform_cdk.serving.container.codecs.npy import NpyArray
from mlplatform_cdk.serving.container.codecs.raw_tensor import RawTensor
from mlplatform_cdk.serving.container.errors import BodyTooLarge, RequestError, UnsupportedContentType
from mlplatform_cdk.serving.container.limits import Limits
from mlplatform_cdk.serving.container.tensors import TensorReader, exact

Arrays = dict[str, NDArray[Any]]
Headers = Mapping[str, str]
_Decoder = Callable[[bytes, Headers], Arrays]
_MOST_TYPES, _LONGEST_TYPE = 256, 256
_NO_HEADERS: Headers = {}
# Python's values take many times the memory of a text (see limits.py). A larger one is read alone, in all models: the
# parsers hold Python's own lock while they read, so that nobody waits longer for it.
_TEXTS, _LARGE_BYTES, _LARGE_TEXT = (negotiation.JSON, negotiation.JSON_LINES, negotiation.CSV), 1024 * 1024, Lock()


class Codec:
    """Bodies to the model's tensors and back; safe to use from several threads.

    :param manifest: what the model takes and gives.
    :param limits: what one request may cost.
    """

    def __init__(self, manifest: Manifest, limits: Limits) -> None:
        self._limits = limits
        self._large = min(_LARGE_BYTES, limits.body_bytes)
        self._content_types = manifest.content_types
        self._readers = [TensorReader(one, limits, held=True) for one in manifest.inputs]
        self._together = _Together(self._readers)
        self._forms = JsonForms(self._readers)
        self._lines = JsonLines(self._forms, limits)
        self._answers = Answers(manifest)
        self.accept = self._answers.accept
        self.encode = self._answers.encode
        self._decoders: dict[str, _Decoder] = {}
        for kind in manifest.content_types:  # what these load is loaded before the first request
            with suppress(UnsupportedContentType):
                self._decoders[kind] = self._decoder(kind)

    def decode(self, body: bytes, content_type: str, headers: Headers | None = None) -> Arrays:
        """The tensors in ``body``, by name in the manifest's order; npy and raw ones may be read-only.

        :param body: the request's body.
        :param content_type: its format; none means JSON.
        :param headers: the request's headers, names in lower case; default: none.
        :raises RequestError: when the body is not what the model takes.
        """
        with exact():
            return self.decode_held(body, content_type, headers or _NO_HEADERS)

    def decode_held(self, body: bytes, content_type: str, headers: Headers) -> Arrays:
        """``decode`` for callers who hold ``exact()``, once for many bodies."""
        if "content-encoding" in headers:
            _require_plain(headers["content-encoding"])
        decoder = self._decoders.get(content_type)
        if decoder is None:
            decoder = self._decoder(content_type)
            if len(self._decoders) < _MOST_TYPES and len(content_type) <= _LONGEST_TYPE:
                self._decoders[content_type] = decoder
        if len(body) > self._large:
            arrays = self._decode_large(decoder, body, content_type, headers)
        else:
            arrays = decoder(body, headers)
        if self._together.needed:
            self._together.check(arrays)
        return arrays

    def _decode_large(self, decoder: _Decoder, body: bytes, content_type: str, headers: Headers) -> Arrays:
        if len(body) > self._limits.body_bytes:
            raise BodyTooLarge(f"the body must be at most {self._limits.body_bytes} bytes, got {len(body)}")
        text = negotiation.media_type(content_type)[0] in _TEXTS
        with _LARGE_TEXT if text else nullcontext():
            return decoder(body, headers)

    def _decoder(self, content_type: str) -> _Decoder:
        kind, parameters = negotiation.media_type(content_type)
        if kind not in {negotiation.media_type(one)[0] for one in self._content_types}:
            raise UnsupportedContentType(
                f"the content type must be {' or '.join(self._content_types)}, got {content_type[:200]!r}"
            )
        if kind == negotiation.JSON:
            return self._forms.decode
        if kind == negotiation.JSON_LINES:
            return lambda body, _: self._lines.decode(body)
        if kind == negotiation.NPZ:
            from mlplatform_cdk.serving.container.codecs.npz import NpzArrays

            arrays = NpzArrays(self._readers, self._limits)
            return lambda body, _: arrays.decode(body)
        return self._single(kind, parameters)

    def _single(self, kind: str, parameters: Mapping[str, str]) -> _Decoder:
        """The decoder of a format that carries one input."""
        reader = self._readers[0]
        if len(self._readers) > 1:
            raise UnsupportedContentType(
                f"a model with {len(self._readers)} inputs must be asked in a format that names them, got {kind}"
            )
        name = reader.name
        if kind == negotiation.CSV:
            rows, header = CsvRows(reader, self._limits), parameters.get("header")
            return lambda body, _: {name: rows.decode(body, header)}
        if kind == negotiation.NPY:
            array = NpyArray(reader)
            return lambda body, _: {name: array.decode(body)}
        if kind == negotiation.RAW and reader.dtype.kind != "O":
            raw = RawTensor(reader)
            return lambda body, headers: {name: raw.decode(body, parameters, headers)}
        if kind in _PICTURES and reader.tensor.image is not None:
            from mlplatform_cdk.serving.container.images import ImageReader

            pictures = ImageReader(reader, self._limits)
            return lambda body, _: {name: pictures.decode(body, _PICTURES[kind])}
        raise UnsupportedContentType(f"the input {name} must be asked in a format that can carry it, got {kind}")


def _require_plain(coding: str) -> None:
    if coding.lower() not in {"", "identity"}:
        told = f"the content encoding must be identity, got {coding[:80]!r}; send the body as it is"
        raise UnsupportedContentType(told, (("Accept-Encoding", "identity"),))  # RFC 9110, section 12.5.3


class _Together:
    """Holds the inputs of one request against each other: one number of rows, and one size for each named dimension."""

    def __init__(self, readers: Sequence[TensorReader]) -> None:
        places: dict[str, list[tuple[str, int]]] = {}
        for reader in readers:
            for axis, size in enumerate(reader.tensor.shape):
                if isinstance(size, str):
                    places.setdefault("rows" if axis == 0 else size, []).append((reader.name, axis))
                    if axis == 0 and size != "rows":
                        places.setdefault(size, []).append((reader.name, axis))
        self._places = {name: of for name, of in places.items() if len(of) > 1}
        self.needed = bool(self._places)

    def check(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Refuse arrays that do not fit together."""
        for name, places in self._places.items():
            sizes = {arrays[tensor].shape[axis] for tensor, axis in places}
            if len(sizes) > 1:
                what = "number of rows" if name == "rows" else f"size of {name}"
                raise RequestError(f"all inputs must have the same {what}, got {sorted(sizes)}")


_PICTURES = {negotiation.JPEG: "JPEG", negotiation.PNG: "PNG"}
