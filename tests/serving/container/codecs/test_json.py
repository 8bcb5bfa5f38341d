"""In which forms may JSON carry a model's inputs, and what does a wrong body hear?"""

import json
from typing import Any

import numpy as np
import pytest

from mlplatform_cdk.serving.container.errors import BodyTooLarge, RequestError, UnsupportedContentType
from mlplatform_cdk.serving.container.limits import Limits
from tests.serving.container.codecs import models
from tests.serving.container.codecs.models import JSON, LINES, TABLE, TOKENS, tensor

ROWS = [[41, 3, 10.5], [29, None, 0.1]]
COLUMNS = {"age": [41, 29], "visits": [3, None], "spent": [10.5, 0.1]}
EXPECTED = np.array([[41, 3, 10.5], [29, np.nan, 0.1]], np.float32)
RECORDS = [dict(zip(TABLE.columns, row, strict=True)) for row in ROWS]
MIXED = ["spent", "age", "visits"]
MIXED_ROWS = [[10.5, 41, 3], [0.1, 29, None]]


def asked(body: object, *inputs: Any, kind: str = JSON, **more: Any) -> dict[str, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return models.codec(*inputs, **more).decode(content, kind)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"inputs": {"features": ROWS}}, id="inputs by name"),
        pytest.param({"inputs": ROWS}, id="the only input without its name"),
        pytest.param({"instances": ROWS}, id="KServe v1"),
        pytest.param({"instances": ROWS, "parameters": {"a": "b"}}, id="KServe v1 with parameters"),
        pytest.param({"instances": [{"features": row} for row in ROWS]}, id="SageMaker's objects"),
        pytest.param({"instances": RECORDS}, id="objects by column"),
        pytest.param({"columns": COLUMNS}, id="columns"),
        pytest.param({"columns": list(TABLE.columns), "data": ROWS}, id="pandas split"),
        pytest.param({"columns": MIXED, "index": [0, 1], "data": MIXED_ROWS}, id="pandas split in another order"),
        pytest.param({"dataframe_split": {"columns": MIXED, "data": MIXED_ROWS}}, id="MLflow split"),
        pytest.param({"dataframe_records": RECORDS}, id="MLflow records"),
        pytest.param({"dataframe_records": [dict(reversed(one.items())) for one in RECORDS]}, id="records reversed"),
        pytest.param(
            {"inputs": [{"name": "features", "shape": [2, 3], "datatype": "FP32", "data": [*ROWS[0], *ROWS[1]]}]},
            id="Open Inference Protocol",
        ),
        pytest.param(
            {"id": "7", "inputs": [{"name": "features", "shape": [2, 3], "datatype": "FP64", "data": ROWS}]},
            id="Open Inference Protocol, nested",
        ),
        pytest.param(b"\xef\xbb\xbf" + json.dumps({"instances": ROWS}).encode(), id="a byte order mark"),
        pytest.param(b'{"inst\\u0061nces": %b}' % json.dumps(ROWS).encode(), id="an escaped name"),
    ],
)
def test_every_form_gives_the_same_array(body: object) -> None:
    arrays = asked(body)

    assert list(arrays) == ["features"]
    assert models.same(arrays["features"], EXPECTED)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([json.dumps(row) for row in ROWS], id="lists"),
        pytest.param([json.dumps(row) for row in RECORDS], id="objects by column"),
        pytest.param([json.dumps({"features": row}) for row in ROWS], id="objects by input"),
        pytest.param(["", *(json.dumps(row) + "\r" for row in ROWS), "  ", ""], id="blank lines"),
    ],
)
def test_json_lines_hold_a_row_each(lines: list[str]) -> None:
    arrays = asked("\n".join(lines).encode(), kind=LINES)

    assert models.same(arrays["features"], EXPECTED)


def test_a_line_without_brackets_is_a_row_of_an_input_with_one_axis() -> None:
    (array,) = asked(b"5\n6.5\nnull\n", tensor("float32", "batch"), kind=LINES).values()

    assert models.same(array, np.array([5, 6.5, np.nan], np.float32))


