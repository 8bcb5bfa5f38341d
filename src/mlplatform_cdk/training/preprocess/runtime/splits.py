"""Which split a row belongs to: by a hash of its content, so that it stays there over every retraining.

A model is never measured on a row that an earlier one, or the same one, has learned from; equal rows stay together.
"""

import csv
import hashlib
import re
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from mlplatform_cdk.runtimekit.dataset import Dataset, DatasetError, Split
from mlplatform_cdk.runtimekit.rows import Row

SPLITS: tuple[Split, ...] = ("train", "validation", "holdout")
MOST_CLASSES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How much of the data each split but training gets, and the seed that deals the rows out."""

    validation: float
    holdout: float
    seed: str

    def split_of(self, row: Row) -> Split:
        """The split of ``row``; the order of its columns does not matter."""
        named = sorted(zip(row.features, row.values, strict=True))
        content = "\x1f".join((self.seed, *(value for _, value in named), row.label))
        place = int.from_bytes(hashlib.sha256(content.encode()).digest()[:8], "big") / 2**64
        if place < self.holdout:
            return "holdout"
        return "validation" if place < self.holdout + self.validation else "train"


class Splitter:
    """Deals rows out into the files of a dataset, one at a time; it never holds them all."""

    def __init__(self, folder: Path, *, label: str, shares: Shares) -> None:
        self._folder, self._label, self._shares = folder, label, shares
        self._features: tuple[str, ...] = ()
        self._counts: dict[Split, Counter[str]] = {split: Counter() for split in SPLITS}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Open the files."""
        files = {split: self._folder / f"{split}.csv" for split in SPLITS}
        self._writers = {
            split: csv.writer(self._stack.enter_context(path.open("w", newline="", encoding="utf-8")))
            for split, path in files.items()
        }
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the files."""
        self._stack.close()

    def add(self, row: Row) -> None:
        """Write ``row`` to the file of its split."""
        if not self._features:
            self._features = row.features
            for writer in self._writers.values():
                writer.writerow([*row.features, self._label])
        split = self._shares.split_of(row)
        self._writers[split].writerow([*row.values, row.label])
        self._counts[split][row.label] += 1

    def describe(self, *, version: str, run_id: str) -> Dataset:
        """Check that the dataset can be learned from, describe it in its folder, and return the description."""
        classes = self._classes()
        for split in SPLITS:
            lacking = [one for one in classes if not self._counts[split][one]]
            if lacking:
                rows = sum(self._counts[split].values())
                raise DatasetError(
                    f"the {split} split must have every class of {self._label!r}, got {rows} rows and none of "
                    f"{lacking[0]!r}; bring more rows"
                )
        dataset = Dataset(
            version=version,
            run_id=run_id,
            label=self._label,
            features=self._features,
            classes=classes,
            rows={split: sum(self._counts[split].values()) for split in SPLITS},
        )
        dataset.write(self._folder)
        return dataset

    def _classes(self) -> tuple[str, ...]:
        found = {label for counts in self._counts.values() for label in counts}
        if not 2 <= len(found) <= MOST_CLASSES:  # noqa: PLR2004 - one class is no question
            raise DatasetError(
                f"the label {self._label!r} must have from 2 to {MOST_CLASSES} classes, got {len(found)}; "
                "the training step makes classifiers"
            )
        whole = all(re.fullmatch(r"-?\d+", label) for label in found)
        return tuple(sorted(found, key=int) if whole else sorted(found))
