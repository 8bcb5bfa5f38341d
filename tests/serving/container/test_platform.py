"""Do many models, streams, caches and the log work in a process of its own, as SageMaker or Docker runs it?"""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from http.client import IncompleteRead
from pathlib import Path

import pytest

from mlplatform_cdk.runtimekit.manifest import Manifest, read_folder
from tests.serving.container.conftest import Serving
from tests.serving.container.standins import eventually
from tests.serving.container.valkey_server import ValkeyServer

TYPE = {"Content-Type": "application/json"}
ID = "5759e988bd862e3fe1be46a994272793"
HOOKS = """
import pathlib
import time

STREAM_CONTENT_TYPE = "text/plain"

def wait(context, name):
    folder = pathlib.Path(context.attributes or "none")
    if folder.is_dir():
        (folder / "asked").touch()
        while not (folder / name).exists():
            time.sleep(0.01)

def preprocess(inputs, context):
    wait(context, "begin")
    return inputs

def stream(outputs, context):
    for number in range(3):
        wait(context, f"part {number}")
        yield f"part {number} of {context.attributes}\\n"
        if context.attributes == "break":
            raise ValueError("out of paper")
"""


@pytest.fixture(scope="module")
def rows(base: Path) -> str:
    manifest: Manifest = read_folder(base / "model")
    return json.dumps(manifest.golden_requests[0].body())


