"""In which formats does the container answer, and is nothing lost on the way?"""

import csv
import io
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import Tensor
from mlplatform_cdk.serving.container.errors import NotAcceptable
from tests.serving.container.codecs import models
from tests.serving.container.codecs.models import CSV, JSON, LINES, NPY, NPZ, PROBABILITIES, tensor

OUTPUTS = {"label": np.array([1, 0]), "probabilities": np.array([[0.1, 0.9], [0.75, 0.25]], np.float32)}
LABELS = ('yes, "sir"', "no")


def answer(kind: str, outputs: Mapping[str, Any] = OUTPUTS, **more: Any) -> bytes:
    return models.codec(**{"labels": LABELS, **more}).encode(outputs, kind)


def test_json_names_outputs_and_labels() -> None:
    assert answer(JSON) == (
        b'{"outputs":{"label":[1,0],"probabilities":[[0.1,0.9],[0.75,0.25]]},"labels":["no","yes, \\"sir\\""]}'
    )
    assert json.loads(answer(JSON, labels=())) == {
        "outputs": {"label": [1, 0], "probabilities": [[0.1, 0.9], [0.75, 0.25]]}
    }


def test_csv_has_the_label_in_place_of_its_index() -> None:
    assert answer(CSV) == b'no,0.1,0.9\n"yes, ""sir""",0.75,0.25\n'
    assert answer(CSV, labels=()) == b"1,0.1,0.9\n0,0.75,0.25\n"
    assert answer(CSV, labels=("a\r", "b\n")) == b'"b\n",0.1,0.9\n"a\r",0.75,0.25\n'


def test_json_lines_have_a_row_each() -> None:
    assert [json.loads(line) for line in answer(LINES).splitlines()] == [
        {"outputs": {"label": 1, "probabilities": [0.1, 0.9]}, "label": "no"},
        {"outputs": {"label": 0, "probabilities": [0.75, 0.25]}, "label": 'yes, "sir"'},
    ]


def test_npy_has_a_field_per_output_and_npz_a_file() -> None:
    rows = np.load(io.BytesIO(answer(NPY)), allow_pickle=False)
    files = np.load(io.BytesIO(answer(NPZ)), allow_pickle=False)

    for name, array in OUTPUTS.items():
        assert models.same(np.ascontiguousarray(rows[name]), array)
        assert models.same(files[name], array)
    alone = models.codec(outputs=(PROBABILITIES,)).encode({"probabilities": OUTPUTS["probabilities"]}, NPY)
    assert models.same(np.load(io.BytesIO(alone)), OUTPUTS["probabilities"])


def test_a_name_outside_latin_letters_has_its_place_in_npy() -> None:
    outputs = {"\u70b9": np.array([1.5]), "\u6570": np.array([2])}
    codec = models.codec(outputs=(tensor("float64", "batch", name="\u70b9"), tensor("int64", "batch", name="\u6570")))

    rows = np.load(io.BytesIO(codec.encode(outputs, NPY)))

    assert rows["\u70b9"].tolist() == [1.5]


def test_what_is_no_number_is_null_in_json_and_empty_or_inf_in_csv() -> None:
    outputs = {"label": np.array([1]), "probabilities": np.array([[np.nan, 0.5]], np.float32)}
    infinite = {"label": np.array([1]), "probabilities": np.array([[np.nan, -np.inf], [0.1, np.inf]], np.float32)[:1]}

    assert json.loads(answer(JSON, outputs))["outputs"]["probabilities"] == [[None, 0.5]]
    assert answer(CSV, outputs) == b"no,,0.5\n"
    assert json.loads(answer(JSON, infinite))["outputs"]["probabilities"] == [[None, None]]
    assert answer(CSV, infinite) == b"no,,-inf\n"


def test_outputs_of_any_memory_layout_are_written_alike() -> None:
    whole = np.arange(12, dtype=np.float32).reshape(3, 4)
    for apart in (whole[:, 1:3], whole.T[:2].T, np.asfortranarray(whole[:, 1:3])):
        outputs = MappingProxyType({"label": np.arange(6)[::2], "probabilities": apart})
        plain = {name: np.array(array.tolist(), np.float32) for name, array in outputs.items()}
        plain["label"] = plain["label"].astype(np.int64)
        for kind in (JSON, CSV, LINES):
            assert answer(kind, outputs, labels=()) == answer(kind, plain, labels=())


