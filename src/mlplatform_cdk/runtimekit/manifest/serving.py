"""How a model wants to be served: what was measured to be best for it, and how a picture becomes its input."""

from dataclasses import dataclass
from typing import Literal

from mlplatform_cdk.runtimekit.manifest.records import ManifestError

Precision = Literal["fp32", "fp16", "int8"]
EngineName = Literal["onnxruntime", "openvino", "cuda", "tensorrt"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How the model is served best, as ``mlplatform tune`` measured it; the container's environment overrides each.

    :param precision: which of its files answers; default: fp32.
    :param engine: what computes; default: the best that the machine has.
    :param max_batch_size: how many rows are computed at once at most; default: the container's.
    :param max_batch_delay_ms: how long a row may wait for others, in milliseconds, up to 30; default: 0.
    :param lanes: how many batches are computed at once; default: one per core.
    :param processes: how many processes share the port; default: 1.
    :param streaming: whether ``hooks.py`` gives an answer piece by piece; default: no.
    """

    precision: Precision | None = None
    engine: EngineName | None = None
    max_batch_size: int | None = None
    max_batch_delay_ms: float | None = None
    lanes: int | None = None
    processes: int | None = None
    streaming: bool = False

    def __post_init__(self) -> None:
        """Refuse what no container could follow."""
        for name in ("max_batch_size", "lanes", "processes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ManifestError(f"manifest.serving.{name} must be at least 1, got {value}")
        if self.max_batch_delay_ms is not None and not 0 <= self.max_batch_delay_ms <= _LONGEST_DELAY_MS:
            raise ManifestError(
                f"manifest.serving.max_batch_delay_ms must be from 0 to {_LONGEST_DELAY_MS}, "
                f"got {self.max_batch_delay_ms}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePreprocessing:
    """How a JPEG or PNG becomes this tensor, whose shape says the height, the width and how many channels.

    Each value becomes ``(value * scale - mean) / std``, where ``value`` is 0 to 255.

    :param layout: the order of the axes; default: NCHW.
    :param channels: the order of the colours; ``L`` is grey; default: RGB.
    :param fit: ``stretch`` to the tensor's size, ``crop`` the centre, or ``pad`` with black; default: stretch.
    :param resize: for ``crop``, what the shorter side becomes before, in pixels; default: the least that covers.
    :param interpolation: how pixels are resized; default: bilinear, with antialiasing.
    :param scale: what each value is multiplied by; default: 1/255, or 1 for a tensor of uint8.
    :param mean: what is subtracted from each channel after scaling; default: nothing.
    :param std: what each channel is divided by after that; default: nothing.
    """

    layout: Literal["NCHW", "NHWC"] = "NCHW"
    channels: Literal["RGB", "BGR", "L"] = "RGB"
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    resize: int | None = None
    interpolation: Literal["nearest", "bilinear", "bicubic"] = "bilinear"
    scale: float | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def size(self, name: str, shape: tuple[int | str, ...]) -> tuple[int, int]:
        """The height and the width, in pixels, that the tensor ``name`` of this ``shape`` takes.

        :raises ManifestError: when no picture has this shape.
        """
        if len(shape) == _AXES:
            channels, height, width = shape[1:] if self.layout == "NCHW" else (shape[3], shape[1], shape[2])
            if isinstance(height, int) and isinstance(width, int) and channels == self.channel_count:
                return height, width
        wanted = self.layout.replace("C", str(self.channel_count))
        raise ManifestError(
            f"the image input {name} must have the shape {wanted} with a fixed height and width, got {list(shape)}"
        )

    @property
    def channel_count(self) -> int:
        """How many colours a pixel has."""
        return 1 if self.channels == "L" else 3

    def check(self, name: str, dtype: str, shape: tuple[int | str, ...]) -> None:
        """Refuse a tensor that no picture can become.

        :param name: the tensor's name.
        :param dtype: the type of its elements.
        :param shape: its dimensions.
        """
        height, width = self.size(name, shape)
        if min(height, width) < 1:
            raise ManifestError(
                f"the image input {name} must have a height and a width of at least 1, got {list(shape)}"
            )
        for part, values in (("mean", self.mean), ("std", self.std)):
            if values and len(values) != self.channel_count:
                raise ManifestError(
                    f"{part} of the image input {name} must have a number per channel, got {list(values)}"
                )
        if 0 in self.std:
            raise ManifestError(f"std of the image input {name} must not be 0, got {list(self.std)}")
        if self.resize is not None and (self.fit != "crop" or self.resize < max(height, width)):
            raise ManifestError(
                f"resize of the image input {name} must come with fit 'crop' and cover {height} x {width}, "
                f"got {self.fit!r} and {self.resize}"
            )
        if dtype not in _DTYPES or (dtype == "uint8" and (self.scale is not None or self.mean or self.std)):
            raise ManifestError(
                f"the image input {name} must be of float32, float64 or float16, or of uint8 without scale, mean "
                f"and std, got {dtype}"
            )


_LONGEST_DELAY_MS = 30
_AXES = 4
_DTYPES = ("float32", "float64", "float16", "uint8")
