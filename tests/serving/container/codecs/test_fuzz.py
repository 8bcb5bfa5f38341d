"""Whatever bytes come: a right array or one sentence, never another error, never memory out of proportion."""

import io
import json
import threading
import tracemalloc
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from mlplatform_cdk.runtimekit.manifest import ImagePreprocessing, Tensor
from mlplatform_cdk.serving.container.codecs import Codec, json_forms
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.limits import Limits
from tests.serving.container.codecs import models
from tests.serving.container.codecs.models import CSV, JPEG, JSON, LINES, NPY, NPZ, PNG, RAW, TABLE, TOKENS, tensor

PICTURE = tensor("float32", "batch", 3, 4, 4, image=ImagePreprocessing(fit="crop"))
CODECS = {
    "table": models.codec(TABLE),
    "whole": models.codec(tensor("int64")),
    "texts": models.codec(tensor("string")),
    "booleans": models.codec(tensor("bool", "batch")),
    "blocks": models.codec(tensor("float16", "batch", 2, 2)),
    "tokens": models.codec(*TOKENS),
    "number": models.codec(Tensor(name="x", dtype="float64", shape=())),
    "picture": models.codec(PICTURE, limits=Limits(pixels=100_000)),
}
ROWS = np.array([[1, 2.5, -3], [4, 0, 6]], np.float32)


def saved(picture: Image.Image, kind: str) -> bytes:
    content = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(content, kind, exif=exif)
    return content.getvalue()


def npy(array: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def npz(**arrays: Any) -> bytes:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    return content.getvalue()


SMALL = Image.fromarray(np.arange(108, dtype=np.uint8).reshape(6, 6, 3))
VALID: list[tuple[str, str, bytes]] = [
    ("table", JSON, b'{"instances": [[1, 2.5, null], [4, -0.0, 6e3]]}'),
    ("table", JSON, b'{"columns": {"age": [1], "visits": [2], "spent": [3]}}'),
    ("table", JSON, b'{"columns": ["spent", "age", "visits"], "data": [[1, 2, 3]]}'),
    ("table", JSON, b'{"inputs": [{"name": "features", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]}'),
    ("table", JSON, b'{"dataframe_records": [{"age": 1, "visits": 2, "spent": 3}]}'),
    ("whole", JSON, b'{"inputs": {"x": [[9223372036854775807, -1]]}}'),
    ("texts", JSON, b'{"inputs": {"x": [["a", "\\u00e4"]]}}'),
    ("booleans", JSON, b'{"instances": [true, false]}'),
    ("blocks", JSON, b'{"instances": [[[1, 2], [3, 4]]]}'),
    ("tokens", JSON, b'{"inputs": {"input_ids": [[1, 2]], "attention_mask": [[1, 1]]}}'),
    ("number", JSON, b'{"inputs": {"x": 1.5}}'),
    ("table", LINES, b'[1, 2, 3]\n{"age": 1, "visits": 2, "spent": 3}\n'),
    ("table", LINES, b"[1, 2, 3]\r\n\n[4, null, 6]"),
    ("table", CSV, b"age,visits,spent\n1,,3\n4,5,-0\n"),
    ("whole", CSV, b'"1",2\r\n+3,4\r\n'),
    ("texts", CSV, b'a,"b""\n"\n,\n'),
    ("booleans", CSV, b"true\n0\n"),
    ("blocks", CSV, b"1,2,3,4\n"),
    ("table", NPY, npy(ROWS)),
    ("table", NPY, npy(np.asfortranarray(ROWS.astype(">f8")))),
    ("whole", NPY, npy(np.array([[1, 2]], np.uint8))),
    ("booleans", NPY, npy(np.array([True, False]))),
    ("table", NPZ, npz(features=ROWS)),
    ("tokens", NPZ, npz(input_ids=np.ones((1, 2), int), attention_mask=np.ones((1, 2), int))),
    ("table", RAW, ROWS.tobytes()),
    ("booleans", RAW, b"\0\1"),
    ("picture", PNG, saved(SMALL, "PNG")),
    ("picture", PNG, saved(SMALL.convert("P"), "PNG")),
    ("picture", JPEG, saved(SMALL, "JPEG")),
]


def right_or_refused(codec: Codec, body: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
    try:
        arrays = codec.decode(body, kind, headers)
    except RequestError as error:
        sentence = str(error)
        assert sentence
        assert "\n" not in sentence
        assert len(sentence) < 600
        return
    assert list(arrays) == [one.name for one in codec._readers]
    for reader in codec._readers:
        array = arrays[reader.name]
        assert array.dtype == reader.dtype
        assert array.size > 0
        assert array.flags.c_contiguous
        assert len(array.shape) == len(reader.tensor.shape)
        for size, wanted in zip(array.shape, reader.tensor.shape, strict=True):
            assert isinstance(wanted, str) or size == wanted


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, str, bytes]:
    """A valid body with some bytes changed, dropped, doubled or added."""
    name, kind, body = draw(st.sampled_from(VALID))
    content = bytearray(body)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(content)))
        match draw(st.integers(0, 4)):
            case 0 if place < len(content):
                content[place] = draw(st.integers(0, 255))
            case 1:
                del content[place : place + draw(st.integers(1, 20))]
            case 2:
                content[place:place] = draw(st.binary(max_size=8))
            case 3:
                content[place:place] = content[place : place + 30]
            case _:
                tokens = [b"[", b"]", b"null", b"true", b'"', b",", b"1e400", b"9" * 30, b"-", b"\n", b"{}", b"NaN"]
                content[place:place] = draw(st.sampled_from(tokens))
    return name, kind, bytes(content)


