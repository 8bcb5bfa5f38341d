"""What goes into a model and what comes out: names, element types, shapes, meaning of the columns."""

from dataclasses import dataclass
from typing import Literal, get_args

from mlplatform_cdk.runtimekit.manifest.records import ManifestError
from mlplatform_cdk.runtimekit.manifest.serving import ImagePreprocessing

Dtype = Literal["float32", "float64", "float16", "int64", "int32", "int8", "uint8", "bool", "string"]
DTYPES: tuple[str, ...] = get_args(Dtype)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One input or output of a model.

    :param name: its name in the ONNX graph and in requests.
    :param dtype: the type of its elements.
    :param shape: its dimensions; a text names one that varies, such as ``batch``.
    :param columns: names along the last axis, such as the features of a table; default: none.
    :param units: what a number in it measures; default: as in the dataset.
    :param image: how a JPEG or PNG becomes it; default: none, it is asked in numbers.
    """

    name: str
    dtype: Dtype
    shape: tuple[int | str, ...]
    columns: tuple[str, ...] = ()
    units: str | None = None
    image: ImagePreprocessing | None = None

    def __post_init__(self) -> None:
        """Refuse a shape that no array has, and columns that do not fit it."""
        if any(isinstance(size, int) and size < 0 for size in self.shape):
            raise ManifestError(f"a dimension of the tensor {self.name} must not be negative, got {list(self.shape)}")
        if self.columns and (not self.shape or self.shape[-1] != len(self.columns)):
            last = self.shape[-1] if self.shape else "none"
            raise ManifestError(
                f"the tensor {self.name} must have as many columns as its last axis ({last}), got {len(self.columns)}"
            )
        if self.image is not None:
            self.image.check(self.name, self.dtype, self.shape)
