"""What a data set looks like in numbers, computed in one pass and a constant amount of memory."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mlplatform_cdk.runtimekit.dataset import DatasetError
from mlplatform_cdk.runtimekit.rows import Row

_MOST_CLASSES = 1000  # a label with more is no class; counting them would take unbounded memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One feature: how many values are missing, and the spread of the others."""

    missing: int
    mean: float
    variance: float
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A data set's version, rows, features and label, as stored beside each run."""

    version: str
    rows: int
    columns: Mapping[str, Column]
    labels: Mapping[str, int]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Profile":
        """The profile that ``to_json`` gave."""
        try:
            columns = {name: Column(**column) for name, column in value["columns"].items()}
            return cls(version=value["version"], rows=value["rows"], columns=columns, labels=value["labels"])
        except (KeyError, TypeError, AttributeError) as error:
            raise DatasetError(f"the reference profile must be one that a run wrote, got another ({error})") from None

    def to_json(self) -> dict[str, Any]:
        """The profile as JSON takes it."""
        value: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return value


class Profiler:
    """Takes rows one by one; mean and variance by Welford's method, which stays exact over many rows."""

    def __init__(self) -> None:
        self.rows = 0
        self._features: dict[str, _Running] = {}
        self._labels: Counter[str] = Counter()

    def add(self, row: Row) -> None:
        """Count ``row``."""
        if not self.rows:
            self._features = {name: _Running() for name in row.features}
        self.rows += 1
        self._labels[row.label] += 1
        if len(self._labels) > _MOST_CLASSES:
            raise DatasetError(
                f"the label must have at most {_MOST_CLASSES} classes, got more; is it the column to predict?"
            )
        for feature, value in zip(self._features.values(), row.values, strict=True):
            feature.add(value)

    def profile(self, version: str) -> Profile:
        """What was counted, as the profile of ``version``."""
        columns = {name: feature.column() for name, feature in self._features.items()}
        return Profile(version=version, rows=self.rows, columns=columns, labels=dict(sorted(self._labels.items())))


class _Running:
    """Mean, variance and bounds of a stream of values."""

    __slots__ = ("_count", "_maximum", "_mean", "_minimum", "_missing", "_squares")

    def __init__(self) -> None:
        self._count = self._missing = 0
        self._mean = self._squares = 0.0
        self._minimum, self._maximum = math.inf, -math.inf

    def add(self, text: str) -> None:
        if not text:
            self._missing += 1
            return
        value = float(text)
        self._count += 1
        delta = value - self._mean
        self._mean += delta / self._count
        self._squares += delta * (value - self._mean)
        self._minimum, self._maximum = min(self._minimum, value), max(self._maximum, value)

    def column(self) -> Column:
        return Column(
            missing=self._missing,
            mean=self._mean,
            variance=self._squares / self._count if self._count else 0.0,
            minimum=self._minimum if self._count else 0.0,
            maximum=self._maximum if self._count else 0.0,
        )
