"""A nested list becomes a tensor only where its kind, shape and numbers are those that the model takes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import Tensor
from mlplatform_cdk.serving.container.errors import RequestError

_KINDS = {"f": "iufO", "i": "iuO", "u": "iuO", "b": "b", "U": "U"}
_WORDS = {"f": "numbers", "i": "whole numbers", "u": "whole numbers", "b": "true or false", "U": "texts"}


def as_array(value: object, tensor: Tensor) -> NDArray[Any]:
    """``value`` as the array that ``tensor`` describes.

    :param value: lists of lists, as JSON gives them; ``None`` is a missing number.
    :param tensor: the input that it is meant for.
    """
    dtype = np.dtype(np.str_ if tensor.dtype == "string" else tensor.dtype)
    try:
        found = np.asarray(value)
    except (ValueError, OverflowError):
        raise RequestError(f"{tensor.name} must have rows of one length, got rows that differ") from None
    if found.size == 0:
        raise RequestError(f"{tensor.name} must have at least one row, got none")
    if found.dtype.kind not in _KINDS[dtype.kind]:
        raise RequestError(f"{tensor.name} must hold {_WORDS[dtype.kind]}, got others")
    _check_shape(found.shape, tensor)
    return found.astype(object) if dtype.kind == "U" else _converted(found, dtype, tensor.name)


def _check_shape(came: tuple[int, ...], tensor: Tensor) -> None:
    fits = len(came) == len(tensor.shape) and all(
        isinstance(size, str) or size == other for size, other in zip(tensor.shape, came, strict=True)
    )
    if not fits:
        wanted = " x ".join(map(str, tensor.shape))
        raise RequestError(
            f"{tensor.name} must have the shape {wanted}, got {' x '.join(map(str, came)) or 'a number'}"
        )


def _converted(found: NDArray[Any], dtype: np.dtype[Any], name: str) -> NDArray[Any]:
    missing = np.zeros(found.shape, dtype=bool)
    if found.dtype.kind == "O":
        missing = np.array([one is None for one in found.flat]).reshape(found.shape)
        strange = [one for one in found[~missing] if isinstance(one, bool) or not isinstance(one, int | float)]
        if strange or (missing.any() and dtype.kind != "f"):
            raise RequestError(f"{name} must hold {_WORDS[dtype.kind]}, got {strange[0] if strange else 'null'!r}")
    try:
        with np.errstate(over="ignore"):
            converted = found.astype(dtype)
    except (OverflowError, TypeError, ValueError):
        raise RequestError(f"{name} must hold numbers that fit {dtype}, got a greater one") from None
    fits = np.isfinite(converted) | missing if dtype.kind == "f" else converted == found
    if not np.all(fits):
        raise RequestError(f"{name} must hold numbers that fit {dtype}, got {found[~fits].tolist()[0]!r}")
    return converted
