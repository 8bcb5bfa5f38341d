"""A JPEG or PNG becomes a model's input: turned upright, resized, cropped or padded, normalised by a table look-up.

Its size is read from its header and held against the limit before any pixel is decoded.
"""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import ImagePreprocessing
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.limits import Limits
from mlplatform_cdk.serving.container.tensors import TensorReader

_VALUES = 256
_ORIENTATION = 0x0112  # EXIF's tag; 1 is upright


class ImageReader:
    """Reads pictures for one input.

    :param reader: the input, whose manifest says how a picture becomes it.
    :param limits: what a picture may cost.
    """

    def __init__(self, reader: TensorReader, limits: Limits) -> None:
        from PIL import Image

        Image.preinit()
        Image.MAX_IMAGE_PIXELS = None  # pillow would only warn; the limit is ours
        image = reader.tensor.image
        assert image is not None
        self._image = image
        self._limits = limits
        self._height, self._width = image.size(reader.name, reader.tensor.shape)
        self._table = _table(image, reader.dtype)

    def decode(self, body: bytes, format_name: str) -> NDArray[Any]:
        """The tensor of one picture, with a batch of one.

        :param body: the file.
        :param format_name: ``JPEG`` or ``PNG``.
        """
        from PIL import Image

        try:
            with Image.open(io.BytesIO(body), formats=(format_name,)) as picture:
                self._check_size(*picture.size)
                pixels = np.asarray(self._fitted(self._upright(picture)))
        except RequestError:
            raise
        except Exception as error:  # noqa: BLE001 - a decoder of foreign bytes raises whatever it stumbles over
            reason = str(error)[:80].replace("\n", " ")
            raise RequestError(f"the body must be a {format_name} picture, got something else ({reason})") from None
        return self._normalised(pixels.reshape(self._height, self._width, -1))

    def _check_size(self, width: int, height: int) -> None:
        if width * height > self._limits.pixels:
            raise RequestError(f"the picture must have at most {self._limits.pixels} pixels, got {width} x {height}")

    def _upright(self, picture: Any) -> Any:
        """``picture`` in the model's colours, turned as its EXIF orientation says."""
        from PIL import Image

        turns = {
            2: Image.Transpose.FLIP_LEFT_RIGHT,
            3: Image.Transpose.ROTATE_180,
            4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE,
            6: Image.Transpose.ROTATE_270,
            7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_90,
        }
        turn = turns.get(picture.getexif().get(_ORIENTATION, 1))
        if picture.mode.startswith("I"):  # 16 bits per value, which a conversion would cut off instead of scaling
            picture = Image.fromarray((np.asarray(picture, np.uint32) >> 8).astype(np.uint8))
        picture = picture.convert("L" if self._image.channels == "L" else "RGB")
        return picture if turn is None else picture.transpose(turn)

    def _fitted(self, picture: Any) -> Any:
        """``picture`` in the tensor's height and width."""
        from PIL import Image

        wanted = (self._width, self._height)
        method = Image.Resampling[self._image.interpolation.upper()]
        if self._image.fit == "stretch":
            return self._resized(picture, wanted, method)
        shares = (self._width / picture.width, self._height / picture.height)
        if self._image.fit == "crop":
            return self._cropped(picture, method, max(shares))
        size = (max(1, round(picture.width * min(shares))), max(1, round(picture.height * min(shares))))
        whole = Image.new(picture.mode, wanted)
        place = ((self._width - size[0]) // 2, (self._height - size[1]) // 2)
        whole.paste(self._resized(picture, size, method), place)
        return whole

    def _cropped(self, picture: Any, method: Any, share: float) -> Any:
        width, height = picture.size
        if self._image.resize is None:
            size = (max(self._width, round(width * share)), max(self._height, round(height * share)))
        else:  # the longer side is cut off, not rounded, as torchvision's Resize has it
            short, wanted = min(width, height), self._image.resize
            size = (wanted * width // short, wanted * height // short)
        left, top = round((size[0] - self._width) / 2), round((size[1] - self._height) / 2)
        return self._resized(picture, size, method).crop((left, top, left + self._width, top + self._height))

    def _resized(self, picture: Any, size: tuple[int, int], method: Any) -> Any:
        if picture.size == size:
            return picture
        # Pillow resizes the width first: a picture one pixel wide would make a temporary one that is enormous.
        if size[0] * max(size[1], picture.height) > self._limits.pixels:
            raise RequestError(f"the picture must not be that long and narrow, got {picture.width} x {picture.height}")
        return picture.resize(size, method)

    def _normalised(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """A batch of one, each value looked up; ``pixels`` are height x width x channels."""
        count = pixels.shape[2]
        first = self._image.layout == "NCHW"
        shape = (1, count, self._height, self._width) if first else (1, self._height, self._width, count)
        batch = np.empty(shape, self._table.dtype)
        for channel in range(count):
            source = count - 1 - channel if self._image.channels == "BGR" else channel
            target = batch[0, channel] if first else batch[0, :, :, channel]
            np.take(self._table[channel], pixels[:, :, source], out=target, mode="clip")  # no index is checked twice
        return batch


def _table(image: ImagePreprocessing, dtype: np.dtype[Any]) -> NDArray[Any]:
    """What each of the 256 values of each channel becomes, computed in double precision and rounded once."""
    values = np.tile(np.arange(_VALUES, dtype=np.float64), (image.channel_count, 1))
    if dtype.kind == "u":
        return values.astype(dtype)
    values *= 1 / 255 if image.scale is None else image.scale
    if image.mean:
        values -= np.array(image.mean)[:, None]
    if image.std:
        values /= np.array(image.std)[:, None]
    return values.astype(dtype)