def test_a_class_without_a_label_is_an_error_and_no_other_label() -> None:
    for index in (2, -1):
        for kind in (JSON, CSV, LINES):
            with pytest.raises(IndexError, match=rf"got class {index}$"):
                answer(kind, {"label": np.array([index]), "probabilities": np.zeros((1, 2))})


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        ("text/*", CSV),
        ("text/csv", CSV),
        ("Text/CSV; charset=utf-8", CSV),
        ("application/json;verbose=true", JSON),
        ("application/json;q=0.1, text/csv", CSV),
        ("text/csv, application/json", CSV),
        ("application/json, text/csv", JSON),
        ("image/png, application/json", JSON),
        ("application/x-ndjson", LINES),
        ("application/jsonlines;q=1.0, */*;q=0.1", LINES),
        ("application/x-npy", NPY),
        ("application/x-npz", NPZ),
        ("application/json;q=0, */*", CSV),
        ("application/*;q=0, */*", CSV),
        ("*/*, application/json;q=0.2", CSV),
        ("text/csv;q=nan, application/json;q=0.001", JSON),
        (", ,application/json,", JSON),
        ("application/json;q=.1, text/csv;q=.5", CSV),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", JSON),
    ],
)
def test_the_format_is_the_one_that_the_caller_likes_best(accept: str, kind: str) -> None:
    codec = models.codec()

    assert [codec.accept(accept), codec.accept(accept)] == [kind, kind]


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "*/*;q=0", "text/html, image/*", "json", ";"])
def test_a_format_that_cannot_be_written_is_not_acceptable(accept: str) -> None:
    if accept == ";":
        assert models.codec().accept(accept) == JSON
        return
    with pytest.raises(NotAcceptable, match=r"^the Accept header must allow application/json or text/csv or "):
        models.codec().accept(accept)


def test_rows_are_offered_only_where_the_outputs_have_rows_and_arrays_only_for_numbers() -> None:
    scalar = models.codec(outputs=(PROBABILITIES, tensor("float32", 1, name="loss")))
    texts = models.codec(outputs=(tensor("string", "batch", name="text"),))

    for codec, kinds in ((scalar, (CSV, LINES, NPY)), (texts, (NPY, NPZ))):
        for kind in kinds:
            with pytest.raises(NotAcceptable):
                codec.accept(kind)
            with pytest.raises(NotAcceptable):
                codec.encode({}, kind)
    assert texts.accept("application/x-npy, */*;q=0.1") == JSON
    assert texts.encode({"text": np.array(["a", "b,"], object)}, CSV) == b'a\n"b,"\n'


def test_more_accept_headers_than_are_remembered_are_still_understood() -> None:
    codec = models.codec()

    assert {codec.accept(f"text/csv, image/x-{number}") for number in range(600)} == {CSV}


SHAPES = {1: ("batch",), 2: ("batch", 2), 3: ("batch", 2, 3)}


def inputs_of(kind: str, codec_: Any, outputs: Mapping[str, NDArray[Any]]) -> bytes:
    """An answer as the request that asks with the same numbers."""
    body: bytes = codec_.encode(outputs, kind)
    if kind == JSON:
        return body.replace(b'{"outputs":', b'{"inputs":', 1)
    return (
        b"\n".join(json.dumps(json.loads(line)["outputs"]).encode() for line in body.splitlines())
        if kind == LINES
        else body
    )


@settings(max_examples=150, deadline=None)
@given(
    data=st.data(),
    dtype=st.sampled_from(["float32", "float64", "float16", "int64", "int32", "int8", "uint8", "bool", "string"]),
    kind=st.sampled_from([JSON, CSV, LINES, NPY, NPZ]),
    rank=st.sampled_from([1, 2, 3]),
)
def test_what_is_written_is_read_back_to_the_last_bit(data: st.DataObject, dtype: Any, kind: str, rank: int) -> None:
    shape = (data.draw(st.integers(1, 4)), *[size for size in SHAPES[rank] if isinstance(size, int)])
    if dtype == "string":
        kind = CSV if kind == NPY else JSON if kind == NPZ else kind
        texts = st.text(st.characters(codec="utf-8"), max_size=6)
        array = data.draw(arrays_of.arrays(object, shape, elements=texts))
    else:
        finite = {"allow_infinity": False, "allow_nan": kind not in (JSON, LINES, CSV)} if dtype.startswith("f") else {}
        elements = arrays_of.from_dtype(np.dtype(dtype), **finite)
        array = data.draw(arrays_of.arrays(dtype, shape, elements=elements))
        if dtype.startswith("f") and data.draw(st.booleans()):
            array.flat[0] = np.nan
    one = Tensor(name="x", dtype=dtype, shape=SHAPES[rank])
    codec_ = models.codec(one, outputs=(one,))

    came = codec_.decode(inputs_of(kind, codec_, {"x": array}), kind)["x"]

    assert models.same(came, array)


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 1), st.floats(0, 1, width=32), st.floats(0, 1, width=32)), min_size=1, max_size=5
    )
)
def test_every_format_says_the_same(rows: list[tuple[int, float, float]]) -> None:
    outputs = {
        "label": np.array([one[0] for one in rows]),
        "probabilities": np.array([one[1:] for one in rows], np.float32),
    }
    wanted = [
        [LABELS[index], *map(float, pair)]
        for index, pair in zip(outputs["label"], outputs["probabilities"], strict=True)
    ]

    table = [
        [one[0], *(float(np.float32(cell)) for cell in one[1:])]
        for one in csv.reader(io.StringIO(answer(CSV, outputs).decode(), newline=""))
    ]
    lines = [json.loads(line) for line in answer(LINES, outputs).splitlines()]
    whole = json.loads(answer(JSON, outputs))

    assert table == wanted
    assert [[one["label"], *(float(np.float32(n)) for n in one["outputs"]["probabilities"])] for one in lines] == wanted
    assert np.array_equal(np.array(whole["outputs"]["probabilities"], np.float32), outputs["probabilities"])
    assert whole["outputs"]["label"] == outputs["label"].tolist()
