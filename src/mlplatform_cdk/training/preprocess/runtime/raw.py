"""Raw CSV files as checked rows; whatever is wrong is told with its file and line."""

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlplatform_cdk.runtimekit.dataset import DatasetError

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
_WHOLE = re.compile(r"([+-]?\d+)(?:\.0*)?")
_LARGEST = 3.4e38  # float32, the type of the model's input


@dataclass(frozen=True, slots=True)
class Row:
    """One checked row: the names and values of its features (empty where missing), and its label."""

    features: tuple[str, ...]
    values: tuple[str, ...]
    label: str


def read_rows(folder: Path, label: str) -> Iterator[Row]:
    """Every row of the CSV files under ``folder``, file by file in the order of their names.

    :param folder: the raw data; files of other types are left alone.
    :param label: the column to predict.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() == ".csv")
    if not files:
        came = ", ".join(sorted(path.name for path in folder.rglob("*") if path.is_file())[:5]) or "nothing"
        raise DatasetError(f"the raw data must hold at least one .csv file, got {came}")
    features: tuple[str, ...] | None = None
    for path in files:
        for row in _read_file(path, str(path.relative_to(folder)), label, features):
            features = row.features
            yield row


def _read_file(path: Path, name: str, label: str, features: tuple[str, ...] | None) -> Iterator[Row]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        lines = csv.reader(file, strict=True)
        try:
            columns = _header(next(lines, []), name, label, features)
            features = features or tuple(column for column in columns if column != label)
            places, label_place = [columns.index(feature) for feature in features], columns.index(label)
            empty = True
            for cells in lines:
                if not cells:
                    continue
                empty = False
                where = f"{name} line {lines.line_num}"
                if len(cells) != len(columns):
                    raise DatasetError(f"{where} must have {len(columns)} values, as the header has, got {len(cells)}")
                values = tuple(_number(cells[place], columns[place], where) for place in places)
                yield Row(features, values, _label(cells[label_place], label, where))
        except UnicodeDecodeError as error:
            raise DatasetError(f"{name} must be text in UTF-8, got bytes that are not ({error.reason})") from None
        except csv.Error as error:
            raise DatasetError(f"{name} line {lines.line_num} must be CSV, got something else ({error})") from None
    if empty:
        raise DatasetError(f"{name} must have at least one row below its header, got none")


def _header(cells: list[str], name: str, label: str, features: tuple[str, ...] | None) -> list[str]:
    columns = [cell.strip() for cell in cells]
    if not any(columns):
        raise DatasetError(f"{name} must start with a header that names its columns, got an empty file or line")
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if "" in columns or twice:
        came = f"{twice[0]!r} twice" if twice and twice[0] else "a column without one"
        raise DatasetError(f"{name} line 1 must give each column its own name, got {came}")
    if label not in columns:
        raise DatasetError(f"{name} must have the label column {label!r}, got {_few(columns)}")
    if len(columns) == 1:
        raise DatasetError(f"{name} must have at least one column besides the label {label!r}, got none")
    if features is not None and set(columns) != {*features, label}:
        differing = sorted(set(columns) ^ {*features, label})
        raise DatasetError(
            f"{name} must have the columns of the files before it, got a difference in {_few(differing)}"
        )
    return columns


def _number(cell: str, column: str, where: str) -> str:
    text = cell.strip()
    if text.lower() in MISSING:
        return ""
    try:
        value = float(text)
    except ValueError:
        advice = "encode categories as numbers before they reach the lake"
        raise DatasetError(f"{where} must have a number in the column {column!r}, got {text!r}; {advice}") from None
    if not math.isfinite(value) or abs(value) > _LARGEST:
        raise DatasetError(f"{where} must have a number that fits float32 in the column {column!r}, got {text!r}")
    return repr(value)


def _label(cell: str, column: str, where: str) -> str:
    text = cell.strip()
    if text.lower() in MISSING:
        raise DatasetError(f"{where} must have a label in the column {column!r}, got {text!r}")
    whole = _WHOLE.fullmatch(text)
    return str(int(whole[1])) if whole else text


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown  # noqa: PLR2004 - as many as shown
