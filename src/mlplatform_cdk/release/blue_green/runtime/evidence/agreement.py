"""Blue's answers beside green's: how many are the same, and whether the answers as a whole have moved. Pure.

The shift is the population stability index, the sum over bins of (g - b) ln(g / b), with the bins at the tenths of
blue's answers. Its customary bounds, 0.1 and 0.25, are N. Siddiqi's ("Credit Risk Scorecards", 2006). With few answers
it is large by chance alone: for equal distributions it is about (1/n + 1/m) times a chi-squared variable with one
degree of freedom less than there are bins (B. Yurdakul and J. Naranjo, "Statistical properties of the population
stability index", Journal of Risk Model Validation 14(4), 2020), so that a shift counts only above that, too.
"""

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

from mlplatform_cdk.release.blue_green.runtime.evidence.answers import Value

BINS = 10
LARGE_SHIFT = 0.25
_BY_CHANCE = 0.001
_MOST_CATEGORIES = 20
_NOTHING = 0.5  # an answer's half in each bin, so that an empty one has a logarithm

Answers = Mapping[str, Sequence[Value]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One output of both variants, over all requests.

    :param same: the share of requests on which both agree in this output, within the tolerance.
    :param largest_difference: between two numbers; None: it has no numbers.
    :param shift: the population stability index.
    :param by_chance: what ``shift`` may be for equal models with so many requests, but for one time of 1,000.
    """

    same: float
    largest_difference: float | None
    shift: float
    by_chance: float

    @property
    def has_moved(self) -> bool:
        """Whether the answers moved more than is customary, and more than chance explains."""
        return self.shift > max(LARGE_SHIFT, self.by_chance)

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self) | {"has_moved": self.has_moved}


def agreements(pairs: Sequence[tuple[Answers, Answers]], *, tolerance: float = 0.01) -> dict[str, Agreement]:
    """Blue's and green's answers, output by output.

    :param pairs: blue's and green's answer to each request, see ``answers.values_of``.
    :param tolerance: how far two equal numbers may be apart, absolutely or as a share of blue's; default: 0.01.
    """
    names = dict.fromkeys(name for blue, green in pairs for name in (*blue, *green))
    return {
        name: _agreement([(blue.get(name, ()), green.get(name, ())) for blue, green in pairs], tolerance)
        for name in names
    }


def _agreement(pairs: Sequence[tuple[Sequence[Value], Sequence[Value]]], tolerance: float) -> Agreement:
    same = sum(_same(blue, green, tolerance) for blue, green in pairs)
    numbers = [
        abs(one - two)
        for blue, green in pairs
        for one, two in zip(blue, green, strict=False)
        if isinstance(one, float) and isinstance(two, float)
    ]
    shift, bins = stability([one for blue, _ in pairs for one in blue], [one for _, green in pairs for one in green])
    return Agreement(
        same=round(same / len(pairs), 4),
        largest_difference=round(max(numbers), 6) if numbers and all(map(math.isfinite, numbers)) else None,
        shift=round(shift, 4),
        by_chance=round(_chi_squared(bins - 1) * 2 / len(pairs), 4),
    )


def stability(blue: Sequence[Value], green: Sequence[Value]) -> tuple[float, int]:
    """The population stability index of green's values against blue's, and over how many bins.

    :param blue: the values that the bins are made of.
    :param green: the values held against them.
    """
    cells = [_cells(blue, values) for values in (blue, green)]
    names = sorted({*cells[0], *cells[1]})
    if len(names) < 2 or not blue or not green:  # noqa: PLR2004 - one bin cannot shift
        return 0.0, max(len(names), 1)
    total = 0.0
    for name in names:
        before, now = ((counts.get(name, 0) or _NOTHING) / sum(counts.values()) for counts in cells)
        total += (now - before) * math.log(now / before)
    return total, len(names)


def _cells(reference: Sequence[Value], values: Sequence[Value]) -> dict[str, int]:
    """How many of ``values`` fall into each bin: a tenth of the reference's numbers, or a category."""
    numbers = sorted(one for one in reference if isinstance(one, float) and math.isfinite(one))
    as_they_are = len(set(reference)) <= _MOST_CATEGORIES
    edges = sorted({numbers[len(numbers) * cut // BINS] for cut in range(1, BINS)}) if numbers else []
    counts: dict[str, int] = {}
    for value in values:
        if isinstance(value, float) and math.isfinite(value) and not as_they_are:
            name = f"bin {bisect.bisect_right(edges, value)}"
        else:
            name = str(value)
        counts[name] = counts.get(name, 0) + 1
    return counts


def _same(blue: Sequence[Value], green: Sequence[Value], tolerance: float) -> bool:
    return len(blue) == len(green) and all(_equal(one, two, tolerance) for one, two in zip(blue, green, strict=True))


def _equal(one: Value, two: Value, tolerance: float) -> bool:
    if isinstance(one, float) and isinstance(two, float):
        return math.isclose(one, two, abs_tol=tolerance) or abs(one - two) <= tolerance * abs(one)
    return one == two


def _chi_squared(degrees: int) -> float:
    """The value that a chi-squared variable exceeds one time of 1,000, by Wilson and Hilferty's cube (1931)."""
    if degrees < 1:
        return 0.0
    part = 2 / (9 * degrees)
    return degrees * (1 - part + NormalDist().inv_cdf(1 - _BY_CHANCE) * math.sqrt(part)) ** 3