def test_several_inputs_are_told_apart_by_name_whatever_their_order() -> None:
    ids, mask = [[1, 2**53 + 1], [2**63 - 1, 4]], [[1, 1], [1, 0]]
    for body in (
        {"inputs": {"attention_mask": mask, "input_ids": ids}},
        {"instances": [{"attention_mask": m, "input_ids": i} for i, m in zip(ids, mask, strict=True)]},
        {
            "inputs": [
                {"name": name, "shape": [2, 2], "datatype": "INT64", "data": value}
                for name, value in (("attention_mask", mask), ("input_ids", ids))
            ]
        },
    ):
        arrays = asked(body, *TOKENS)
        assert list(arrays) == ["input_ids", "attention_mask"]
        assert arrays["input_ids"].tolist() == ids
        assert arrays["attention_mask"].tolist() == mask
        assert {one.dtype for one in arrays.values()} == {np.dtype(np.int64)}


def test_inputs_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(RequestError, match=r"^all inputs must have the same number of rows, got \[1, 2\]$"):
        asked({"inputs": {"input_ids": [[1], [2]], "attention_mask": [[1]]}}, *TOKENS)
    with pytest.raises(RequestError, match=r"^all inputs must have the same size of sequence, got \[1, 2\]$"):
        asked({"inputs": {"input_ids": [[1, 2]], "attention_mask": [[1]]}}, *TOKENS)


def test_a_fixed_input_need_not_have_as_many_rows_as_the_others() -> None:
    arrays = asked(
        {"inputs": {"x": [[1, 2]] * 3, "weights": [1, 2]}}, tensor("float32"), tensor("float32", 2, name="weights")
    )

    assert arrays["x"].shape == (3, 2)


@pytest.mark.parametrize(
    ("dtype", "rows"),
    [
        ("float32", [[0.1, 16777217], [3.4e38, 1e-46]]),
        ("float64", [[0.1, 9007199254740993], [1.7e308, -0.0]]),
        ("float16", [[0.1, 65504], [None, 2049]]),
        ("int64", [[2**63 - 1, -(2**63)], [2**53 + 1, 0]]),
        ("int32", [[2**31 - 1, -(2**31)], [1, 0]]),
        ("int8", [[127, -128], [1, 0]]),
        ("uint8", [[255, 0], [1, 2]]),
        ("bool", [[True, False], [False, True]]),
        ("string", [["a", ""], ["\u00e4\U0001f600", '"quoted",\n']]),
    ],
)
def test_every_type_is_read_exactly_and_rounded_once(dtype: Any, rows: list[list[Any]]) -> None:
    (array,) = asked({"inputs": {"x": rows}}, tensor(dtype)).values()

    flat = [np.nan if one is None else one for row in rows for one in row]
    wanted = np.array(flat, object if dtype == "string" else dtype).reshape(2, 2)
    assert models.same(array, wanted)


