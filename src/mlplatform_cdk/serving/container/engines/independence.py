"""Does an answer depend on what is computed beside it? Asked bit by bit, alone against batches, with outliers in them.

What makes it depend, as seen: scales taken over the whole batch (dynamic int8), reductions that sum in another order
when there is one row, functions whose last elements of a buffer are computed by other code (Log, Elu, Sin of float32).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from mlplatform_cdk.runtimekit.manifest import Manifest
from mlplatform_cdk.serving.container.engines.engine import Array

Inputs = Mapping[str, Array]
Run = Callable[[Inputs], Sequence[Array]]
_OUTLIER = 50  # times the largest number of a row


@dataclass(frozen=True, slots=True, kw_only=True)
class Independence:
    """What was seen.

    :param largest: the most rows in a batch whose answers were, bit for bit, those of each row alone; 1 where a batch
        of any size had others.
    :param reason: why ``largest`` is less than what was asked for; empty: it is not.
    """

    largest: int
    reason: str = ""


def batches_by_row(manifest: Manifest) -> bool:
    """Whether every input and output has a leading dimension that varies, and no other that does."""
    shapes = [one.shape for one in (*manifest.inputs, *manifest.outputs)]
    return all(shape and isinstance(shape[0], str) for shape in shapes) and not any(
        isinstance(size, str) for shape in shapes for size in shape[1:]
    )


def examine(run: Run, rows: Sequence[Inputs], sizes: Iterable[int], *, alone: Run, seconds: float) -> Independence:
    """Compare rows in batches with the same rows alone.

    :param run: computes a batch.
    :param rows: requests of one row each; outliers are made of them.
    :param sizes: of the batches, in the order in which they are tried.
    :param alone: computes a request that is alone, maybe on more cores than ``run``.
    :param seconds: when to try no more sizes; at least one is.
    """
    known = [*rows, *_outliers(rows)]
    expected = [run(row) for row in known]
    if not all(_same(alone(row), one) for row, one in zip(known[-2:], expected[-2:], strict=True)):
        return Independence(largest=1, reason="a row alone got other bits on all cores than on one lane's")
    largest, started, tried = 1, perf_counter(), list(sizes)
    for size in tried:
        if largest > 1 and perf_counter() - started > seconds:
            untried = max(tried) > largest
            return Independence(
                largest=largest, reason=f"larger batches than {largest} took too long to prove" if untried else ""
            )
        members = [known[place % len(known)] for place in range(size)]
        answers = run(stacked(members))
        wrong = _first_difference(answers, [expected[place % len(known)] for place in range(size)])
        if wrong is not None:
            # Nor are the sizes that agreed believed: where last bits differ seldom, a few rows agree by chance.
            return Independence(largest=1, reason=f"row {wrong} of a batch of {size} got other bits than alone")
        largest = max(largest, size)
    return Independence(largest=largest)


def stacked(rows: Sequence[Inputs]) -> dict[str, Array]:
    """``rows`` as one batch."""
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def sizes_up_to(most: int) -> list[int]:
    """Every size up to ``most``, the telling ones first: few, the greatest, what processors compute in one step."""
    first = [size for size in (2, 3, most, 4, 5, 7, 8, 9, 16, 17, 32) if 1 < size <= most]
    return list(dict.fromkeys([*first, *range(2, most + 1)]))


def _outliers(rows: Sequence[Inputs]) -> list[dict[str, Array]]:
    """Rows whose numbers are far greater; rows turned around where greater numbers would mean nothing (indices)."""
    return [{name: _outlier(array) for name, array in row.items()} for row in rows[:2]]


def _outlier(array: Array) -> Array:
    if array.dtype.kind != "f":
        return np.ascontiguousarray(array[..., ::-1])
    greater: Array = (np.nan_to_num(array) * array.dtype.type(_OUTLIER)).astype(array.dtype)
    return greater


def _first_difference(answers: Sequence[Array], expected: Sequence[Sequence[Array]]) -> int | None:
    for place, one in enumerate(expected):
        if not _same([answer[place : place + 1] for answer in answers], one):
            return place
    return None


def _same(came: Sequence[Array], expected: Sequence[Array]) -> bool:
    return all(_bits(one) == _bits(other) for one, other in zip(came, expected, strict=True))


def _bits(array: Array) -> bytes | list[object]:
    """Bytes, so that a NaN equals itself; texts have none of their own."""
    return array.tolist() if array.dtype == object else np.ascontiguousarray(array).tobytes()
