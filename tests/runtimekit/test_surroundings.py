"""Settings, logs, S3 and the job contract: does code in AWS find its surroundings, and say so when it does not?"""

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from mlplatform_cdk.runtimekit import aws, job, logs, s3, settings
from mlplatform_cdk.runtimekit.dataset import Dataset, DatasetError, read_split
from mlplatform_cdk.runtimekit.errors import KnownError

SOURCE = Path(__file__).parents[2] / "src"


def test_a_required_setting_that_is_missing_or_empty_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", "")

    for name in ("EMPTY", "MISSING"):
        with pytest.raises(settings.SettingError, match=f"^the environment variable {name} must be set, got nothing$"):
            settings.required(name)
        assert settings.optional(name, "default") == "default"


@pytest.mark.parametrize("text", ["x", "nan", "inf", "-1", "11"])
def test_a_number_out_of_its_range_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SIZE", text)

    with pytest.raises(settings.SettingError, match=f"SIZE must be a number from 0 to 10, got '{text}'"):
        settings.number("SIZE", 1, least=0, most=10)


def test_a_log_line_is_json_with_the_run_and_its_own_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_bound", {})
    monkeypatch.setenv("RUN_ID", "run-1")
    record = logging.makeLogRecord({"name": "mlplatform.x", "msg": "rows: %d", "args": (3,), "levelname": "INFO"})
    record.rows = 3

    line = json.loads(logs.JsonFormatter().format(record))

    assert line.pop("timestamp").endswith("+00:00")
    assert line == {"level": "INFO", "logger": "mlplatform.x", "message": "rows: 3", "run_id": "run-1", "rows": 3}


def test_what_is_bound_stands_in_every_later_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_bound", {})
    logs.bind(run_id="run-2", step="train")

    line = json.loads(logs.JsonFormatter().format(logging.makeLogRecord({"msg": "hello"})))

    assert (line["run_id"], line["step"]) == ("run-2", "train")


@pytest.mark.parametrize("uri", ["", "bucket/key", "s3://", "s3://B/key", "https://bucket/key"])
def test_what_is_no_s3_uri_is_refused(uri: str) -> None:
    with pytest.raises(s3.S3Error, match="an S3 URI must look like s3://bucket/key, got "):
        s3.Location.parse(uri)


def test_a_location_names_its_children_whether_or_not_it_ends_with_a_slash() -> None:
    for uri in ("s3://bucket/runs", "s3://bucket/runs/"):
        assert s3.Location.parse(uri).child("a.json").uri == "s3://bucket/runs/a.json"
    assert s3.Location.parse("s3://bucket").child("a").uri == "s3://bucket/a"


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(aws, "client", lambda _: client)
    return Stubber(client)


def test_a_missing_object_is_told_by_its_uri(stub: Stubber) -> None:
    stub.add_client_error("get_object", "NoSuchKey", http_status_code=404)

    with stub, pytest.raises(s3.S3Error, match=r"an object must exist at s3://bucket/a.json, got none"):
        s3.read_json("s3://bucket/a.json")


def test_a_listing_leaves_out_folders_and_follows_the_pages(stub: Stubber) -> None:
    from datetime import UTC, datetime

    def page(*keys: str) -> dict[str, Any]:
        when = datetime(2026, 1, 1, tzinfo=UTC)
        return {
            "Contents": [
                {"Key": key, "Size": 0 if key.endswith("/") else 1, "ETag": '"e"', "LastModified": when} for key in keys
            ]
        }

    asked = {"Bucket": "bucket", "Prefix": "raw/"}
    stub.add_response(
        "list_objects_v2", page("raw/", "raw/a") | {"IsTruncated": True, "NextContinuationToken": "t"}, asked
    )
    stub.add_response("list_objects_v2", page("raw/b"), {**asked, "ContinuationToken": "t"})

    with stub:
        found = list(s3.listing("s3://bucket/raw/"))

    assert [(one.location.uri, one.etag) for one in found] == [("s3://bucket/raw/a", "e"), ("s3://bucket/raw/b", "e")]


def test_a_known_error_ends_a_job_with_its_sentence_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))

    def fail() -> None:
        raise KnownError("the data must have rows, got none")

    assert job.run_step(fail, name="train", reason_file="failure") == 1
    assert (tmp_path / "output" / "failure").read_text(encoding="utf-8") == "the data must have rows, got none"
    assert "Traceback" not in capsys.readouterr().out


def test_an_unknown_error_ends_a_job_with_its_type_within_sagemakers_limit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path))

    def fail() -> None:
        raise ZeroDivisionError("by\nzero " * 500)

    assert job.run_step(fail, name="train", reason_file="message") == 1
    reason = (tmp_path / "output" / "message").read_text(encoding="utf-8")
    assert reason.startswith("train failed with an unexpected ZeroDivisionError: by zero by zero")
    assert len(reason) == 1024


def test_a_split_that_does_not_fit_its_description_is_named_by_line(tmp_path: Path) -> None:
    described = Dataset(version="v", run_id="r", label="y", features=("a",), classes=("n", "p"), rows={})
    described.write(tmp_path)
    (tmp_path / "train.csv").write_text("a,y\n1,n\n,p\n1,q\n", encoding="utf-8")

    assert Dataset.read(tmp_path) == described
    with pytest.raises(DatasetError, match=r"train.csv line 4 must be a row as dataset.json says, got "):
        read_split(tmp_path, described, "train")


@pytest.mark.parametrize("text", ["[]", "{}", "no json", '{"version": 1, "color": 2}'])
def test_a_description_that_is_none_is_told_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "dataset.json").write_text(text, encoding="utf-8")

    with pytest.raises(DatasetError, match=r"dataset.json must describe a dataset, got something else"):
        Dataset.read(tmp_path)


def test_the_runtime_kit_boots_with_the_standard_library_alone() -> None:
    names = [
        ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for path in (SOURCE / "mlplatform_cdk" / "runtimekit").rglob("*.py")
        if path.name != "__main__.py"
    ]
    program = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); " + "; ".join(f"import {name}" for name in names)

    ended = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")
