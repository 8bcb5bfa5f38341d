"""Calibration data: rows as the model takes them, and the right answers where they are known."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.dataset import DESCRIPTION, Dataset, read_split
from mlplatform_cdk.runtimekit.manifest import Manifest, Tensor
from mlplatform_cdk.serving.quantize.errors import QuantizeError

LABEL = "label"
_LEAST = 8
Inputs = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of every input, and the class of each where it is known.

    :param inputs: by name, the first dimension being the row.
    :param labels: class indices, or None.
    """

    inputs: Inputs
    labels: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def part(self, start: int, stop: int) -> "Rows":
        """The rows from ``start`` to before ``stop``."""
        labels = None if self.labels is None else self.labels[start:stop]
        return Rows({name: array[start:stop] for name, array in self.inputs.items()}, labels)

    def spread(self, most: int) -> "Rows":
        """At most so many rows, evenly from the first to the last."""
        if len(self) <= most:
            return self
        places = np.linspace(0, len(self) - 1, most).round().astype(int)
        labels = None if self.labels is None else self.labels[places]
        return Rows({name: array[places] for name, array in self.inputs.items()}, labels)

    def finite(self) -> "Rows":
        """The rows without a missing or infinite number, which have no range."""
        known = np.ones(len(self), dtype=bool)
        for array in self.inputs.values():
            if array.dtype.kind == "f":
                known &= np.isfinite(array).reshape(len(self), -1).all(axis=1)
        labels = None if self.labels is None else self.labels[known]
        return Rows({name: array[known] for name, array in self.inputs.items()}, labels)

    def each(self) -> list[Inputs]:
        """Every row as a request of its own."""
        return [self.part(place, place + 1).inputs for place in range(len(self))]


def read_rows(path: Path, manifest: Manifest) -> Rows:
    """The rows in ``path``: a ``.npz`` (inputs by name, and ``label``), ``.npy``, ``.csv``, or a dataset's folder.

    :param path: the file; or the folder that preprocessing wrote, of which the validation rows are taken.
    :param manifest: what the model takes.
    """
    readers = {".npz": _read_npz, ".npy": _read_npy, ".csv": _read_csv}
    reader = _read_dataset if path.is_dir() else readers.get(path.suffix.lower())
    if reader is None or not path.exists():
        raise QuantizeError(f"the calibration data must be a .npz, .npy or .csv file or a dataset's folder, got {path}")
    try:
        rows = reader(path, manifest)
    except Exception as error:  # of numpy, zipfile and zlib, of many types
        raise QuantizeError(f"the calibration data in {path.name} must be rows of the model, but {error}") from error
    return _checked(rows, path, manifest)


def _read_npz(path: Path, manifest: Manifest) -> Rows:
    loaded = np.load(path, allow_pickle=False)
    if not hasattr(loaded, "files"):
        raise ValueError("it is a .npy file by another name")
    with loaded as arrays:
        lacking = [one.name for one in manifest.inputs if one.name not in arrays]
        if lacking:
            raise ValueError(f"it lacks {lacking[0]}")
        inputs = {one.name: arrays[one.name] for one in manifest.inputs}
        labels = arrays[LABEL] if LABEL in arrays and LABEL not in inputs else None
    return Rows(inputs, None if labels is None else _indices(labels.tolist(), manifest.labels))


def _read_npy(path: Path, manifest: Manifest) -> Rows:
    loaded = np.load(path, allow_pickle=False)
    if hasattr(loaded, "files"):
        loaded.close()
        raise ValueError("it is a .npz file by another name")
    return Rows({_only_input(manifest).name: loaded})


def _read_csv(path: Path, manifest: Manifest) -> Rows:
    tensor = _only_input(manifest)
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        header = next(reader, [])
        lines = [line for line in reader if line]
    lacking = [name for name in tensor.columns if name not in header]
    if not tensor.columns or lacking:
        raise ValueError(f"its header lacks {', '.join(lacking[:3]) or 'the columns that the manifest should name'}")
    uneven = next((number for number, line in enumerate(lines, 1) if len(line) != len(header)), None)
    if uneven is not None:
        raise ValueError(f"its row {uneven} has {len(lines[uneven - 1])} cells and its header {len(header)}")
    places = [header.index(name) for name in tensor.columns]
    rows = np.array([[float(line[place]) if line[place] else np.nan for place in places] for line in lines])
    known = header.index(LABEL) if LABEL in header and LABEL not in tensor.columns else None
    labels = None if known is None else _indices([line[known] for line in lines], manifest.labels)
    return Rows({tensor.name: rows}, labels)


