"""When may traffic come, and what happens to a model that cannot be served?"""

import http.client
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.serving.container.conftest import Serving


@pytest.fixture
def altered(base: Path, tmp_path: Path) -> Callable[..., Path]:
    def run(change: Callable[[dict[str, Any]], object]) -> Path:
        shutil.copytree(base / "model", tmp_path / "model")
        path = tmp_path / "model" / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        change(manifest)
        path.write_text(json.dumps(manifest), encoding="utf-8")
        return tmp_path

    return run


def test_ping_says_503_until_the_model_is_proved(start: Callable[..., Serving], altered: Callable[..., Path]) -> None:
    serving = start(altered(lambda manifest: manifest.update(golden_requests=manifest["golden_requests"] * 1000)))
    connection = serving.connect()
    connection.request("GET", "/ping")
    response = connection.getresponse()
    first = (response.status, response.read())

    serving.wait_until_ready()

    assert first[0] == 503
    assert b"the model must be loaded and proved first" in first[1]


def test_a_model_that_answers_a_golden_request_wrongly_is_never_ready(
    start: Callable[..., Serving], altered: Callable[..., Path]
) -> None:
    serving = start(altered(lambda manifest: manifest["golden_requests"][0]["outputs"].update(label=[9])))

    code, log = serving.wait()

    reasons = [line["message"] for line in log if line["level"] == "ERROR"]
    assert code == 1
    assert len(reasons) == 1
    assert reasons[0].startswith("the model must answer its golden requests rightly, got: row-1: label[0] must be 9, ")


def test_a_folder_without_a_manifest_ends_the_container_with_one_sentence(
    start: Callable[..., Serving], tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.bin").write_bytes(b"x")

    code, log = start(tmp_path).wait()

    assert code == 1
    assert log[0]["message"].endswith("must hold manifest.json, got weights.bin")


def test_a_file_that_is_no_onnx_model_is_named(start: Callable[..., Serving], altered: Callable[..., Path]) -> None:
    import hashlib

    garbage = b"not an onnx file"
    folder = altered(lambda manifest: manifest["files"][0].update(sha256=hashlib.sha256(garbage).hexdigest()))
    (folder / "model" / "model.fp32.onnx").write_bytes(garbage)

    code, log = start(folder).wait()

    assert code == 1
    assert log[0]["message"].startswith("model.fp32.onnx must be an ONNX model that this runtime loads, got ")


def test_a_request_that_breaks_the_model_gets_500_and_an_id_that_the_log_has(
    base: Path, start: Callable[..., Serving], altered: Callable[..., Path]
) -> None:
    # A manifest with fewer labels than the model has classes breaks only once the last class is answered.
    folder = altered(lambda manifest: manifest.update(labels=["benign"]))
    serving = start(folder).wait_until_ready()
    golden = json.loads((folder / "model" / "manifest.json").read_text(encoding="utf-8"))["golden_requests"][-1]

    connection: http.client.HTTPConnection = serving.connect()
    headers = {"X-Amzn-SageMaker-Inference-Id": "42"}
    connection.request("POST", "/invocations", json.dumps({"inputs": golden["inputs"]}), headers)
    response = connection.getresponse()
    sentence = json.loads(response.read())["error"]
    code, log = serving.stop()

    assert (response.status, code) == (500, 0)
    failed = next(line for line in log if line["message"] == "request failed")
    assert sentence.endswith(failed["request_id"])
    assert failed["inference_id"] == "42"
    assert "IndexError" in failed["exception"]
