"""Are many requests of one row read and written together as each of them is by itself, byte for byte?"""

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import Manifest, Tensor
from mlplatform_cdk.serving.container.codecs import Codec
from mlplatform_cdk.serving.container.codecs.one_row import OneRow
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.limits import Limits
from mlplatform_cdk.serving.container.tensors import exact
from tests.serving.container.codecs import models
from tests.serving.container.codecs.models import CSV, JSON, LABEL, PROBABILITIES, same, tensor

SCORE = Tensor(name="score%d", dtype="float64", shape=("batch",))
PLAIN = models.manifest(tensor("float32"))
STRANGE = models.manifest(
    tensor("float64", "batch", 1, name='e1%E."-'), outputs=(SCORE, LABEL, PROBABILITIES), labels=("no%s", 'y"es]')
)
HALVES = models.manifest(tensor("float16"), outputs=(PROBABILITIES,))
NAMES = {"plain": PLAIN, "strange": STRANGE, "halves": HALVES}

GOOD = ["0", "7", "-0", "-0.0", "1.5", "2e3", "-2E-3", "1e-400", "65504", "123456789012345678901234567890", "0.1"]
ODD = ["1e400", "65520", "3.5e38", "1e39", "+1", "1.", ".5", "00", "01", "1_0", "", " ", "-", "e", "1 2", "1e", "--1"]
ODD += ["null", "NaN", "Infinity", "-Infinity", '"1"', "true", "[1]", "[]", "1,2", "1],[2", "\xa01", "\u0661", "\0"]
SPACES = ["", " ", "\n", "\r\n", "\t ", "\f"]
FRAMES = [
    ('{"inputs":{NAME:[[', "]]}}"),
    ('{"inputs": {NAME: [[', "]]}}"),
    ('{"instances":[[', "]]}"),
    ('{"instances": [[', "]]}\n"),
    ('\ufeff{"instances":[[', "]]}"),
    ('{"id":12,"instances":[[', ']],"e":-1.5e3}'),
    ('{"inputs":{NAME:0},"inputs":{NAME:[[', "]]}}"),
    ('{"inputs":{NAME:[[', ']]},"inputs":{NAME:[ [5] ]}}'),
    ('{"inputs":{NAME:[[', ']]},"instances":[ [5,6] ]}'),
    ('{"[[', ']]":0,"instances":[ [0] ]}'),
    ('{"[[', ']]":0,"instances":[ [5,6] ]}'),
    ('{"instances":[ [0] ],"[[', ']]":0}'),
    ('{"instances":[[', "]],}"),
    ('{"instances":[[', "]]}1"),
    ('{"instancees":[[', "]]}"),
    ('{"instances":[[[', "]]]}"),
    ('{"instances":[[', "],[1,2]]}"),
    ('{"instances":[', "]}"),
    ('{"inputs":{NAME:[[', ']],"other":1}}'),
    ('{"inputs":{"e2%E.":[[', "]]}}"),
    ("[[", "]]"),
    ("", ""),
]


def texts(manifest: Manifest) -> st.SearchStrategy[bytes]:
    """Bodies of every sort: right ones, odd ones, and such as are only nearly one or the other."""
    quoted = orjson.dumps(manifest.inputs[0].name).decode()
    number = st.sampled_from(GOOD) | st.floats(width=32, allow_nan=False, allow_infinity=False).map(repr)
    number |= st.sampled_from(ODD) | st.text("0123456789+-.,eE \t\r\n", max_size=6)
    width = int(manifest.inputs[0].shape[1])
    row = st.lists(number, min_size=0, max_size=width + 1) | st.lists(
        st.sampled_from(GOOD), min_size=width, max_size=width
    )
    separator = st.sampled_from(SPACES).map(lambda space: "," + space)

    def filled(frame: tuple[str, str], numbers: list[str], separator: str, space: str) -> bytes:
        before, behind = (part.replace("NAME", quoted) for part in frame)
        return (before + space + separator.join(numbers) + space + behind).encode()

    return st.builds(filled, st.sampled_from(FRAMES), row, separator, st.sampled_from(SPACES))


def one_row(manifest: Manifest) -> OneRow:
    found = OneRow.of(manifest, Limits(), 65536)
    assert found is not None
    return found


def alone(manifest: Manifest, body: bytes) -> NDArray[Any] | None:
    try:
        (array,) = Codec(manifest, Limits()).decode(body, JSON).values()
    except RequestError:
        return None
    return array


