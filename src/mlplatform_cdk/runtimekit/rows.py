"""Raw CSV as checked rows, read alike by the quality gate and by preprocessing: what one lets in, the other can use.

Whatever is wrong is told with its file and line. Rows stream; no file is ever held whole.
"""

import csv
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mlplatform_cdk.runtimekit.dataset import DatasetError

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "?"})
_WHOLE = re.compile(r"([+-]?\d+)(?:\.0*)?")
_LARGEST = 3.4e38  # float32, the type of the model's input
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One checked row: the names and values of its features (empty where missing), and its label."""

    features: tuple[str, ...]
    values: tuple[str, ...]
    label: str


def read_rows(lines: Iterable[str], name: str, label: str, features: tuple[str, ...] | None) -> Iterator[Row]:
    """Every row of one CSV file.

    :param lines: its text, line by line; a file opened with ``newline=""`` and the encoding ``utf-8-sig``.
    :param name: what errors call the file.
    :param label: the column to predict.
    :param features: the columns that the files before it have; None for the first file.
    """
    reader = csv.reader(lines, strict=True)
    try:
        columns = _header(next(reader, []), name, label, features)
        features = features or tuple(column for column in columns if column != label)
        places, label_place = [columns.index(feature) for feature in features], columns.index(label)
        empty = True
        for cells in reader:
            if not cells:
                continue
            empty = False
            where = f"{name} line {reader.line_num}"
            if len(cells) != len(columns):
                raise DatasetError(f"{where} must have {len(columns)} values, as the header has, got {len(cells)}")
            values = tuple(_number(cells[place], columns[place], where) for place in places)
            yield Row(features, values, _label(cells[label_place], label, where))
    except UnicodeDecodeError as error:
        raise DatasetError(f"{name} must be text in UTF-8, got bytes that are not ({error.reason})") from None
    except csv.Error as error:
        raise DatasetError(f"{name} line {reader.line_num} must be CSV, got something else ({error})") from None
    if empty:
        raise DatasetError(f"{name} must have at least one row below its header, got none")


def few(names: Iterable[str]) -> str:
    """The first five of ``names``, and how many more there are."""
    every = list(names)
    shown = ", ".join(every[:_SHOWN])
    return f"{shown} and {len(every) - _SHOWN} more" if len(every) > _SHOWN else shown


def _header(cells: list[str], name: str, label: str, features: tuple[str, ...] | None) -> list[str]:
    columns = [cell.strip() for cell in cells]
    if not any(columns):
        raise DatasetError(f"{name} must start with a header that names its columns, got an empty file or line")
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if "" in columns or twice:
        came = f"{twice[0]!r} twice" if twice and twice[0] else "a column without one"
        raise DatasetError(f"{name} line 1 must give each column its own name, got {came}")
    if label not in columns:
        raise DatasetError(f"{name} must have the label column {label!r}, got {few(columns)}")
    if len(columns) == 1:
        raise DatasetError(f"{name} must have at least one column besides the label {label!r}, got none")
    if features is not None and set(columns) != {*features, label}:
        differing = sorted(set(columns) ^ {*features, label})
        raise DatasetError(f"{name} must have the columns of the files before it, got a difference in {few(differing)}")
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