@pytest.mark.parametrize(("name", "kind", "body"), VALID)
def test_the_bodies_that_are_mutated_below_are_valid(name: str, kind: str, body: bytes) -> None:
    if (name, kind) == ("table", LINES) and b"age" in body:
        with pytest.raises(RequestError):
            CODECS[name].decode(body, kind)
    elif name == "number":
        assert CODECS[name].decode(body, kind)["x"].item() == 1.5
    else:
        assert CODECS[name].decode(body, kind)


@settings(max_examples=800, deadline=None)
@given(mutated())
def test_a_valid_body_with_a_few_other_bytes_is_read_rightly_or_refused(case: tuple[str, str, bytes]) -> None:
    name, kind, body = case

    right_or_refused(CODECS[name], body, kind)


@settings(max_examples=400, deadline=None)
@given(
    body=st.binary(max_size=200) | st.text(max_size=100).map(str.encode),
    name=st.sampled_from(sorted(CODECS)),
    kind=st.sampled_from([JSON, LINES, CSV, NPY, NPZ, RAW, PNG, JPEG]),
)
@example(body=b'"5"\n6', name="blocks", kind=LINES)
@example(body=b'"5"\n6', name="booleans", kind=LINES)
def test_arbitrary_bytes_are_read_rightly_or_refused(body: bytes, name: str, kind: str) -> None:
    right_or_refused(CODECS[name], body, kind)


@settings(max_examples=300, deadline=None)
@given(kind=st.text(max_size=60), shape=st.text(max_size=30), dtype=st.text(max_size=10))
def test_arbitrary_headers_are_read_rightly_or_refused(kind: str, shape: str, dtype: str) -> None:
    headers = {"x-tensor-shape": shape, "x-tensor-dtype": dtype}

    right_or_refused(CODECS["table"], ROWS.tobytes(), kind)
    right_or_refused(CODECS["table"], ROWS.tobytes(), RAW, headers)
    right_or_refused(CODECS["table"], ROWS.tobytes(), f"{RAW};{kind}", headers)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**66), 2**66)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=8,
)


def reference(value: Any, dtype: str) -> Any:
    """The array as the standard library and one element at a time would make it; ``None`` where it is refused."""
    if type(value) is not list or not value or any(type(row) is not list or len(row) != 2 for row in value):
        return None
    kinds: dict[str, set[type]] = {"f": {int, float, type(None)}, "i": {int}, "b": {bool}}
    array = np.empty((len(value), 2), dtype)
    for place, cell in np.ndenumerate(np.array([[None] * 2] * len(value), object)):
        del cell
        one = value[place[0]][place[1]]
        if type(one) not in kinds[array.dtype.kind]:
            return None
        number = np.nan if one is None else float(one) if array.dtype.kind == "f" else one
        if array.dtype.kind == "f" and one is not None:
            with np.errstate(over="ignore"):  # what lies within half a step above the greatest number becomes that one
                if np.isinf(np.array(number, dtype)):
                    return None
        if array.dtype.kind == "i" and not np.iinfo(dtype).min <= number <= np.iinfo(dtype).max:
            return None
        array[place] = number
    return array


