"""The raw CSV files of the job's input as checked rows; whatever is wrong is told with its file and line."""

from collections.abc import Iterator
from pathlib import Path

from mlplatform_cdk.runtimekit import rows
from mlplatform_cdk.runtimekit.dataset import DatasetError
from mlplatform_cdk.runtimekit.rows import Row, few


def read_rows(folder: Path, label: str) -> Iterator[Row]:
    """Every row of the CSV files under ``folder``, file by file in the order of their names.

    :param folder: the raw data; files of other types are left alone.
    :param label: the column to predict.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() == ".csv")
    if not files:
        came = few(sorted(path.name for path in folder.rglob("*") if path.is_file())) or "nothing"
        raise DatasetError(f"the raw data must hold at least one .csv file, got {came}")
    features: tuple[str, ...] | None = None
    for path in files:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            for row in rows.read_rows(lines, str(path.relative_to(folder)), label, features):
                features = row.features
                yield row