def _read_dataset(path: Path, manifest: Manifest) -> Rows:
    if not (path / DESCRIPTION).is_file():
        raise ValueError(f"the folder holds no {DESCRIPTION}")
    dataset, tensor = Dataset.read(path), _only_input(manifest)
    table = read_split(path, dataset, "validation")
    lacking = [name for name in tensor.columns if name not in dataset.features]
    if not tensor.columns or lacking:
        raise ValueError(f"it lacks the column {', '.join(lacking[:3])}")
    features = np.frombuffer(table.features, dtype=np.float64).reshape(len(table), len(dataset.features))
    columns = [dataset.features.index(name) for name in tensor.columns]
    names = [dataset.classes[index] for index in table.labels]
    return Rows({tensor.name: features[:, columns]}, _indices(names, manifest.labels))


def _indices(labels: list[Any], names: tuple[str, ...]) -> NDArray[np.int64] | None:
    """Class indices from indices or names; None where the model is no classifier."""
    if not names:
        return None
    known: dict[Any, int] = {name: index for index, name in enumerate(names)}
    known |= {index: index for index in range(len(names))} | {str(index): index for index in range(len(names))} | known
    try:
        return np.array([known[one] for one in labels], dtype=np.int64)
    except (KeyError, TypeError):
        raise ValueError(f"a label is none of {', '.join(names[:5])}, nor the index of one") from None


def _only_input(manifest: Manifest) -> Tensor:
    if len(manifest.inputs) != 1:
        raise ValueError(f"a model with {len(manifest.inputs)} inputs needs a .npz file")
    return manifest.inputs[0]


def _checked(rows: Rows, path: Path, manifest: Manifest) -> Rows:
    for one in manifest.inputs:
        if not one.shape or (one.shape[0] != 1 and not isinstance(one.shape[0], str)):
            told = f"the input {one.name} of the shape {list(one.shape)}"
            raise QuantizeError(f"a model must take one row at a time to be quantized, got {told}")
    inputs = {one.name: _fitted(rows.inputs[one.name], one, path) for one in manifest.inputs}
    lengths = {name: len(array) for name, array in inputs.items()}
    if rows.labels is not None:
        lengths[LABEL] = len(rows.labels)
    if len(set(lengths.values())) != 1 or min(lengths.values()) < _LEAST:
        told = ", ".join(f"{count} of {name}" for name, count in lengths.items())
        raise QuantizeError(f"{path.name} must hold at least {_LEAST} rows, as many of each, got {told}")
    return Rows(inputs, rows.labels)


def _fitted(array: NDArray[Any], tensor: Tensor, path: Path) -> NDArray[Any]:
    fits = array.ndim == len(tensor.shape) and all(
        isinstance(size, str) or size == other for size, other in zip(tensor.shape[1:], array.shape[1:], strict=True)
    )
    if not fits:
        raise QuantizeError(
            f"{tensor.name} in {path.name} must have the shape {list(tensor.shape)}, got {list(array.shape)}"
        )
    if tensor.dtype == "string":
        return np.ascontiguousarray(array, dtype=np.str_)
    problem = f"{tensor.name} in {path.name} must hold numbers that fit {tensor.dtype}, got "
    if array.dtype.kind not in "biuf":
        raise QuantizeError(f"{problem}{array.dtype}")
    with np.errstate(invalid="ignore", over="ignore"):
        fitted: NDArray[Any] = np.ascontiguousarray(array, dtype=tensor.dtype)
    if fitted.dtype.kind != "f" and not np.array_equal(fitted, array):
        raise QuantizeError(f"{problem}{array.dtype} of which some do not")
    return fitted