@pytest.mark.parametrize(
    ("dtype", "row", "sentence"),
    [
        ("float32", [1e39, 0], "x must hold numbers that fit float32, got 1e+39"),
        ("float16", [1, 65520], "x must hold numbers that fit float16, got 65520"),
        ("float32", ["1", 2], "x must hold numbers, got '1'"),
        ("float32", [True, 2.5], "x must hold numbers, got True"),
        ("float32", [1, {"a": 1}], "x must hold numbers, got an object"),
        ("float32", [1, [2]], "x must have rows of one length, got rows that differ"),
        ("int64", [1, 2.0], "x must hold whole numbers, got 2.0"),
        ("int64", [1, None], "x must hold whole numbers, got null"),
        ("int64", [1, False], "x must hold whole numbers, got False"),
        ("int64", [1, 2**63], "x must hold numbers that fit int64, got 9223372036854775808"),
        ("int64", [-1, 2**63], "x must hold numbers that fit int64, got 9223372036854775808"),
        ("int64", [1, 2**64], "x must hold whole numbers, got 1.8446744073709552e+19"),
        ("int8", [1, 128], "x must hold numbers that fit int8, got 128"),
        ("uint8", [-1, 1], "x must hold numbers that fit uint8, got -1"),
        ("bool", [True, 1], "x must hold true or false, got 1"),
        ("string", ["a", 1], "x must hold texts, got 1"),
        ("string", ["a", None], "x must hold texts, got null"),
        ("float32", ["y" * 900, 1], f"x must hold numbers, got '{'y' * 39}..."),
    ],
)
def test_a_value_of_another_kind_is_named(dtype: Any, row: list[Any], sentence: str) -> None:
    for body in ({"instances": [row]}, {"inputs": {"x": [row]}}):
        with pytest.raises(RequestError) as raised:
            asked(body, tensor(dtype))
        assert str(raised.value) == sentence
    with pytest.raises(RequestError) as raised:
        asked(json.dumps(row).encode(), tensor(dtype), kind=LINES)
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the body must be JSON, got something else (Input is a zero-length, empty document: "),
        (b"\xff", "the body must be text in UTF-8, got bytes that are not (invalid start byte)"),
        (b'{"instances": [[Infinity]]}', "the body must hold finite numbers (null where one is missing), got Infinity"),
        (b'{"instances": [[1e999, 1, 1]]}', "the body must be JSON, got something else (number is infinity"),
        (b"[" * 2000 + b"]" * 2000, "the body must be JSON, got something else (depth limit exceeded"),
        (b'{"instances": ' + b"[" * 900 + b"]" * 900 + b"}", "features must have rows of one length"),
        (b'{"instances": ' + b"[" * 900 + b"1" + b"]" * 900 + b"}", "features must have rows of one length"),
        ({"instances": []}, "features must have at least one row, got none"),
        ({"instances": [[]]}, "features must have at least one row, got none"),
        ({"instances": [1, 2, 3]}, "features must have the shape batch x 3, got 3"),
        ({"instances": [{"age": 1}]}, "row 1 must be an object with age, spent, visits, got an object with age"),
        ({"instances": [RECORDS[0], 5]}, "row 2 must be an object with age, spent, visits, got no object"),
        ({"instances": [{}]}, "row 1 must be an object with age, spent, visits, got an object with nothing"),
        ({"columns": {**COLUMNS, "x": [1, 2]}}, "the columns must be those of the manifest, got a difference in x"),
        ({"columns": {**COLUMNS, "age": [1]}}, "each column must be a list, and all of one length, got others"),
        ({"columns": {**COLUMNS, "age": 1}}, "each column must be a list, and all of one length, got others"),
        ({"columns": ["age", "age", "visits"], "data": ROWS}, "the columns must be those of the manifest, got a diff"),
        ({"columns": ["age"] * 3, "data": ROWS}, "the columns must be those of the manifest, got a difference in"),
        ({"columns": [[], {}, 1], "data": ROWS}, "a split table must have columns, a list of names, and data, got"),
        ({"dataframe_split": 5}, "a split table must have columns, a list of names, and data, got no object"),
        ({"dataframe_records": []}, "dataframe_records must be a list of objects, at least one, got no object"),
        ({"dataframe_records": [5]}, "row 1 must be an object with age, spent, visits, got no object"),
        ({"inputs": 5}, 'the body must be {"inputs": {...}} with features, got an object with inputs'),
        ({"inputs": {}}, 'the body must be {"inputs": {...}} with features, got inputs none'),
        ({"inputs": [{}]}, "each of the inputs must have name, shape, datatype and data, got an object with nothing"),
    ],
)
def test_a_wrong_body_is_told_in_one_sentence(body: object, sentence: str) -> None:
    with pytest.raises(RequestError) as raised:
        asked(body)

    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "other"}, "the inputs must be features, each once, got other"),
        ({"name": []}, "each of the inputs must have name, shape, datatype and data, got an object with"),
        ({"shape": [3, 2]}, "features must have the shape batch x 3, got 3 x 2"),
        ({"shape": [1, 3]}, "features must have 3 elements, as its shape says, got 6"),
        ({"shape": [True, 3]}, "features must have a shape of whole numbers and its data in a list, got others"),
        ({"shape": [-2, 3]}, "features must have a shape of whole numbers and its data in a list, got others"),
        ({"shape": [10**15, 3]}, "features must have at most 1000000 rows, got 1000000000000000"),
        ({"shape": "2,3"}, "features must have a shape of whole numbers and its data in a list, got others"),
        ({"datatype": "BYTES"}, "features must have a datatype for float32, got 'BYTES'"),
        ({"datatype": []}, "features must have a datatype for float32, got '[]'"),
        ({"data": {}}, "features must have a shape of whole numbers and its data in a list, got others"),
        ({"data": ROWS[:1]}, "features must have the shape that it says, 2 x 3, got 1 x 3"),
        ({"data": ["1"] * 6}, "features must hold numbers, got '1'"),
    ],
)
def test_a_named_tensor_that_is_not_what_it_says_is_refused(change: dict[str, Any], sentence: str) -> None:
    entry = {"name": "features", "shape": [2, 3], "datatype": "FP32", "data": [1, 2, 3, 4, 5, 6]}

    with pytest.raises(RequestError) as raised:
        asked({"inputs": [entry | change]})

    assert str(raised.value).startswith(sentence)


