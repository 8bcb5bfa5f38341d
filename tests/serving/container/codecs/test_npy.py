"""Which arrays in numpy's format, and which bare tensors, does the container take as they are?"""

import io
import struct
import zipfile
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import Tensor
from mlplatform_cdk.serving.container.errors import RequestError, UnsupportedContentType
from mlplatform_cdk.serving.container.limits import Limits
from tests.serving.container.codecs import models
from tests.serving.container.codecs.models import NPY, NPZ, RAW, TABLE, TOKENS, tensor

ROWS = np.array([[1, 2.5, np.nan], [4, 5, np.inf]], np.float32)


def saved(array: NDArray[Any], version: tuple[int, int] | None = None) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array(content, array, version=version)
    return content.getvalue()


def headed(text: str, data: bytes = b"\0" * 12) -> bytes:
    head = text.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


def asked(body: bytes, *inputs: Tensor, kind: str = NPY, headers: dict[str, str] | None = None, **more: Any) -> Any:
    (array,) = models.codec(*inputs, **more).decode(body, kind, headers).values()
    return array


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_format_is_read(version: tuple[int, int]) -> None:
    assert models.same(asked(saved(ROWS, version)), ROWS)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8", "int32", "int64", "bool"])
def test_an_array_of_the_inputs_type_is_not_copied(dtype: Any) -> None:
    array = np.array([[0, 1], [1, 0]], dtype)
    codec, body = models.codec(tensor(dtype)), saved(array)

    for _ in range(2):  # the second time, the header is known
        came = codec.decode(body, NPY)["x"]
        assert models.same(came, array)
        assert not came.flags.owndata
        assert not came.flags.writeable


@pytest.mark.parametrize("came", [">f4", "<f8", ">f8", "<f2", "<i8", ">u4", "|i1"])
def test_an_array_of_another_type_is_converted_where_each_number_fits(came: str) -> None:
    array = np.array([[1, 2, 3], [4, 5, 6]], came)

    assert models.same(asked(saved(array)), array.astype(np.float32))


def test_an_array_in_fortran_order_is_put_into_rows() -> None:
    array = np.asfortranarray(ROWS)
    came = asked(saved(array))

    assert b"'fortran_order': True" in saved(array)
    assert models.same(came, ROWS)
    assert came.flags.c_contiguous


