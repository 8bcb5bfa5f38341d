"""Does a picture become the tensor that the manifest describes, and can none of them exhaust the memory?"""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mlplatform_cdk.runtimekit.manifest import ImagePreprocessing
from mlplatform_cdk.serving.container.errors import RequestError, UnsupportedContentType
from mlplatform_cdk.serving.container.limits import Limits
from tests.serving.container.codecs import models
from tests.serving.container.codecs.models import JPEG, PNG, TOKENS, tensor

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def pixels(height: int, width: int, channels: int = 3) -> NDArray[np.uint8]:
    """Smooth, so that resizing does not depend on single pixels."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    return (x * 255 // max(width, 2) // 2 + y * 255 // max(height, 2) // 2 + c * 10).astype(np.uint8)


def encoded(picture: Image.Image, kind: str = "PNG", **more: Any) -> bytes:
    content = io.BytesIO()
    picture.save(content, kind, **more)
    return content.getvalue()


def png(array: NDArray[np.uint8]) -> bytes:
    return encoded(Image.fromarray(array))


def asked(
    body: bytes, image: ImagePreprocessing, *shape: int, dtype: Any = "float32", kind: str = PNG, **more: Any
) -> NDArray[Any]:
    codec = models.codec(tensor(dtype, "batch", *shape, image=image), outputs=(models.PROBABILITIES,), **more)
    array: NDArray[Any] = codec.decode(body, kind)["x"]
    return array


def test_each_value_is_scaled_centred_and_divided_and_rounded_once() -> None:
    array = pixels(4, 5)
    image = ImagePreprocessing(mean=MEAN, std=STD)
    expected = ((array / 255 - np.array(MEAN)) / np.array(STD)).astype(np.float32)

    came = asked(png(array), image, 3, 4, 5)

    assert came.dtype == np.float32
    assert np.array_equal(came, expected.transpose(2, 0, 1)[None])


def test_layout_and_channels_are_those_of_the_manifest() -> None:
    array = pixels(4, 5)
    last = ImagePreprocessing(layout="NHWC", channels="BGR")

    assert np.array_equal(asked(png(array), last, 4, 5, 3, dtype="uint8"), array[None, :, :, ::-1])
    assert np.array_equal(
        asked(png(array), ImagePreprocessing(channels="BGR"), 3, 4, 5, dtype="uint8"),
        array.transpose(2, 0, 1)[None, ::-1],
    )
    grey = asked(png(array), ImagePreprocessing(channels="L"), 1, 4, 5, dtype="uint8")
    assert np.array_equal(grey[0, 0], np.asarray(Image.fromarray(array).convert("L")))


def test_mean_and_std_follow_the_order_of_the_channels() -> None:
    array = np.full((1, 1, 3), (10, 20, 30), np.uint8)

    came = asked(png(array), ImagePreprocessing(channels="BGR", scale=1.0, mean=(30.0, 20.0, 10.0)), 3, 1, 1)

    assert came.ravel().tolist() == [0, 0, 0]


@pytest.mark.parametrize(("height", "width"), [(40, 60), (60, 40), (41, 97)])
def test_a_crop_is_the_middle_after_the_shorter_side_was_resized(height: int, width: int) -> None:
    picture = Image.fromarray(pixels(height, width))
    short = min(height, width)
    resized = picture.resize((20 * width // short, 20 * height // short), Image.Resampling.BILINEAR)
    left, top = round((resized.width - 16) / 2), round((resized.height - 16) / 2)
    expected = np.asarray(resized)[top : top + 16, left : left + 16]

    image = ImagePreprocessing(layout="NHWC", fit="crop", resize=20)
    assert np.array_equal(asked(encoded(picture), image, 16, 16, 3, dtype="uint8")[0], expected)


@pytest.mark.parametrize(("height", "width"), [(7, 90), (90, 7), (16, 12), (5, 5)])
def test_a_crop_without_resize_covers_the_tensor(height: int, width: int) -> None:
    array = np.full((height, width, 3), 200, np.uint8)

    came = asked(png(array), ImagePreprocessing(fit="crop"), 3, 16, 12, dtype="uint8")

    assert (came == 200).all()


def test_padding_keeps_the_whole_picture_and_adds_black() -> None:
    came = asked(png(np.full((10, 20, 3), 200, np.uint8)), ImagePreprocessing(fit="pad"), 3, 8, 8, dtype="uint8")

    assert (came[0, :, 2:6] == 200).all()
    assert (came[0, :, [0, 1, 6, 7]] == 0).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_turned_upright(orientation: int) -> None:
    upright = Image.fromarray(pixels(8, 12))
    turns = [None, None, 0, 3, 1, 5, 2, 6, 4]  # PIL.Image.Transpose that undoes the orientation's turn
    turn = turns[orientation]
    stored = upright if turn is None else upright.transpose(Image.Transpose(turn))
    exif = Image.Exif()
    exif[0x0112] = orientation

    image = ImagePreprocessing(layout="NHWC")
    came = asked(encoded(stored, exif=exif), image, 8, 12, 3, dtype="uint8")[0]
    assert np.array_equal(came, np.asarray(upright))


def test_every_kind_of_picture_has_colours_of_eight_bits() -> None:
    grey = np.array([[0, 0x7FFF, 0xFFFF]], np.uint16)
    image = ImagePreprocessing(layout="NHWC")

    assert asked(encoded(Image.fromarray(grey)), image, 1, 3, 3, dtype="uint8")[0, 0, :, 0].tolist() == [0, 127, 255]
    for mode in ("1", "L", "LA", "P", "RGBA"):
        body = encoded(Image.fromarray(np.full((2, 3, 3), 255, np.uint8)).convert(mode))
        assert (asked(body, image, 2, 3, 3, dtype="uint8") == 255).all()
    for mode in ("L", "RGB", "CMYK"):
        body = encoded(Image.fromarray(np.full((2, 3, 3), 255, np.uint8)).convert(mode), "JPEG")
        assert (asked(body, image, 2, 3, 3, dtype="uint8", kind=JPEG) >= 254).all()


def flat_png(width: int, height: int, rows: int | None = None) -> bytes:
    """A grey PNG whose header may promise more than its data hold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    data = zlib.compress((b"\0" * (width + 1)) * (height if rows is None else rows))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("body", "fit", "sentence"),
    [
        (flat_png(100_000, 100_000, rows=0), "stretch", "the picture must have at most 1000000 pixels, got 100000 x 1"),
        (flat_png(1001, 1000), "stretch", "the picture must have at most 1000000 pixels, got 1001 x 1000"),
        (flat_png(1, 900_000), "stretch", "the picture must not be that long and narrow, got 1 x 900000"),
        (flat_png(1, 900_000), "crop", "the picture must not be that long and narrow, got 1 x 900000"),
        (flat_png(900_000, 1), "crop", "the picture must not be that long and narrow, got 900000 x 1"),
        (flat_png(10, 10)[:-30], "stretch", "the body must be a PNG picture, got something else ("),
        (b"", "stretch", "the body must be a PNG picture, got something else (cannot identify image file"),
        (b"GIF89a", "stretch", "the body must be a PNG picture, got something else (cannot identify image file"),
        (encoded(Image.new("RGB", (5, 5)), "JPEG"), "stretch", "the body must be a PNG picture, got something else ("),
    ],
)
def test_a_bomb_or_a_broken_picture_is_refused_in_one_sentence(body: bytes, fit: Any, sentence: str) -> None:
    with pytest.raises(RequestError) as raised:
        asked(body, ImagePreprocessing(fit=fit), 3, 8, 8, limits=Limits(pixels=1_000_000))

    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)


def test_a_long_picture_that_fits_the_limit_is_padded() -> None:
    came = asked(flat_png(1, 900_000), ImagePreprocessing(fit="pad"), 3, 8, 8, limits=Limits(pixels=1_000_000))

    assert came.shape == (1, 3, 8, 8)


def test_a_bomb_in_a_text_chunk_is_refused() -> None:
    bomb = zlib.compress(b"\0" * 50_000_000)
    data = b"Comment\0\0" + bomb
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    body = flat_png(8, 8)

    with pytest.raises(RequestError, match=r"^the body must be a PNG picture, got something else \("):
        asked(body[:33] + chunk + body[33:], ImagePreprocessing(), 3, 8, 8)


def test_only_an_input_that_says_how_is_asked_in_pictures() -> None:
    with pytest.raises(
        UnsupportedContentType, match=r"^the input x must be asked in a format that can carry it, got im"
    ):
        models.codec(tensor("float32", "batch", 3, 8, 8)).decode(b"", PNG)
    with pytest.raises(
        UnsupportedContentType, match=r"^a model with 2 inputs must be asked in a format that names them"
    ):
        models.codec(*TOKENS).decode(b"", JPEG)
