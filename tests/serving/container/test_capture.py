"""What is kept of the traffic, in which format, and what when there is no room?"""

import io
import json
import os
import re
import uuid
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.serving.container.capture import Capture, CaptureError, Exchange, line_of
from mlplatform_cdk.serving.container.settings import Settings

EXCHANGE = Exchange(("text/csv", b"1,2\n"), ("application/json", b'{"outputs": {}}'))


def capture(folder: Path, **more: Any) -> Capture:
    settings = Settings(**{"capture_share": 1.0, "capture_target": str(folder), **more})
    return Capture(settings, ("churn", "AllTraffic"))


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for path in sorted(folder.rglob("*.jsonl")) for line in path.read_text().splitlines()]


def test_a_line_is_what_sagemaker_writes() -> None:
    exchange = Exchange(EXCHANGE.asked, EXCHANGE.answered, inference_id="42", attributes="a=1")

    line = json.loads(line_of(exchange, datetime(2026, 2, 14, 17, 25, 49, 123456, tzinfo=UTC)))

    uuid.UUID(line["eventMetadata"].pop("eventId"))
    assert line == {
        "captureData": {
            "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2\n", "encoding": "CSV"},
            "endpointOutput": {
                "observedContentType": "application/json",
                "mode": "OUTPUT",
                "data": '{"outputs": {}}',
                "encoding": "JSON",
            },
        },
        "eventMetadata": {"customAttributes": ["a=1"], "inferenceId": "42", "inferenceTime": "2026-02-14T17:25:49Z"},
        "eventVersion": "0",
    }


@pytest.mark.parametrize(
    ("kind", "body", "encoding", "data"),
    [
        ("application/json; charset=utf-8", b"{}", "JSON", "{}"),
        ("application/x-npy", b"\x93NUMPY", "BASE64", "k05VTVBZ"),
        ("text/csv", b"\xff", "BASE64", "/w=="),
    ],
)
def test_what_is_no_text_is_base64(kind: str, body: bytes, encoding: str, data: str) -> None:
    line = json.loads(line_of(Exchange((kind, body), EXCHANGE.answered), datetime.now(UTC)))

    assert line["captureData"]["endpointInput"] == {
        "observedContentType": kind,
        "mode": "INPUT",
        "data": data,
        "encoding": encoding,
    }


def test_files_lie_where_sagemaker_puts_them(tmp_path: Path) -> None:
    taken = capture(tmp_path)
    taken.take(EXCHANGE)
    taken.take(EXCHANGE)
    taken.flush()

    (path,) = tmp_path.rglob("*.jsonl")
    folder = path.parent.relative_to(tmp_path).as_posix()
    assert re.fullmatch(r"churn/AllTraffic/\d{4}/\d\d/\d\d/\d\d", folder)
    assert len(lines(tmp_path)) == 2
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_thread_writes_and_the_end_waits_for_what_was_taken(tmp_path: Path) -> None:
    taken = capture(tmp_path)
    taken.start()
    for _ in range(50):
        taken.take(EXCHANGE)
    taken.close()

    assert (len(lines(tmp_path)), taken.taken, taken.dropped) == (50, 50, 0)


def test_standard_output_takes_them_where_there_is_no_folder() -> None:
    output = io.BytesIO()
    taken = Capture(Settings(capture_share=1.0), output=output)
    taken.take(EXCHANGE)
    taken.flush()

    assert json.loads(output.getvalue())["eventVersion"] == "0"


def test_a_share_of_the_requests_is_taken(tmp_path: Path) -> None:
    draws = cycle([0.05, 0.15, 0.95])
    taken = Capture(Settings(capture_share=0.1, capture_target=str(tmp_path)), draw=lambda: next(draws))

    assert [taken.wants() for _ in range(6)] == [True, False, False, True, False, False]


def test_what_waits_and_what_is_written_is_bounded(tmp_path: Path) -> None:
    waiting = capture(tmp_path / "a", capture_bytes=60)
    for _ in range(5):
        waiting.take(EXCHANGE)  # 19 bytes each
    assert waiting.dropped == 2

    folder = capture(tmp_path / "b", capture_bytes=1000)
    for _ in range(5):
        folder.take(EXCHANGE)
        folder.flush()
    size = sum(path.stat().st_size for path in (tmp_path / "b").rglob("*.jsonl"))
    assert size <= 1000
    assert folder.taken == len(lines(tmp_path / "b"))
    assert folder.taken + folder.dropped == 5


def test_a_disk_that_fails_loses_the_capture_and_nothing_else(tmp_path: Path) -> None:
    taken = capture(tmp_path)
    os.rmdir(tmp_path / "churn" / "AllTraffic")  # noqa: PTH106
    (tmp_path / "churn" / "AllTraffic").touch()

    taken.take(EXCHANGE)
    taken.flush()

    assert (taken.taken, taken.dropped) == (0, 1)


def test_a_target_that_cannot_be_written_to_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(CaptureError, match="CAPTURE_TARGET must be a folder that can be written to"):
        capture(tmp_path / "file")
