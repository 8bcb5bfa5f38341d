"""Nested lists and foreign arrays become one input's tensor only where kind, shape and numbers are the model's."""

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.manifest import Tensor
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.limits import Limits

_KINDS = {"f": "iuf", "i": "iu", "u": "iu", "b": "b", "O": ""}
_WORDS = {"f": "numbers", "i": "whole numbers", "u": "whole numbers", "b": "true or false", "O": "texts"}
_TYPES: dict[str, set[type]] = {"f": {int, float, type(None)}, "i": {int}, "u": {int}, "b": {bool}, "O": {str}}
_SHOWN = 40


class TensorReader:
    """Makes the arrays of one input; safe to use from several threads.

    :param tensor: the input.
    :param limits: what it may cost.
    :param held: whether every caller holds ``exact()``, which takes as long as a row's conversion; default: no.
    """

    def __init__(self, tensor: Tensor, limits: Limits, *, held: bool = False) -> None:
        self.tensor = tensor
        self.name = tensor.name
        self.dtype: np.dtype[Any] = np.dtype(object if tensor.dtype == "string" else tensor.dtype)
        self.numeric = self.dtype.kind in "fiu"
        self._limits = limits
        self._tail = tensor.shape[1:]
        self._simple = bool(tensor.shape) and isinstance(tensor.shape[0], str) and _all_fixed(self._tail)
        self._cheap = 2 * min(limits.rows, limits.elements)  # an element takes two bytes of text, or more
        may_overflow = self.dtype.kind == "f" and self.dtype.itemsize < np.dtype(float).itemsize
        self._guarded = may_overflow and not held
        self._direct = self.dtype.kind == "f" and not self._guarded

    def from_clean(self, value: Any, size: int) -> NDArray[Any]:
        """Lists that hold nothing but numbers and ``None``, which the caller vouches for; faster than ``from_nested``.

        :param value: lists of lists, as JSON gives them.
        :param size: of the text that they were read from, in bytes.
        """
        if size > self._cheap:
            self._check_cost(value)
        try:
            direct = self._direct and type(value) is list
            array = np.array(value, self.dtype) if direct else self._from_numbers(value)
        except (ValueError, TypeError, ArithmeticError):
            return self.from_nested(value)  # which finds out, and says, what is wrong
        shape = array.shape
        if not (self._simple and shape[1:] == self._tail and 0 < shape[0] <= self._limits.rows):
            self.check_shape(shape)
        return array

    def _from_numbers(self, value: Any) -> NDArray[Any]:
        if not self.numeric or type(value) is not list:
            raise TypeError
        if self._guarded:
            with exact():
                return np.array(value, self.dtype)
        if self.dtype.kind == "f":
            return np.array(value, self.dtype)
        found = np.array(value)
        if found.dtype != self.dtype:
            return self._narrowed(found)
        return found

    def from_nested(self, value: object) -> NDArray[Any]:
        """Lists of anything, each element looked at.

        :param value: lists of lists; ``None`` is a missing number.
        :raises RequestError: when they are not what the input takes.
        """
        self._check_cost(value)
        try:
            found = np.array(value, dtype=object)
        except ValueError:
            raise self._uneven() from None
        if found.size == 0:
            raise RequestError(f"{self.name} must have at least one row, got none")
        flat = found.ravel().tolist()
        self._check_types(flat)
        self.check_shape(found.shape)
        return self._elements(flat).reshape(found.shape)

    def from_flat(self, values: list[Any], shape: Sequence[int]) -> NDArray[Any]:
        """A flat list, row after row, as an array of ``shape``.

        :param values: numbers, texts or ``None``; looked at one by one.
        :param shape: of the array that they make.
        """
        self.check_shape(shape)
        count = math.prod(shape)
        self.check_elements(count)
        if count != len(values):
            raise RequestError(f"{self.name} must have {count} elements, as its shape says, got {len(values)}")
        self._check_types(values)
        return self._elements(values).reshape(shape)

    def _check_types(self, flat: list[Any]) -> None:
        strange = set(map(type, flat)) - _TYPES[self.dtype.kind]
        if strange:
            raise self._not(next(one for one in flat if type(one) in strange))

    def _elements(self, flat: list[Any]) -> NDArray[Any]:
        try:
            with exact():
                array = np.array(flat, self.dtype)
        except ArithmeticError:
            raise self._too_large(flat) from None
        if self.dtype.kind == "f" and np.count_nonzero(np.isfinite(array)) != len(flat) - flat.count(None):
            raise self._too_large(flat)
        return array

    def from_array(self, array: NDArray[Any]) -> NDArray[Any]:
        """An array of another source; taken as it is where it has the input's type, converted where each number fits.

        :param array: of any shape and type; NaN is a missing number, and infinities stay what they are.
        """
        self.check_shape(array.shape)
        if array.dtype == self.dtype:
            return array if array.flags.c_contiguous and array.flags.aligned else np.array(array, order="C")
        if array.dtype.kind not in _KINDS[self.dtype.kind]:
            raise RequestError(f"{self.name} must hold {_WORDS[self.dtype.kind]}, got {array.dtype}")
        try:
            if self.dtype.kind != "f":
                return self._narrowed(array)
            with exact():
                return array.astype(self.dtype, order="C")
        except ArithmeticError:
            raise RequestError(f"{self.name} must hold numbers that fit {self.dtype}, got a greater one") from None

    def _narrowed(self, array: NDArray[Any]) -> NDArray[Any]:
        if array.dtype.kind not in "iu":
            raise TypeError
        limits = np.iinfo(self.dtype)
        if array.size and (int(array.min()) < limits.min or int(array.max()) > limits.max):
            raise OverflowError
        return array.astype(self.dtype, order="C")

    def check_shape(self, came: Sequence[int]) -> None:
        """Refuse a shape that is not the input's, or holds nothing."""
        wanted = self.tensor.shape
        fits = len(came) == len(wanted) and all(
            isinstance(size, str) or size == other for size, other in zip(wanted, came, strict=True)
        )
        if 0 in came:
            raise RequestError(f"{self.name} must have at least one row, got none")
        if not fits:
            raise RequestError(
                f"{self.name} must have the shape {_shown(wanted) or 'of a number'}, got {_shown(came) or 'a number'}"
            )
        if came and came[0] > self._limits.rows:
            raise RequestError(f"{self.name} must have at most {self._limits.rows} rows, got {came[0]}")

    def check_elements(self, count: int) -> None:
        """Refuse more elements than the limit, before anything is made of them."""
        if count > self._limits.elements:
            raise RequestError(f"{self.name} must have at most {self._limits.elements} elements, got {count}")

    def _check_cost(self, value: object) -> None:
        """Refuse lists that would be too large an array, before it is made."""
        if type(value) is list and len(value) > self._limits.rows:
            raise RequestError(f"{self.name} must have at most {self._limits.rows} rows, got {len(value)}")
        count = 1
        while isinstance(value, list | tuple) and value:
            count *= len(value)
            value = value[0]
        if count > self._limits.elements:
            self.check_elements(count)

    def _uneven(self) -> RequestError:
        return RequestError(f"{self.name} must have rows of one length, got rows that differ")

    def _not(self, value: object) -> RequestError:
        if isinstance(value, list | tuple):
            return self._uneven()
        shown = "null" if value is None else "an object" if isinstance(value, dict) else repr(value)
        if len(shown) > _SHOWN:
            shown = shown[:_SHOWN] + "..."
        return RequestError(f"{self.name} must hold {_WORDS[self.dtype.kind]}, got {shown}")

    def _too_large(self, flat: list[Any]) -> RequestError:
        culprit = next((one for one in flat if one is not None and not self._fits(one)), "another")
        return RequestError(f"{self.name} must hold numbers that fit {self.dtype}, got {str(culprit)[:_SHOWN]}")

    def _fits(self, one: float) -> bool:
        try:
            with exact():
                return bool(np.isfinite(np.array(one, self.dtype)))
        except ArithmeticError:
            return False


def exact() -> AbstractContextManager[None]:
    """While it is held, a number that is too large for its type is an error, and not infinity."""
    return np.errstate(over="raise")


def as_array(value: object, tensor: Tensor) -> NDArray[Any]:
    """``value`` as the array that ``tensor`` describes.

    :param value: lists of lists, as JSON gives them; ``None`` is a missing number.
    :param tensor: the input that it is meant for.
    """
    return TensorReader(tensor, Limits()).from_nested(value)


def _all_fixed(shape: tuple[int | str, ...]) -> bool:
    return all(isinstance(size, int) and size > 0 for size in shape)


def _shown(shape: Sequence[int | str]) -> str:
    return " x ".join(map(str, shape))