def ask(
    serving: Serving, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    connection = serving.connect()
    text = body if isinstance(body, str) else json.dumps(body)
    connection.request(method, path, text, TYPE | {name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    read = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), read


@pytest.fixture(scope="module")
def many(base: Path, start: Callable[..., Serving], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("many")
    for name in ("a", "b", "streaming", "broken"):
        shutil.copytree(base / "model", folder / "models" / name / "model")
    (folder / "models" / "streaming" / "model" / "hooks.py").write_text(HOOKS)
    (folder / "models" / "broken" / "model" / "hooks.py").write_text("import none_such")
    settings = {"SAGEMAKER_MULTI_MODEL": "true", "MODEL_MEMORY_BYTES": str(2**30), "ACCESS_LOG_SHARE": "1"}
    serving = start(folder, **settings).wait_until_ready()
    serving.folder = folder  # type: ignore[attr-defined]
    yield serving
    code, log = serving.stop()
    assert code == 0
    of_models = [one for one in log if one["message"] in {"model loaded", "model unloaded"}]
    of_models += [one for one in log if one.get("path", "").endswith("/invoke") and one["status"] == 200]
    assert {one.get("run_id") for one in of_models} == {read_folder(base / "model").run_id}


def load(serving: Serving, name: str) -> tuple[int, dict[str, str], bytes]:
    url = str(serving.folder / "models" / name / "model")  # type: ignore[attr-defined]
    return ask(serving, "POST", "/models", {"model_name": name, "url": url})


def test_models_come_answer_and_go(many: Serving, rows: str) -> None:
    assert ask(many, "GET", "/models")[2] == b'{"models":[]}'
    assert ask(many, "POST", "/models/a/invoke", rows)[0] == 404

    assert (load(many, "a")[0], load(many, "a")[0], load(many, "b")[0]) == (200, 409, 200)
    told = ask(many, "GET", "/metrics")[2].decode().splitlines()  # before they are asked; both are of one archive
    assert "mlplatform_serving_models 2" in told
    assert len([line for line in told if line.startswith("mlplatform_serving_model_info{")]) == 1
    answers = [ask(many, "POST", f"/models/{name}/invoke", rows) for name in ("a", "b")]
    assert [status for status, _, _ in answers] == [200, 200]
    assert answers[0][2] == answers[1][2]
    assert [one["modelName"] for one in json.loads(ask(many, "GET", "/models")[2])["models"]] == ["a", "b"]

    assert ask(many, "DELETE", "/models/a")[0] == 200
    assert (ask(many, "GET", "/models/a")[0], ask(many, "DELETE", "/models/a")[0]) == (404, 404)
    assert ask(many, "POST", "/models/b/invoke", rows)[0] == 200
    assert ask(many, "DELETE", "/models/b")[0] == 200


def test_a_model_that_cannot_be_loaded_says_why(many: Serving) -> None:
    status, _, body = load(many, "broken")

    assert status == 400
    assert "hooks.py must load, got ModuleNotFoundError" in json.loads(body)["error"]
    for name in ("a\0b", 5000 * "a"):
        assert load(many, name)[0] == 400
    assert ask(many, "GET", "/ping")[0] == 200


def test_an_unload_waits_for_the_request_under_way_and_its_stream(many: Serving, rows: str, tmp_path: Path) -> None:
    load(many, "streaming")
    unloaded: list[int] = []
    unloading = threading.Thread(target=lambda: unloaded.append(ask(many, "DELETE", "/models/streaming")[0]))
    waits = {"X-Amzn-SageMaker-Custom-Attributes": str(tmp_path), "X-Request-Deadline-Ms": "20000"}
    connection = many.connect()
    connection.request("POST", "/models/streaming/invoke", rows, TYPE | waits)
    eventually((tmp_path / "asked").exists)
    unloading.start()
    eventually(lambda: ask(many, "GET", "/models/streaming")[0] == 404)
    for name in ("begin", "part 0"):
        (tmp_path / name).touch()
    answer = connection.getresponse()
    told = answer.readline()  # the stream is under way
    unloading.join(0.2)  # which is ample for an unload that does not wait

    assert (told.decode(), unloaded) == (f"part 0 of {tmp_path}\n", [])
    for name in ("part 1", "part 2"):
        (tmp_path / name).touch()
    assert answer.read().decode() == f"part 1 of {tmp_path}\npart 2 of {tmp_path}\n"
    connection.close()
    unloading.join(10)
    assert unloaded == [200]


def test_a_stream_is_chunked_and_one_that_breaks_breaks_the_connection(many: Serving, rows: str) -> None:
    load(many, "streaming")
    status, headers, body = ask(
        many, "POST", "/models/streaming/invoke", rows, **{"X-Amzn-SageMaker-Custom-Attributes": "me"}
    )
    assert (status, headers["Transfer-Encoding"], headers["Content-Type"]) == (200, "chunked", "text/plain")
    assert body == b"part 0 of me\npart 1 of me\npart 2 of me\n"
    assert headers["X-Amzn-SageMaker-Custom-Attributes"] == "me"

    connection = many.connect()
    connection.request("POST", "/models/streaming/invoke", rows, TYPE | {"X-Amzn-SageMaker-Custom-Attributes": "break"})
    answer = connection.getresponse()
    assert answer.status == 200
    with pytest.raises((IncompleteRead, ConnectionError)):
        answer.read()
    connection.close()
    assert ask(many, "DELETE", "/models/streaming")[0] == 200


def test_without_room_a_load_gets_507_and_the_others_stay(
    base: Path, start: Callable[..., Serving], tmp_path: Path, rows: str
) -> None:
    for name in ("a", "b"):
        shutil.copytree(base / "model", tmp_path / "models" / name / "model")
    (tmp_path / "models" / "b" / "model" / "padding").write_bytes(bytes(2**20))
    serving = start(tmp_path, SAGEMAKER_MULTI_MODEL="true", MODEL_MEMORY_BYTES=str(2**20)).wait_until_ready()
    serving.folder = tmp_path  # type: ignore[attr-defined]

    status, _, body = load(serving, "b")

    assert (status, "must fit into 1048576 bytes" in json.loads(body)["error"]) == (507, True)
    serving.stop()


def test_the_log_has_the_run_id_sampled_requests_metrics_and_captured_data(
    base: Path, start: Callable[..., Serving], rows: str
) -> None:
    serving = start(base, ACCESS_LOG_SHARE="1", METRICS_NAMESPACE="Churn", CAPTURE_SHARE="1").wait_until_ready()
    headers = {
        "traceparent": f"00-{ID}-00f067aa0ba902b7-01",
        "X-Amzn-SageMaker-Inference-Id": "42",
        "X-Amzn-SageMaker-Custom-Attributes": "a=1",
    }
    _, answered, _ = ask(serving, "POST", "/invocations", rows, **headers)
    assert {name: answered.get(name) for name in headers} == headers
    _, log = serving.stop()

    run_id = read_folder(base / "model").run_id
    (line,) = [one for one in log if one.get("message") == "request" and one["path"] == "/invocations"]
    assert (line["run_id"], line["trace_id"], line["inference_id"], line["status"]) == (run_id, ID, "42", 200)
    (captured,) = [one for one in log if "captureData" in one]
    assert captured["captureData"]["endpointInput"]["data"] == rows
    assert (captured["eventMetadata"]["inferenceId"], captured["eventMetadata"]["customAttributes"]) == ("42", ["a=1"])
    metrics = [one for one in log if "_aws" in one]
    assert sum(one["InferLatency"]["Count"] for one in metrics if "InferLatency" in one) == 1
    assert {(one["Model"], one["run_id"]) for one in metrics} == {("cancer", run_id)}


def test_without_being_asked_the_log_has_no_line_for_a_request(
    base: Path, start: Callable[..., Serving], rows: str
) -> None:
    serving = start(base).wait_until_ready()
    for _ in range(5):
        ask(serving, "POST", "/invocations", rows)
    _, log = serving.stop()

    assert [one["message"] for one in log] == ["ready", "stopped"]


def test_equal_requests_are_answered_from_the_cache_each_with_its_own_trace(
    base: Path, start: Callable[..., Serving], rows: str
) -> None:
    serving = start(base, CACHE_BYTES="1000000").wait_until_ready()
    answers = [
        ask(serving, "POST", "/invocations", rows, traceparent=f"00-{number:032x}-00f067aa0ba902b7-01")
        for number in (1, 2)
    ]
    other = ask(serving, "POST", "/invocations", rows, Accept="text/csv")
    metrics = ask(serving, "GET", "/metrics")[2].decode()
    serving.stop()

    (_, first, one), (_, second, two) = answers
    assert one == two
    assert ("X-Cache" in first, second["X-Cache"], "X-Cache" in other[1]) == (False, "hit", False)
    assert [int(head["traceparent"].split("-")[1], 16) for head in (first, second)] == [1, 2]
    assert 'stage_seconds_count{stage="infer"} 2' in metrics
    assert 'serving_requests_total{status="200"} 3' in metrics  # the kept answer among them, and no ping


def test_two_containers_share_what_was_answered(base: Path, start: Callable[..., Serving], rows: str) -> None:
    with ValkeyServer() as server:
        environment = {"CACHE_BYTES": "1000000", "CACHE_URL": server.url, "CACHE_TIMEOUT_MS": "1000"}
        one, other = (start(base, **environment).wait_until_ready() for _ in range(2))
        for attempt in range(10):  # the first container keeps its answer soon after it has given it
            body = rows + " " * attempt  # another key, which the second container has never seen
            first = ask(one, "POST", "/invocations", body)
            time.sleep(0.05 * attempt)
            second = ask(other, "POST", "/invocations", body)
            if "X-Cache" in second[1]:
                break
        one.stop()
        other.stop()

    assert ("X-Cache" in first[1], second[1]["X-Cache"]) == (False, "hit")
    assert first[2] == second[2]


def test_hooks_reach_the_shared_cache_under_the_run_that_made_the_model(
    base: Path, start: Callable[..., Serving], tmp_path: Path, rows: str
) -> None:
    shutil.copytree(base / "model", tmp_path / "model")
    (tmp_path / "model" / "hooks.py").write_text(
        "def preprocess(inputs, context):\n"
        " if context.features is None:\n"  # a golden request, before anything is served
        "  return inputs\n"
        " context.attributes = str(context.features.get(['customer-1']))\n"
        " context.features.put('customer-1', b'blue')\n"
        " return inputs\n"
    )
    with ValkeyServer() as server:
        serving = start(tmp_path, CACHE_URL=server.url, CACHE_TIMEOUT_MS="1000").wait_until_ready()
        found: list[str] = []
        for attempt in range(10):
            found.append(ask(serving, "POST", "/invocations", rows)[1]["X-Amzn-SageMaker-Custom-Attributes"])
            if found[-1] == "[b'blue']":
                break
            time.sleep(0.05 * attempt)
        serving.stop()

    assert (found[0], found[-1]) == ("[None]", "[b'blue']")