def together(rows: OneRow, numbers: list[bytes]) -> NDArray[Any] | None:
    try:
        with exact():
            return rows.read(numbers)
    except Exception:  # noqa: BLE001 - that is its promise
        return None


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_what_is_read_together_is_what_each_body_says_by_itself(name: str, data: st.DataObject) -> None:
    manifest = NAMES[name]
    bodies = data.draw(st.lists(texts(manifest), min_size=1, max_size=6))
    rows = one_row(manifest)

    taken = [(numbers, alone(manifest, body)) for body in bodies if (numbers := rows.numbers(body)) is not None]

    for numbers, expected in taken:
        found = together(rows, [numbers])
        assert found is expected is None or (found is not None and expected is not None and same(found, expected))
    right = [(numbers, expected) for numbers, expected in taken if expected is not None]
    every = together(rows, [numbers for numbers, _ in taken]) if taken else None
    assert (every is not None) == (len(right) == len(taken) > 0)
    if right:
        found = together(rows, [numbers for numbers, _ in right])
        assert found is not None
        assert same(found, np.concatenate([expected for _, expected in right]))


@pytest.mark.parametrize(
    "body",
    [
        b'{"inputs":{"x":[[1,2]]}}',
        b'{"inputs": {"x": [[1, -2.5e-3]]}}',
        b'{"instances":[[1,2]]}',
        b'{\n  "instances": [[\n    1,\n    2\n  ]]\n}\n',
        b'\xef\xbb\xbf{"instances":[[1,2]]}',
        b'{"id":"a-1","instances":[[1,2]],"parameters":{"e":[1]}}',
    ],
)
def test_the_usual_forms_are_taken_each_time(body: bytes) -> None:
    rows = one_row(PLAIN)

    assert rows.numbers(body) is not None
    assert rows.numbers(body.replace(b"1", b"77")) is not None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"instances":[[1,null]]}', id="a missing number"),
        pytest.param(b'{"instances":[[1,2],[3,4]]}', id="two rows"),
        pytest.param(b'{"instances":[[1,2,3]]}', id="a number too many"),
        pytest.param(b'{"instances":[[1]]}', id="a number too few"),
        pytest.param(b'{"instances":[[1,NaN]]}', id="no number"),
        pytest.param(b'{"instances":[[1,"2"]]}', id="a text"),
        pytest.param(b'{"instances":[[1,2]],"instances":[[1,2]]}', id="two equal names"),
        pytest.param(b'{"[[1,2]]":0,"instances":[ [0] ]}', id="numbers in a name, where the row reads like a probe"),
        pytest.param(b'{"[[1,2]]":0,"instances":[ [1] ]}', id="and like the other probe"),
        pytest.param(b'{"instances":[[1,2]]', id="half a document"),
        pytest.param(b'{"instances":[[1,2]],"\xff":0}', id="no UTF-8"),
        pytest.param(b'{"instances":[[1,2]],"a":"' + b"a" * 65536 + b'"}', id="a body that is too long"),
        pytest.param(b"[[1,2]]", id="no object"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_other_forms_are_left_to_the_ordinary_way(body: bytes) -> None:
    rows = one_row(PLAIN)

    assert rows.numbers(body) is rows.numbers(body) is None


@pytest.mark.parametrize(
    "first",
    [
        b'{"inputs":{"x":[[1,2]]}}1',
        b'{"inputs":{"x":[[1,2]],}}',
        b'{"inputs":{"ex":[[1,2]]}}',
        b'{"inputs": {"x": [[1, 2]]}}',
        b'{"inputs":{"x":[[1,2,3]]}}',
    ],
)
def test_no_body_shuts_out_those_that_look_like_it(first: bytes) -> None:
    rows = one_row(PLAIN)

    rows.numbers(first)

    assert rows.numbers(b'{"inputs":{"x":[[1,2]]}}') == b"1,2"


def test_a_number_that_differs_beside_the_row_shuts_nobody_out() -> None:
    rows = one_row(PLAIN)

    assert [rows.numbers(b'{"id":%d,"instances":[[%d,2]]}' % (one, one)) for one in range(200)] == [
        b"%d,2" % one for one in range(200)
    ]


def test_a_client_that_makes_up_forms_without_end_shuts_nobody_out() -> None:
    rows = one_row(PLAIN)

    for one in range(1000):
        assert rows.numbers(b'{"%s":0,"instances":[[1,2]]}' % (b"a" * (one % 200) + b"b" * (one // 200)))

    assert rows.numbers(b'{"instances":[[1,2]]}') == b"1,2"


@pytest.mark.parametrize(
    ("manifest", "limits"),
    [
        pytest.param(models.manifest(tensor("int64")), Limits(), id="whole numbers"),
        pytest.param(models.manifest(tensor("string")), Limits(), id="texts"),
        pytest.param(models.manifest(*models.TOKENS), Limits(), id="two inputs"),
        pytest.param(models.manifest(tensor("float32", "batch")), Limits(), id="numbers without rows"),
        pytest.param(models.manifest(tensor("float32", "batch", "n")), Limits(), id="rows of any length"),
        pytest.param(models.manifest(tensor("float32", 1, 2)), Limits(), id="always one row"),
        pytest.param(models.manifest(tensor("float32"), outputs=(tensor("string"),)), Limits(), id="texts back"),
        pytest.param(models.manifest(tensor("float32"), outputs=(tensor("float32", 2),)), Limits(), id="no row each"),
        pytest.param(models.manifest(tensor("float32"), content_types=(CSV,)), Limits(), id="not asked in JSON"),
        pytest.param(models.manifest(tensor("float32")), Limits(elements=1), id="a row over the limit"),
    ],
)
def test_other_models_have_none(manifest: Manifest, limits: Limits) -> None:
    assert OneRow.of(manifest, limits, 65536) is None


def test_a_body_over_the_limit_is_not_read() -> None:
    rows = OneRow.of(PLAIN, Limits(body_bytes=20), 65536)

    assert rows is not None
    assert rows.numbers(b'{"instances":[[1,2]]}') is None


VALUES = st.floats(width=32) | st.sampled_from([0.1, -0.0, 1e-45, float("nan"), float("inf"), float("-inf")])


@settings(deadline=None, max_examples=200)
@given(
    rows=st.lists(st.tuples(VALUES, VALUES, VALUES, st.integers(0, 1)), min_size=2, max_size=6),
    dtype=st.sampled_from(["float16", "float32", "float64", "int8", "bool"]),
    slanted=st.booleans(),
)
@example(rows=[(float("nan"),) * 3 + (0,), (0.1, 0.2, 0.3, 1)], dtype="float32", slanted=True)
def test_what_is_written_together_is_what_each_answer_is_by_itself(
    rows: list[tuple[float, float, float, int]], dtype: str, *, slanted: bool
) -> None:
    with np.errstate(all="ignore"):
        table = np.array(rows, float)
        score = table[:, 0].astype(dtype)
        probabilities = table[:, 1:3].astype(dtype)
    if slanted:
        probabilities = np.asfortranarray(probabilities)
    outputs = [score, table[:, 3].astype(np.int64), probabilities]

    answers = one_row(STRANGE).write(outputs, len(rows))

    codec, names = Codec(STRANGE, Limits()), [one.name for one in STRANGE.outputs]
    for place, answer in enumerate(answers):
        own = [array[place : place + 1] for array in outputs]
        assert answer == codec.encode(dict(zip(names, own, strict=True)), JSON)


NUMBERS, LABELS, PAIRS = np.zeros(2), np.zeros(2, int), np.zeros((2, 2))


@pytest.mark.parametrize(
    "outputs",
    [
        pytest.param([NUMBERS, np.array([0, 2]), PAIRS], id="a label beyond those that there are"),
        pytest.param([NUMBERS, np.array([0, -1]), PAIRS], id="a label before the first"),
        pytest.param([NUMBERS, np.array([0.0, np.nan]), PAIRS], id="no label"),
        pytest.param([NUMBERS, LABELS, np.zeros((1, 2))], id="too few rows"),
        pytest.param([NUMBERS, LABELS, np.zeros((3, 2))], id="too many rows"),
        pytest.param([NUMBERS, LABELS, np.zeros((1, 2, 2))], id="one row whose text reads like two"),
        pytest.param([np.zeros((1, 2)), LABELS, PAIRS], id="one row in place of two numbers"),
        pytest.param([NUMBERS, LABELS, np.zeros(2)], id="numbers in place of rows"),
        pytest.param([NUMBERS, LABELS, np.array([["a],[b"], ["c"]])], id="texts in place of numbers"),
        pytest.param([NUMBERS, LABELS], id="an output too few"),
        pytest.param([NUMBERS, LABELS, PAIRS, PAIRS], id="an output too many"),
    ],
)
def test_outputs_that_are_not_what_the_manifest_says_are_left_to_the_ordinary_way(outputs: list[Any]) -> None:
    rows = one_row(STRANGE)

    with pytest.raises((ValueError, KeyError)):
        rows.write(outputs, 2)
