"""What becomes of raw files, and what is told about files that nothing can be learned from?"""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.training.jobs import rehearsal
from tests.training.jobs.rehearsal import Finished, as_csv

ROWS = [[i, i * 0.5, "yes" if i % 3 else "no"] for i in range(200)]
GOOD = as_csv(["a", "b", "label"], ROWS)


@pytest.fixture
def preprocess(tree: Path, tmp_path: Path) -> Callable[..., Finished]:
    count = iter(range(100))

    def run(files: dict[str, str | bytes], **environment: str) -> Finished:
        return rehearsal.preprocess(tree, tmp_path / str(next(count)), files, **environment)

    return run


def rows_of(ended: Finished, split: str) -> list[dict[str, str]]:
    with (ended.output("dataset") / f"{split}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_row_lands_in_exactly_one_split_and_the_description_counts_them(dataset: Path) -> None:
    described = json.loads((dataset / "dataset.json").read_text(encoding="utf-8"))

    assert described["classes"] == ["benign", "malignant"]
    assert described["label"] == "label"
    assert described["features"] == [f"f{i}" for i in range(30)]
    assert sum(described["rows"].values()) == 569
    assert 0.6 < described["rows"]["train"] / 569 < 0.8
    for split, count in described["rows"].items():
        assert len((dataset / f"{split}.csv").read_text(encoding="utf-8").splitlines()) == count + 1


def test_a_row_stays_in_its_split_when_more_rows_come_and_columns_change_places(
    preprocess: Callable[..., Finished],
) -> None:
    before = preprocess({"one.csv": GOOD})
    more = as_csv(["label", "b", "a"], [["yes", 1000 + i, i] for i in range(100)])
    after = preprocess({"one.csv": GOOD, "later/two.csv": more})

    assert before.code == after.code == 0
    for split in ("train", "validation", "holdout"):
        kept = rows_of(before, split)
        assert kept
        assert all(row in rows_of(after, split) for row in kept)


def test_another_seed_deals_the_rows_out_otherwise(preprocess: Callable[..., Finished]) -> None:
    one, other = preprocess({"a.csv": GOOD}), preprocess({"a.csv": GOOD}, SPLIT_SEED="1")

    assert rows_of(one, "holdout") != rows_of(other, "holdout")


def test_missing_values_stay_missing_and_whole_labels_become_one_spelling(
    preprocess: Callable[..., Finished],
) -> None:
    rows = [[i, "NA" if i % 2 else i, "1.0" if i % 3 else "10"] for i in range(200)]
    ended = preprocess({"a.csv": as_csv(["a", "b", "label"], rows)})

    described = json.loads((ended.output("dataset") / "dataset.json").read_text(encoding="utf-8"))
    assert described["classes"] == ["1", "10"]
    assert {row["b"] == "" for row in rows_of(ended, "train")} == {True, False}
    assert all((row["b"] == "") == bool(float(row["a"]) % 2) for row in rows_of(ended, "train"))


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        pytest.param({}, "the raw data must hold at least one .csv file, got nothing", id="no data"),
        pytest.param(
            {"notes.txt": "hello"},
            "the raw data must hold at least one .csv file, got notes.txt",
            id="no table among the files",
        ),
        pytest.param(
            {"a.csv": GOOD, "b.csv": ""},
            "b.csv must start with a header that names its columns, got an empty file or line",
            id="an empty file",
        ),
        pytest.param(
            {"a.csv": "a,b,label\n"},
            "a.csv must have at least one row below its header, got none",
            id="a header alone",
        ),
        pytest.param(
            {"a.csv": "a,b,label\n1,2,x\n1,2\n"},
            "a.csv line 3 must have 3 values, as the header has, got 2",
            id="a short row",
        ),
        pytest.param(
            {"deep/a.csv": "a,b,label\n1,blue,x\n"},
            "deep/a.csv line 2 must have a number in the column 'b', got 'blue'; "
            "encode categories as numbers before they reach the lake",
            id="a word for a number",
        ),
        pytest.param(
            {"a.csv": "a,b,label\n1,1e39,x\n"},
            "a.csv line 2 must have a number that fits float32 in the column 'b', got '1e39'",
            id="a number too great",
        ),
        pytest.param(
            {"a.csv": "a,b,label\n1,2,\n"},
            "a.csv line 2 must have a label in the column 'label', got ''",
            id="a row without a label",
        ),
        pytest.param(
            {"a.csv": "a,b,c\n1,2,3\n"},
            "a.csv must have the label column 'label', got a, b, c",
            id="no label column",
        ),
        pytest.param(
            {"a.csv": "a,a,label\n1,2,3\n"},
            "a.csv line 1 must give each column its own name, got 'a' twice",
            id="a column twice",
        ),
        pytest.param(
            {"a.csv": GOOD, "b.csv": "a,c,label\n1,2,yes\n"},
            "b.csv must have the columns of the files before it, got a difference in b, c",
            id="files of different tables",
        ),
        pytest.param(
            {"a.csv": b"a,b,label\n1,2,\xff\xfe\n"},
            "a.csv must be text in UTF-8, got bytes that are not (invalid start byte)",
            id="another encoding",
        ),
        pytest.param(
            {"a.csv": 'a,b,label\n1,"2,yes\n'},
            "a.csv line 2 must be CSV, got something else (unexpected end of data)",
            id="an open quote",
        ),
        pytest.param(
            {"a.csv": as_csv(["a", "label"], [[i, "x"] for i in range(200)])},
            "the label 'label' must have from 2 to 100 classes, got 1; the training step makes classifiers",
            id="one class",
        ),
        pytest.param(
            {"a.csv": as_csv(["a", "label"], [[i, i * 0.1] for i in range(1, 200)])},
            "the label 'label' must have from 2 to 100 classes, got 199; the training step makes classifiers",
            id="a number to predict",
        ),
        pytest.param(
            {"a.csv": as_csv(["a", "label"], [[i, "x"] for i in range(200)] + [[1, "rare"]])},
            "got 1 rows",
            id="a class too rare",
        ),
    ],
)
def test_bad_data_ends_the_job_with_one_sentence(
    preprocess: Callable[..., Finished], files: dict[str, str | bytes], sentence: str
) -> None:
    ended = preprocess(files)

    assert ended.code == 1
    if "rare" in str(files):
        assert ended.reason.endswith("none of 'rare'; bring more rows")
    else:
        assert ended.reason == sentence
    assert ended.log[-1]["message"] == ended.reason
    assert not (ended.output("dataset") / "dataset.json").exists()
    assert "Traceback" not in ended.errors


def test_a_share_beyond_reason_is_refused(preprocess: Callable[..., Finished]) -> None:
    ended = preprocess({"a.csv": GOOD}, HOLDOUT_SHARE="0.9")

    assert ended.reason == "the environment variable HOLDOUT_SHARE must be a number from 0.01 to 0.5, got '0.9'"
