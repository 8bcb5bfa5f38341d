"""The dataset that preprocessing writes and that training and evaluation read: three splits and their description.

Each split is a CSV file with a header, the features in their order and the label last; an empty cell is missing.
"""

import csv
import json
import math
from array import array
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from mlplatform_cdk.runtimekit.errors import KnownError

DESCRIPTION = "dataset.json"
Split = Literal["train", "validation", "holdout"]


class DatasetError(KnownError):
    """Data that cannot be learned from, named by file and line where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """What a dataset holds.

    :param version: the version of the raw data.
    :param run_id: the run that made it.
    :param label: the column to predict.
    :param features: the columns to predict from, in order.
    :param classes: the values of the label; a class's index is its place here.
    :param rows: how many rows each split has.
    """

    version: str
    run_id: str
    label: str
    features: tuple[str, ...]
    classes: tuple[str, ...]
    rows: Mapping[str, int]

    @classmethod
    def read(cls, folder: Path) -> "Dataset":
        """The description in ``folder``."""
        path = folder / DESCRIPTION
        if not path.is_file():
            raise DatasetError(f"the dataset must hold {DESCRIPTION}, got a folder without it; run preprocess first")
        try:
            value = json.loads(path.read_bytes())
            named: dict[str, Any] = {
                name: tuple(item) if isinstance(item, list) else item for name, item in value.items()
            }
            return cls(**named)
        except (ValueError, TypeError, AttributeError) as error:
            raise DatasetError(f"{DESCRIPTION} must describe a dataset, got something else ({error})") from None

    def write(self, folder: Path) -> None:
        """Store the description in ``folder``."""
        (folder / DESCRIPTION).write_text(json.dumps(asdict(self), indent=1, sort_keys=True) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Table:
    """A split in memory: the features row by row in one flat array (NaN where missing), and class indices."""

    features: "array[float]"  # quoted: subscriptable from Python 3.12 only
    labels: "array[int]"

    def __len__(self) -> int:
        return len(self.labels)


def read_split(folder: Path, dataset: Dataset, split: Split) -> Table:
    """The rows of ``split`` in ``folder``.

    :param folder: where preprocessing wrote the dataset.
    :param dataset: its description.
    :param split: which of its files.
    """
    path, indices = folder / f"{split}.csv", {name: index for index, name in enumerate(dataset.classes)}
    if not path.is_file():
        raise DatasetError(f"the dataset must hold {path.name}, got a folder without it")
    table, width = Table(array("d"), array("q")), len(dataset.features)
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        if next(rows, None) != [*dataset.features, dataset.label]:
            raise DatasetError(f"{path.name} must have the header that {DESCRIPTION} names, got another")
        for row in rows:
            try:
                *cells, label = row
                table.features.extend([float(cell) if cell else math.nan for cell in cells])
                table.labels.append(indices[label])
            except (ValueError, LookupError):
                cells = []
            if len(cells) != width:
                raise DatasetError(f"{path.name} line {rows.line_num} must be a row as {DESCRIPTION} says, got {row!r}")
    return table