def test_the_same_header_with_another_length_is_refused_although_it_is_known() -> None:
    codec, body = models.codec(), saved(ROWS)
    codec.decode(body, NPY)

    for wrong in (body[:-1], body + b"\0"):
        with pytest.raises(RequestError, match=r"^the body must have 152 bytes, as its npy header says, got 15[13]$"):
            codec.decode(wrong, NPY)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the body must be an array in numpy's npy format, got something else"),
        (
            b"\x93NUMPY\x04\x00\x10\x00" + b" " * 20,
            "the body must be an array in numpy's npy format, got something else",
        ),
        (b"\x93NUMPY\x01\x00\xff\xff", "the npy header must be whole and at most 4096 bytes, got 65545"),
        (b"\x93NUMPY\x01\x00\x80\x00{'descr", "the npy header must be whole and at most 4096 bytes, got 138"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "the npy header must be whole and at most 4096 bytes, got 4294967307"),
        (saved(np.array([[{}, 1, 2]], object)), "the npy array must hold numbers or booleans, got the type '|O'"),
        (saved(np.array([["a", "b", "c"]])), "the npy array must hold numbers or booleans, got the type '<U1'"),
        (saved(np.array([[1j, 2, 3]])), "the npy array must hold numbers or booleans, got the type '<c16'"),
        (saved(np.zeros((1, 3), "M8[s]")), "the npy header must have a plain type, an order and a shape, got another"),
        (
            saved(np.zeros(3, [("a", "<f4")])),
            "the npy header must have a plain type, an order and a shape, got another",
        ),
        (saved(np.zeros((0, 3), np.float32)), "features must have at least one row, got none"),
        (saved(np.zeros((1, 2), np.float32)), "features must have the shape batch x 3, got 1 x 2"),
        (saved(np.zeros((), np.float32)), "features must have the shape batch x 3, got a number"),
        (saved(np.zeros((1, 3), bool)), "features must hold numbers, got bool"),
        (saved(np.array([[1e39, 0, 0]])), "features must hold numbers that fit float32, got a greater one"),
        (
            headed("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 3), }"),
            "the npy header must have a plain type,",
        ),
        (
            headed("{'descr': '<f4', 'fortran_order': False, 'shape': (1e9, 3), }"),
            "the npy header must have a plain type",
        ),
        (headed("{'descr': '<f4', 'fortran_order': False, 'shape': (10**9, 3), }"), "the npy header must have a plain"),
        (
            headed("{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 3), }"),
            "the npy header must have a plain type, an",
        ),
        (
            headed("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (1, 3)}"),
            "the npy header must have",
        ),
        (
            headed("{'descr': '<f4', 'shape': (1, 3), }"),
            "the npy header must have a plain type, an order and a shape, got",
        ),
        (headed("__import__('os')"), "the npy header must have a plain type, an order and a shape, got another"),
        (
            headed("{'descr': '<f4', 'fortran_order': False, 'shape': (1,) * 9}"),
            "the npy header must have a plain type",
        ),
        (
            headed("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999999, 3), }"),
            "features must have at most 1000000 rows, got 999999999999999999",
        ),
        (
            headed(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({'1, ' * 33}), }}"),
            "the npy array must have at most 32 axes, got 33",
        ),
    ],
)
def test_a_hostile_header_is_refused_before_anything_is_allocated(body: bytes, sentence: str) -> None:
    with pytest.raises(RequestError) as raised:
        asked(body)

    assert str(raised.value).startswith(sentence)


def test_headers_of_other_writers_are_understood() -> None:
    data = ROWS.tobytes()
    for text in (
        '{"descr":"<f4","fortran_order":False,"shape":(2,3)}',
        "{'shape': (2, 3,), 'fortran_order': False, 'descr': '<f4'}   \n",
        "{'descr': '=f4', 'fortran_order': False, 'shape': (2,3), }\n",
    ):
        assert models.same(asked(headed(text, data)), ROWS)


@pytest.mark.parametrize("kind", [NPY, RAW])
def test_numbers_that_do_not_fit_are_refused(kind: str) -> None:
    parameters = '; dtype=int64; shape="1,2"' if kind == RAW else ""
    for dtype, row in (("int8", [1, 128]), ("int8", [-129, 1]), ("uint8", [-1, 1])):
        array = np.array([row], np.int64)
        with pytest.raises(RequestError, match=rf"^x must hold numbers that fit {dtype}, got a greater one$"):
            asked(array.tobytes() if kind == RAW else saved(array), tensor(dtype), kind=kind + parameters)


def test_a_boolean_is_one_of_two_bytes() -> None:
    for kind in (NPY, RAW):
        data = b"\0\1\2\1"
        body = headed("{'descr': '|b1', 'fortran_order': False, 'shape': (2, 2), }", data) if kind == NPY else data
        with pytest.raises(RequestError, match=r"^x must hold booleans of 0 or 1, got another byte$"):
            asked(body, tensor("bool"), kind=kind)


def test_limits_are_held_against_the_header_alone() -> None:
    with pytest.raises(RequestError, match=r"^features must have at most 5 elements, got 6$"):
        asked(saved(ROWS), limits=Limits(elements=5))
    with pytest.raises(RequestError, match=r"^features must have at most 1 rows, got 2$"):
        asked(saved(ROWS), limits=Limits(rows=1))


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("application/octet-stream", {"x-tensor-shape": "2,3", "x-tensor-dtype": "float32"}),
        ("application/octet-stream", {"x-tensor-shape": " 2 , 3 "}),
        ('application/octet-stream; shape="2,3"; dtype=float32', None),
        ('application/octet-stream; shape="2,3"', {"x-tensor-shape": "9,9"}),
        ("application/octet-stream", None),
    ],
)
def test_a_raw_tensor_says_its_shape_in_headers_or_in_the_content_type(kind: str, headers: Any) -> None:
    came = asked(ROWS.tobytes(), kind=kind, headers=headers)

    assert models.same(came, ROWS)
    assert not came.flags.owndata