rows_of_two = st.lists(
    st.lists(
        st.integers(-(2**66), 2**66)
        | st.integers(-3, 300)
        | st.floats(allow_nan=False, allow_infinity=False, width=32)
        | st.booleans()
        | st.none(),
        min_size=2,
        max_size=2,
    ),
    max_size=3,
)


@settings(max_examples=400, deadline=None)
@given(value=values | rows_of_two, dtype=st.sampled_from(["float32", "float64", "int64", "int8", "bool"]))
def test_json_gives_what_one_element_at_a_time_gives(value: Any, dtype: Any) -> None:
    expected = reference(value, dtype)
    codec = models.codec(tensor(dtype))

    for document in ({"instances": value}, {"inputs": {"x": value}}):
        try:
            came = codec.decode(json.dumps(document).encode(), JSON)["x"]
        except RequestError:
            assert expected is None or not expected.size, document
        else:
            assert expected is not None, document
            assert models.same(came, expected)


# Those that take long to make are made where they are sent.
HOSTILE: list[tuple[str, bytes | Callable[[], bytes]]] = [
    (JSON, b'{"instances": [' + b"[]," * 66_000 + b"[]]}"),
    (JSON, b'{"instances": [' + b"{}," * 66_000 + b"{}]}"),
    (JSON, b'{"instances": [["' + b"y" * 100_000 + b'"' + b",1" * 50_000 + b"]]}"),
    (JSON, b'{"inputs": ' + b"[" * 1000 + b"1" + b"]" * 1000 + b"}"),
    (JSON, b'{"instances": [[' + b"1" * 200_000 + b"]]}"),
    (JSON, b'{"inputs": [{"name": "features", "shape": [900000, 3], "datatype": "FP32", "data": []}]}'),
    (LINES, b"[]\n" * 66_000),
    (LINES, b'"' + b"y" * 100_000 + b'"\n' + b"1\n" * 50_000),
    (CSV, b"," * 200_000),
    (CSV, b",\n" * 100_000),
    (CSV, b",,\n" * 200_000),
    (CSV, b'"",,\n' * 100_000),
    (CSV, b'"' + b"1" * 100_000 + b'",' + b"1," * 50_000),
    (CSV, b"9" * 200_000),
    (NPZ, lambda: npz(features=np.zeros((1_000_000, 3), np.float32))),
    (NPZ, lambda: npz(features=np.zeros((1_000_000, 40), np.float32))),
]


@pytest.mark.parametrize(("kind", "hostile"), HOSTILE, ids=range(len(HOSTILE)))
def test_memory_stays_in_proportion_to_the_body_and_the_limits(kind: str, hostile: bytes | Callable[[], bytes]) -> None:
    body = hostile() if callable(hostile) else hostile
    limits = Limits(unpacked_bytes=20_000_000)
    codec = models.codec(TABLE, limits=limits)
    codec.decode(b"1,2,3", CSV)  # what is loaded once does not count
    tracemalloc.start()
    try:
        right_or_refused(codec, body, kind)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 64 * len(body) + (2 * limits.unpacked_bytes if kind == NPZ else 8_000_000)


@pytest.mark.parametrize(("extra", "together"), [(0, 2), (2**20, 1)], ids=["small", "large"])
def test_large_texts_are_read_one_at_a_time(monkeypatch: pytest.MonkeyPatch, extra: int, together: int) -> None:
    met, seen = threading.Barrier(2), []

    def loads(body: bytes) -> object:
        with suppress(threading.BrokenBarrierError):
            met.wait(0.5)
        seen.append(2 if not met.broken else 1)
        return json.loads(body)

    monkeypatch.setattr(json_forms, "loads", loads)
    body = b'{"instances": [[1, 2, 3]]}' + extra * b" "
    with ThreadPoolExecutor(2) as pool:
        answers = [*pool.map(lambda _: CODECS["table"].decode(body, JSON), range(2))]

    assert [one["features"].tolist() for one in answers] == [[[1, 2, 3]]] * 2
    assert seen == [together, together]


def test_an_npz_that_says_less_than_it_holds_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("features.npy", npy(np.zeros((90_000, 3), np.float32)))
    body = content.getvalue().replace((1_080_128).to_bytes(4, "little"), (152).to_bytes(4, "little"))

    with pytest.raises(RequestError):
        CODECS["table"].decode(body, NPZ)
