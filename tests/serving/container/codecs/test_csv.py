"""Which rows may come as CSV, and is the fast way the strict way?"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import Tensor
from mlplatform_cdk.serving.container.codecs.csv_rows import CsvRows
from mlplatform_cdk.serving.container.errors import RequestError, UnsupportedContentType
from mlplatform_cdk.serving.container.limits import Limits
from mlplatform_cdk.serving.container.tensors import TensorReader
from tests.serving.container.codecs import models
from tests.serving.container.codecs.models import CSV, TABLE, TOKENS, tensor

EXPECTED = np.array([[41, 3, 10.5], [29, np.nan, 0.1]], np.float32)
NUMBERED = Tensor(name="x", dtype="float32", shape=("batch", 2), columns=("0", "1"))


def asked(body: str | bytes, *inputs: Tensor, kind: str = CSV, **more: Any) -> NDArray[Any]:
    content = body if isinstance(body, bytes) else body.encode()
    (array,) = models.codec(*inputs, **more).decode(content, kind).values()
    return array


@pytest.mark.parametrize(
    "body",
    [
        "41,3,10.5\n29,,0.1",
        "41,3,10.5\n29,,0.1\n\n",
        "41,3,10.5\r\n29,,0.1\r\n",
        "41,3,10.5\n\n29,,0.1\n",
        " 41 ,\t3, 10.5\n29 ,, .1\n",
        "+41,03,1.05e1\n29.,   ,1E-1\n",
        '"41","3","10.5"\n29,"",0.1',
        "age,visits,spent\n41,3,10.5\n29,,0.1\n",
        "age, visits ,spent\r\n41,3,10.5\r\n29,,0.1\r\n",
        '"age","visits","spent"\n41,3,10.5\n29,,0.1\n',
        "spent,age,visits\n10.5,41,3\n0.1,29,\n",
        "\ufeffage,visits,spent\n41,3,10.5\n29,,0.1\n",
        "\nspent,age,visits\n10.5,41,3\n0.1,29,\n",
    ],
)
def test_rows_come_with_or_without_a_header_quotes_and_gaps(body: str) -> None:
    for _ in range(2):  # the second time, the header is known
        assert models.same(asked(body), EXPECTED)


@pytest.mark.parametrize(
    ("dtype", "body", "expected"),
    [
        (
            "int64",
            "9223372036854775807,-9223372036854775808\n9007199254740993,+07",
            [[2**63 - 1, -(2**63)], [2**53 + 1, 7]],
        ),
        ("uint8", "255,0", [[255, 0]]),
        ("float64", "-0,-0.0\n0.1,1e-320", [[-0.0, -0.0], [0.1, 1e-320]]),
        ("float32", "-0 ,5\n16777217,1e-46", [[-0.0, 5], [16777216, 0]]),
        ("bool", "true,FALSE\n1,0", [[True, False], [True, False]]),
        ("string", 'a, b \n"q""u,o\nte",', [["a", " b "], ['q"u,o\nte', ""]]),
    ],
)
def test_every_type_is_read_exactly(dtype: Any, body: str, expected: list[Any]) -> None:
    wanted = np.array(expected, object if dtype == "string" else dtype)

    assert models.same(asked(body, tensor(dtype)), wanted)


def test_a_row_is_one_element_or_a_whole_block_where_the_input_has_other_axes() -> None:
    assert asked("5\n6.5\n", tensor("float32", "batch")).tolist() == [5, 6.5]
    assert asked("1,2,3,4\n5,6,7,8", tensor("int64", "batch", 2, 2)).tolist() == [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
    with pytest.raises(RequestError, match=r"^x must be asked in JSON, since its shape varies, got CSV$"):
        asked("1,2", tensor("float32", "batch", "sequence", 2))
    with pytest.raises(RequestError, match=r"^row 1 of the body must have 4 cells, got 2$"):
        asked("1,2", tensor("float32", "batch", 2, 2))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "features must have at least one row, got none"),
        ("age,visits,spent\n", "features must have at least one row, got none"),
        ("1,2,3\n1,2\n", "row 2 of the body must have 3 cells, got 2"),
        ("1,2\n1,2,3\n", "row 1 of the body must have 3 cells, got 2"),
        ("1,2,3\n ,2,3,\n", "row 2 of the body must have 3 cells, got 4"),
        ("1,2,3\n4,blue,6\n", "row 2 of the body must hold numbers, got 'blue'"),
        ("age,visits,other\n1,2,3\n", "row 1 of the body must hold numbers, got 'age'"),
        ("1,2,1_0", "row 1 of the body must hold numbers, got '1_0'"),
        ("1,2,\u0663", "row 1 of the body must hold numbers, got '\u0663'"),
        ("1,2,0x10", "row 1 of the body must hold numbers, got '0x10'"),
        ("1,,nan", "row 1 of the body must hold numbers, got 'nan'"),
        ("1,2,nan", "features must hold numbers that fit float32, got nan"),
        ("1,2,-inf", "features must hold numbers that fit float32, got -inf"),
        ("1,2,1e39", "features must hold numbers that fit float32, got 1e+39"),
        ("1,2,1e999", "features must hold numbers that fit float32, got inf"),
        ("1,2,null", "row 1 of the body must hold numbers, got 'null'"),
        ("1,2,[3]", "row 1 of the body must hold numbers, got '[3]'"),
        ("1,2,3],[4,5,6", "row 1 of the body must have 3 cells, got 6"),
        ('1,2,"3', "the body must be CSV, got something else ("),
        ('1,2,"3"4', "the body must be CSV, got something else ("),
        (b"1,2,\xff", "the body must be text in UTF-8, got bytes that are not (invalid start byte)"),
        ("1,2,\0", "row 1 of the body must hold numbers, got '\\x00'"),
    ],
)
def test_a_wrong_body_is_told_in_one_sentence(body: str | bytes, sentence: str) -> None:
    with pytest.raises(RequestError) as raised:
        asked(body)

    assert str(raised.value).startswith(sentence)


def test_whole_numbers_have_no_fraction_and_none_is_missing() -> None:
    for body, sentence in (
        ("1,2.0", "row 1 of the body must hold numbers, got '2.0'"),
        ("1,", "x must hold whole numbers, got null"),
        ("1," + "9" * 5000, "row 1 of the body must hold numbers, got '9999"),
        ("1," + "9" * 30, "x must hold numbers that fit int64, got 9999"),
    ):
        with pytest.raises(RequestError) as raised:
            asked(body, tensor("int64"))
        assert str(raised.value).startswith(sentence)


def test_the_content_type_may_say_whether_there_is_a_header() -> None:
    rows = "0,1\n5,6\n"

    assert asked(rows, NUMBERED, kind="text/csv; header=present").tolist() == [[5, 6]]
    assert asked(rows, NUMBERED, kind="text/csv; header=absent").tolist() == [[0, 1], [5, 6]]
    assert asked("1,0\n5,6\n", NUMBERED, kind='text/csv;Header="present"').tolist() == [[6, 5]]
    assert asked("a,b\n5,6\n", tensor("float32"), kind="text/csv; header=present").tolist() == [[5, 6]]
    assert asked("5,6\n", NUMBERED).tolist() == [[5, 6]]
    with pytest.raises(RequestError, match=r"^the content type must say header=present or header=absent where"):
        asked(rows, NUMBERED)
    with pytest.raises(RequestError, match=r"^the header must name the columns of the manifest, got others$"):
        asked(rows, kind="text/csv; header=present")


def test_a_model_with_several_inputs_is_not_asked_in_csv() -> None:
    with pytest.raises(UnsupportedContentType, match=r"^a model with 2 inputs must be asked in a format that names"):
        asked("1", *TOKENS)


def test_rows_over_the_limit_are_refused_before_they_are_read() -> None:
    with pytest.raises(RequestError, match=r"^the body must have at most 2 rows, got more$"):
        asked("1,2,3\n" * 4, limits=Limits(rows=2))
    with pytest.raises(RequestError, match=r"^features must have at most 2 rows, got 3$"):
        asked("1,2,3\n" * 3, limits=Limits(rows=2))


numbers = (
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.integers(-(2**70), 2**70).map(str)
    | st.from_regex(r"[+-]?[0-9]{1,3}(\.[0-9]{0,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)
    | st.sampled_from(
        ["", " ", "-0", "-0.0", "-0 ", " 7", "8\t", "-00", ".5", "5.", "1e39", "1e-400", "- 1", "1 2", "-"]
    )
)
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(numbers, min_size=width, max_size=width), min_size=1, max_size=5)
)
raggeds = st.lists(st.lists(numbers, min_size=1, max_size=3), min_size=0, max_size=4)


@settings(max_examples=400, deadline=None)
@given(
    rows=tables | raggeds,
    end=st.sampled_from(["\n", "\r\n", "\r", "\n\n", " \n"]),
    last=st.sampled_from(["", "\n", "\r\n", "\n\n"]),
    dtype=st.sampled_from(["float32", "float64", "float16", "int64", "int8"]),
)
def test_the_fast_way_gives_what_the_strict_way_gives(rows: list[list[str]], end: str, last: str, dtype: Any) -> None:
    body = (end.join(map(",".join, rows)) + last).encode()
    width = len(rows[0]) if rows else 1
    reader = CsvRows(TensorReader(tensor(dtype, "batch", width), Limits()), Limits())

    try:
        strict: NDArray[Any] | str = reader._strict(body, None)
    except RequestError as error:
        strict = str(error)
    fast = reader._fast(body)
    if isinstance(strict, str):
        assert fast is None, f"the strict way says: {strict}"
    elif fast is not None:
        assert models.same(fast, strict)


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_long_body_is_read_part_by_part_and_gives_one_array(quote: str) -> None:
    rows = np.arange(120_000, dtype=np.float32).reshape(-1, 3)
    body = "\n".join(",".join(f"{quote}{cell:.1f}{quote}" for cell in row) for row in rows.tolist())

    assert models.same(asked(body), rows)
    assert models.same(asked("spent,visits,age\n" + body), np.ascontiguousarray(rows[:, ::-1]))
    assert models.same(asked("visits,spent,age\n" + body), np.ascontiguousarray(rows[:, [2, 0, 1]]))
    with pytest.raises(RequestError, match=r"^features must have at most 119999 elements, got 120000$"):
        asked(body, limits=Limits(elements=119_999))
    with pytest.raises(RequestError, match=r"^x must have rows of one length, got rows that differ$"):
        asked(body + "\n1,2" * 4096, tensor("float32", "batch", "width"))


def test_plain_numbers_do_take_the_fast_way() -> None:
    reader = CsvRows(TensorReader(TABLE, Limits()), Limits())

    for body in (b"1,2.5,-3e5\n4,5,6\n", b"1,,3\r\n,5,\r\n", b"0,-0.5,0"):
        assert reader._fast(body) is not None