@pytest.mark.parametrize(
    ("body", "parameters", "sentence"),
    [
        (b"", "", "features must have at least one row, got none"),
        (b"\0" * 13, "", "the body must have 12 bytes for 1 x 3 float32, got 13"),
        (b"\0" * 12, '; shape="2,3"', "the body must have 24 bytes for 2 x 3 float32, got 12"),
        (b"\0" * 12, '; shape="1,3,1"', "features must have the shape batch x 3, got 1 x 3 x 1"),
        (b"\0" * 12, '; shape="-1,3"', "the tensor's shape must be whole numbers such as 4,30, got '-1,3'"),
        (b"\0" * 12, "; dtype=object", "the tensor's dtype must be one of float32, float64, float16, int64, int32, "),
        (
            b"\0" * 12,
            '; shape="999999999999999999,3"',
            "features must have at most 1000000 rows, got 999999999999999999",
        ),
    ],
)
def test_a_raw_tensor_that_is_not_what_it_says_is_refused(body: bytes, parameters: str, sentence: str) -> None:
    with pytest.raises(RequestError) as raised:
        asked(body, kind=RAW + parameters)

    assert str(raised.value).startswith(sentence)


def test_a_shape_that_cannot_be_told_from_the_length_must_be_said() -> None:
    with pytest.raises(
        RequestError, match=r"^a raw tensor must say its shape in x-tensor-shape or in the content type"
    ):
        asked(b"\0" * 16, TOKENS[0], kind=RAW)


def test_texts_have_no_raw_form() -> None:
    with pytest.raises(
        UnsupportedContentType, match=r"^the input x must be asked in a format that can carry it, got a"
    ):
        asked(b"", tensor("string"), kind=RAW)


def zipped(compression: int = zipfile.ZIP_STORED, **files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(f"{name}.npy", data)
    return content.getvalue()


def test_several_inputs_come_as_npz() -> None:
    arrays = {one.name: np.arange(6, dtype=np.int64).reshape(2, 3) for one in TOKENS}
    for save in (np.savez, np.savez_compressed):
        content = io.BytesIO()
        save(content, **arrays)  # type: ignore[arg-type]
        came = models.codec(*TOKENS).decode(content.getvalue(), NPZ)
        assert list(came) == [one.name for one in TOKENS]
        assert all(models.same(came[name], array) for name, array in arrays.items())


def test_an_npz_file_is_bounded_and_complete() -> None:
    bomb = zipped(zipfile.ZIP_DEFLATED, features=saved(np.zeros((9999, 3), np.float32)))
    for body, limits, sentence in (
        (b"PK", Limits(), "the body must be an npz file, got something else (File is not a zip file)"),
        (zipped(other=b""), Limits(), "the npz file must hold features.npy, got other.npy"),
        (zipped(), Limits(), "the npz file must hold features.npy, got nothing"),
        (bomb, Limits(unpacked_bytes=100_000), "the npz file must unpack to at most 100000 bytes, got 120116"),
        (zipped(zipfile.ZIP_LZMA, features=saved(ROWS)), Limits(), "the npz file must be stored or deflated, and not"),
        (zipped(features=saved(ROWS))[:150] + b"x" * 9, Limits(), "the body must be an npz file, got something else ("),
    ):
        with pytest.raises(RequestError) as raised:
            asked(body, TABLE, kind=NPZ, limits=limits)
        assert str(raised.value).startswith(sentence)