def test_a_wrong_line_is_named_by_its_number() -> None:
    with pytest.raises(RequestError, match=r"^row 2 of the body must be JSON, got something else \("):
        asked(b"[1,2,3]\n[1,2\n,3]", kind=LINES)
    with pytest.raises(RequestError, match=r"^the body must have at least one row, got none$"):
        asked(b"\n \n", kind=LINES)


def test_texts_among_numbers_never_make_numpy_pad_an_array_to_the_longest() -> None:
    body = b'{"instances": [["' + b"y" * 1_000_000 + b'"' + b",1" * 500_000 + b"]]}"

    with pytest.raises(RequestError, match=r"^features must hold numbers, got 'yyy"):
        asked(body)


@pytest.mark.parametrize(
    ("limits", "body", "sentence"),
    [
        (Limits(rows=1), {"instances": ROWS}, "features must have at most 1 rows, got 2"),
        (Limits(elements=5), {"instances": ROWS}, "features must have at most 5 elements, got 6"),
        (Limits(elements=5), {"inputs": {"features": ROWS}}, "features must have at most 5 elements, got 6"),
    ],
)
def test_the_limits_hold(limits: Limits, body: object, sentence: str) -> None:
    with pytest.raises(RequestError) as raised:
        asked(body, limits=limits)

    assert str(raised.value) == sentence


def test_a_body_over_the_limit_is_too_large() -> None:
    with pytest.raises(BodyTooLarge, match=r"^the body must be at most 10 bytes, got 11$"):
        asked(b"x" * 11, limits=Limits(body_bytes=10))


def test_only_the_formats_of_the_manifest_are_read() -> None:
    codec = models.codec(content_types=(JSON,))

    with pytest.raises(UnsupportedContentType, match=r"^the content type must be application/json, got 'text/csv'$"):
        codec.decode(b"1,2,3", "text/csv")
    assert list(codec.decode(b'{"instances": [[1, 2, 3]]}', "")) == ["features"]
    assert list(codec.decode(b'{"instances": [[1, 2, 3]]}', "Application/JSON; charset=utf-8")) == ["features"]


def test_columns_are_asked_for_in_rows_where_the_manifest_names_none() -> None:
    with pytest.raises(RequestError, match=r"^a model whose manifest names no columns must be asked in rows, got col"):
        asked({"columns": {"a": [1]}}, tensor("float32"))
    with pytest.raises(RequestError, match=r"^row 1 must be an object with x, got an object with a$"):
        asked({"instances": [{"a": 1}]}, tensor("float32"))
