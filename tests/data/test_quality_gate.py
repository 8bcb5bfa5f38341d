"""What does the quality gate say of the files in the lake?"""

import json
from typing import Any

import pytest

from mlplatform_cdk.data.quality.runtime import handler
from mlplatform_cdk.runtimekit import s3 as lake
from mlplatform_cdk.runtimekit.dataset import DatasetError

EVENT = {"run_id": "churn-1", "dataset_uri": "s3://lake/raw/churn/", "run_uri": "s3://artifacts/runs/churn-1/"}
GOOD = "age,tenure,left\n41,3,yes\n38,,no\n22,1,yes\n"


def put(s3: Any, name: str, text: str | bytes) -> None:
    s3.put_object(Bucket="lake", Key=f"raw/churn/{name}", Body=text)


def test_good_data_is_profiled_under_its_version(s3: Any) -> None:
    put(s3, "2026/january.csv", GOOD.replace("38,,no", "38,2,no"))
    put(s3, "2026/february.csv", "\ufeffleft,age,tenure\r\nno,50,7\r\n".encode())

    answer = handler.handle(EVENT, None)

    profile = json.loads(s3.get_object(Bucket="artifacts", Key="runs/churn-1/profile.json")["Body"].read())
    assert answer == {
        "dataset_version": profile["version"],
        "rows": 4,
        "profile_uri": "s3://artifacts/runs/churn-1/profile.json",
    }
    assert profile["labels"] == {"no": 2, "yes": 2}
    assert profile["columns"]["age"]["maximum"] == 50


def test_the_version_changes_with_the_content_and_not_with_the_bucket(s3: Any) -> None:
    put(s3, "a.csv", GOOD.replace("38,,no", "38,2,no"))
    s3.create_bucket(Bucket="other")
    s3.put_object(Bucket="other", Key="raw/churn/a.csv", Body=GOOD.replace("38,,no", "38,2,no"))

    first = handler.handle(EVENT, None)["dataset_version"]
    elsewhere = handler.handle(EVENT | {"dataset_uri": "s3://other/raw/churn/"}, None)["dataset_version"]
    put(s3, "a.csv", GOOD.replace("38,,no", "39,2,no"))

    assert first == elsewhere
    assert handler.handle(EVENT, None)["dataset_version"] != first


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        pytest.param({}, r"at least one \.csv file under s3://lake/raw/churn/, got nothing", id="no data"),
        pytest.param({"notes.txt": "hello"}, r"at least one \.csv file .* got raw/churn/notes\.txt", id="no CSV"),
        pytest.param({"a.csv": ""}, r"a\.csv must start with a header .* got an empty file", id="an empty file"),
        pytest.param({"a.csv": "age,left\n"}, r"a\.csv must have at least one row", id="only a header"),
        pytest.param({"a.csv": GOOD + "1,2\n"}, r"a\.csv line 5 must have 3 values, .* got 2", id="a short row"),
        pytest.param(
            {"a.csv": GOOD + "old,2,no\n"}, r"a\.csv line 5 must have a number .* 'age', got 'old'", id="text"
        ),
        pytest.param({"a.csv": GOOD + "1,2,\n"}, r"a\.csv line 5 must have a label .* got ''", id="no label"),
        pytest.param({"a.csv": "age,age,left\n1,2,no\n"}, r"line 1 must give each column its own name", id="twice"),
        pytest.param({"a.csv": "age,tenure\n1,2\n"}, r"must have the label column 'left', got age, tenure", id="label"),
        pytest.param({"a.csv": b"age,left\n\xff\xfe,no\n"}, r"a\.csv must be text in UTF-8", id="bytes"),
        pytest.param(
            {"a.csv": GOOD, "b.csv": "age,income,left\n1,2,no\n"},
            r"b\.csv must have the columns of the files before it, got a difference in income, tenure",
            id="another column in a later file",
        ),
        pytest.param({"a.csv": "age,left\n1,no\n2,yes\n"}, r"at least 3 rows, got 2", id="too few rows"),
        pytest.param({"a.csv": GOOD}, r"column 'tenure' must miss at most 10\.0% .* got 33\.3%", id="gaps"),
    ],
)
def test_bad_data_gets_one_clear_sentence_and_no_profile(s3: Any, files: dict[str, str], sentence: str) -> None:
    for name, text in files.items():
        put(s3, name, text)

    with pytest.raises(DatasetError, match=sentence) as refusal:
        handler.handle(EVENT, None)

    assert "\n" not in str(refusal.value)
    assert "Contents" not in s3.list_objects_v2(Bucket="artifacts")


def test_the_last_registered_runs_profile_is_what_drift_is_measured_against(s3: Any) -> None:
    put(s3, "a.csv", GOOD.replace("38,,no", "38,2,no"))
    handler.handle(EVENT, None)
    s3.copy_object(
        Bucket="artifacts",
        Key="references/churn/profile.json",
        CopySource={"Bucket": "artifacts", "Key": "runs/churn-1/profile.json"},
    )
    put(s3, "a.csv", "age,tenure,left\n410,3,yes\n380,2,no\n220,1,yes\n")

    with pytest.raises(DatasetError, match=r"the mean of the column 'age' must be within 0\.8 standard deviations"):
        handler.handle(EVENT, None)


def test_a_file_that_changes_while_it_is_checked_is_told(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(s3, "a.csv", GOOD)
    seen = list(lake.listing("s3://lake/raw/churn/"))
    put(s3, "a.csv", GOOD + "1,1,no\n")
    monkeypatch.setattr(handler, "raw_files", lambda _: seen)

    with pytest.raises(DatasetError, match="must stay as it is while it is checked"):
        handler.handle(EVENT, None)


def test_more_data_than_the_gate_can_read_in_its_time_is_told_before_the_time_is_spent(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(s3, "a.csv", GOOD)
    monkeypatch.setattr(handler, "_MOST_BYTES", 10)

    with pytest.raises(DatasetError, match=r"the data set must be at most .* train on a folder or a sample of it"):
        handler.handle(EVENT, None)
