"""Does the same server answer as a Lambda function: every kind of event, errors, streams, and an environment's end?"""

import asyncio
import base64
import json
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.runtimekit.manifest import Manifest, read_folder
from mlplatform_cdk.serving.container.aws_lambda.api import RuntimeApi
from mlplatform_cdk.serving.container.aws_lambda.events import Invocation, question_of
from mlplatform_cdk.serving.container.errors import RequestError
from tests.serving.container.lambda_service import LambdaService
from tests.training.jobs import rehearsal

XRAY = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"
Start = Callable[..., tuple[LambdaService, subprocess.Popen[str]]]


@pytest.fixture(scope="module")
def start(tree: Path) -> Iterator[Start]:
    """Starts a function's environment: its process, and the service that it asks for events."""
    services: list[LambdaService] = []
    processes: list[subprocess.Popen[str]] = []

    def run(base: Path, **environment: str) -> tuple[LambdaService, subprocess.Popen[str]]:
        services.append(LambdaService().__enter__())
        told = {"AWS_LAMBDA_RUNTIME_API": services[-1].address, **environment}
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "mlplatform_cdk.serving.container"],
                env=rehearsal.child_environment(tree, base) | told,
                cwd=tree,
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        return services[-1], processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.communicate()
    for service in services:
        service.__exit__()


@pytest.fixture(scope="module")
def function(base: Path, start: Start, tmp_path_factory: pytest.TempPathFactory) -> LambdaService:
    captured = tmp_path_factory.mktemp("captured")
    service, _ = start(base, CAPTURE_SHARE="1", CAPTURE_TARGET=str(captured), METRICS_NAMESPACE="Test")
    service.captured = captured  # type: ignore[attr-defined]
    return service


@pytest.fixture(scope="module")
def manifest(base: Path) -> Manifest:
    return read_folder(base / "model")


@pytest.fixture
def rows(manifest: Manifest) -> Any:
    return manifest.golden_requests[0].body()


def test_an_invoke_is_a_request_by_itself(function: LambdaService, rows: Any, manifest: Manifest) -> None:
    result = function.invoke(rows)

    assert result.path.startswith("invocation/request-")
    assert result.path.endswith("/response")
    assert manifest.golden_requests[0].check(result.json()) == []


V1 = {
    "resource": "/{proxy+}",
    "path": "/invocations",
    "httpMethod": "POST",
    "headers": {"Content-Type": "application/json", "Accept": "text/csv"},
    "multiValueHeaders": {"Content-Type": ["application/json"], "Accept": ["text/csv"]},
    "requestContext": {"stage": "prod", "path": "/prod/invocations"},
    "isBase64Encoded": False,
}
V2 = {
    "version": "2.0",
    "routeKey": "$default",
    "rawPath": "/prod/invocations",
    "headers": {"content-type": "application/json", "accept": "text/csv"},
    "requestContext": {"http": {"method": "POST", "path": "/prod/invocations"}, "stage": "prod"},
    "isBase64Encoded": False,
}
URL = V2 | {"rawPath": "/", "requestContext": {"http": {"method": "POST", "path": "/"}, "stage": "$default"}}
BALANCER = {
    "requestContext": {"elb": {"targetGroupArn": "arn"}},
    "httpMethod": "POST",
    "path": "/invocations",
    "multiValueHeaders": {"content-type": ["application/json"], "accept": ["text/csv"]},
    "isBase64Encoded": False,
}


@pytest.mark.parametrize("event", [V1, V2, URL, BALANCER], ids=["rest", "http", "function-url", "load-balancer"])
@pytest.mark.parametrize("encoded", [False, True], ids=["text", "base64"])
def test_an_http_event_gets_an_http_answer(
    function: LambdaService, rows: Any, manifest: Manifest, event: dict[str, Any], *, encoded: bool
) -> None:
    text = json.dumps(rows)
    body = base64.b64encode(text.encode()).decode() if encoded else text

    answer = function.invoke(event | {"body": body, "isBase64Encoded": encoded}).json()

    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, False)
    assert answer["body"].split(",")[0] in manifest.labels
    if event is BALANCER:
        assert answer["multiValueHeaders"]["Content-Type"] == ["text/csv"]
    else:
        assert answer["headers"]["Content-Type"] == "text/csv"


def test_what_is_no_text_leaves_as_base64(function: LambdaService, rows: Any) -> None:
    headers = {"content-type": "application/json", "accept": "application/x-npy"}

    answer = function.invoke({"body": json.dumps(rows), "headers": headers}).json()

    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True), answer
    assert base64.b64decode(answer["body"]).startswith(b"\x93NUMPY")


def test_an_http_caller_gets_a_status_and_another_an_error(function: LambdaService) -> None:
    over_http = function.invoke(V2 | {"body": "{"}).json()
    plain = function.invoke({"nonsense": 1})
    broken = function.invoke(V2 | {"body": "%%%", "isBase64Encoded": True}).json()

    assert (over_http["statusCode"], broken["statusCode"]) == (400, 400)
    assert " must " in json.loads(over_http["body"])["error"]
    assert plain.path.endswith("/error")
    assert plain.headers["Lambda-Runtime-Function-Error-Type"] == plain.json()["errorType"] == "BadRequest"
    assert " must " in plain.json()["errorMessage"]


def test_ping_and_metrics_answer_over_http(function: LambdaService) -> None:
    event = V2 | {"rawPath": "/ping", "requestContext": {"http": {"method": "GET"}, "stage": "$default"}}

    assert function.invoke(event).json()["statusCode"] == 200
    assert "mlplatform_serving_requests_total" in function.invoke(event | {"rawPath": "/metrics"}).json()["body"]


def test_the_trace_of_lambda_comes_back(function: LambdaService, rows: Any) -> None:
    answer = function.invoke(URL | {"body": json.dumps(rows)}, trace=XRAY).json()

    assert answer["headers"]["X-Amzn-Trace-Id"] == XRAY


def test_captured_data_is_written_before_the_next_event_is_asked_for(function: LambdaService, rows: Any) -> None:
    folder: Path = function.captured  # type: ignore[attr-defined]
    asked = function.asked
    function.invoke(rows)
    until = time.monotonic() + 10
    while function.asked == asked:
        assert time.monotonic() < until
        time.sleep(0.01)

    assert [json.loads(line) for path in folder.rglob("*.jsonl") for line in path.read_text().splitlines()]


def test_a_model_that_cannot_be_served_is_told_as_an_init_error(tmp_path: Path, start: Start) -> None:
    (tmp_path / "model").mkdir()
    service, process = start(tmp_path)

    result = service.results.get(timeout=20)

    assert result.path == "init/error"
    assert result.headers["Lambda-Runtime-Function-Error-Type"] == "Runtime.ModelNotServed"
    assert "must hold manifest.json" in result.json()["errorMessage"]
    assert process.wait(20) == 1


def test_an_environment_ends_when_lambda_says_that_it_is_broken(base: Path, start: Start, rows: Any) -> None:
    service, process = start(base)
    service.status = 500

    service.invoke(rows)

    assert process.wait(20) == 1


@pytest.fixture(scope="module")
def streaming(base: Path, start: Start, tmp_path_factory: pytest.TempPathFactory) -> LambdaService:
    folder = tmp_path_factory.mktemp("streaming")
    shutil.copytree(base / "model", folder / "model")
    (folder / "model" / "hooks.py").write_text(
        "STREAM_CONTENT_TYPE = 'text/event-stream'\n"
        "def stream(outputs, context):\n"
        " for number in range(3):\n"
        "  yield f'data: {number}\\n\\n'\n"
        " if context.attributes == 'break':\n"
        "  raise ValueError('out of paper')\n"
    )
    return start(folder, LAMBDA_STREAMING="true")[0]


PIECES = [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]


def test_a_stream_leaves_piece_by_piece(streaming: LambdaService, rows: Any) -> None:
    plain = streaming.invoke(rows)
    over_http = streaming.invoke(URL | {"body": json.dumps(rows)})

    assert plain.headers["Lambda-Runtime-Function-Response-Mode"] == "streaming"
    assert (plain.pieces, plain.headers["Content-Type"]) == (PIECES, "text/event-stream")
    assert over_http.headers["Content-Type"] == "application/vnd.awslambda.http-integration-response"
    assert over_http.pieces[1:] == PIECES
    assert over_http.http() == ({"statusCode": 200, "headers": {"Content-Type": "text/event-stream"}}, b"".join(PIECES))
    assert over_http.trailers == {}


def test_a_streamed_answer_over_http_has_a_body_even_where_there_is_nothing_to_say(streaming: LambdaService) -> None:
    event = URL | {"rawPath": "/ping", "requestContext": {"http": {"method": "GET"}, "stage": "$default"}}
    prelude, body = streaming.invoke(event).http()

    assert (prelude["statusCode"], body) == (200, b"\n")


def test_a_stream_without_pieces_has_a_body_over_http_only(base: Path, start: Start, tmp_path: Path, rows: Any) -> None:
    shutil.copytree(base / "model", tmp_path / "model")
    (tmp_path / "model" / "hooks.py").write_text("def stream(outputs):\n yield from ()\n")
    silent = start(tmp_path, LAMBDA_STREAMING="true")[0]

    assert silent.invoke(URL | {"body": json.dumps(rows)}).http()[1] == b"\n"
    assert silent.invoke(rows).body == b""


def test_a_stream_that_breaks_off_says_so_in_its_trailers(streaming: LambdaService, rows: Any) -> None:
    headers = URL["headers"] | {"x-amzn-sagemaker-custom-attributes": "break"}  # type: ignore[operator]

    broken = streaming.invoke(URL | {"headers": headers, "body": json.dumps(rows)})

    assert broken.pieces[1:] == PIECES
    assert broken.error()["errorType"] == "Function.StreamBroken"
    assert "stream of the model's hooks.py failed" in broken.error()["errorMessage"]


def test_in_streaming_mode_whole_answers_and_errors_have_the_same_form(streaming: LambdaService) -> None:
    over_http, plain = streaming.invoke(URL | {"body": "{"}), streaming.invoke({"nonsense": 1})

    prelude, body = over_http.http()
    assert prelude["statusCode"] == 400
    assert "error" in json.loads(body)
    assert plain.path.endswith("/error")


def test_an_answer_that_never_comes_is_one_of_504_before_lambda_cuts_it_off() -> None:
    from mlplatform_cdk.serving.container.aws_lambda import serve

    with LambdaService() as service:

        async def scene() -> None:
            async def start() -> Any:
                return lambda _request, _reply: None

            serving = asyncio.ensure_future(serve(service.address, start, lambda: None, streaming=False))
            result = await asyncio.to_thread(service.invoke, URL | {"body": "{}"}, seconds=0.3)
            assert result.json()["statusCode"] == 504
            serving.cancel()

        asyncio.run(scene())


def test_a_result_outlives_a_connection_that_lambda_closed() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"

    with LambdaService() as service:

        async def scene() -> None:
            api = RuntimeApi(service.address)
            service.events.put((b"{}", {"Lambda-Runtime-Deadline-Ms": "0"}))
            invocation = await api.next()
            await api.close()
            assert await api.respond(invocation, b"1") == 202
            assert await api.stream(invocation, "text/plain", pieces()) == 202

        asyncio.run(scene())


def test_a_stream_ends_its_connection_and_a_whole_result_does_not() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"

    with LambdaService() as service:

        async def scene() -> list[int]:
            api, seen = RuntimeApi(service.address), []
            for _ in range(2):
                service.events.put((b"{}", {"Lambda-Runtime-Deadline-Ms": "0"}))
                invocation = await api.next()
                seen.append(service.connections)
                assert await api.stream(invocation, "text/plain", pieces()) == 202
            return seen

        assert asyncio.run(scene()) == [1, 2]


def test_a_large_plain_event_is_handed_on_as_it_came() -> None:
    event = b'{"instances": [[1, 2]]}'

    question = question_of(Invocation("1", event, 0))

    assert question.request.body is event
    assert not question.is_http


@pytest.mark.parametrize(
    "event",
    [
        {"body": "{}", "headers": "none"},
        {"body": "{}", "headers": ["a"], "multiValueHeaders": {"a": 5}},
        {"body": "{}", "multiValueHeaders": ["a"]},
        {"requestContext": "here"},
        {"requestContext": {"http": "post"}},
    ],
)
def test_an_event_that_only_looks_like_http_does_not_end_the_environment(event: dict[str, Any]) -> None:
    assert question_of(Invocation("1", json.dumps(event).encode(), 0)).request.path == "/invocations"


PROXY = {"httpMethod": "POST", "body": "{}", "resource": "/{proxy+}", "path": "/ml/invocations"}


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (PROXY | {"pathParameters": {"proxy": "invocations"}}, "/invocations"),
        (PROXY | {"pathParameters": None, "path": "/invocations"}, "/invocations"),
        (PROXY | {"resource": "/invocations", "path": "/ml/v1/invocations"}, "/invocations"),
        (PROXY | {"resource": "/", "path": "/ml"}, "/invocations"),
        (PROXY | {"resource": "/", "path": "/ml", "httpMethod": "GET"}, "/ping"),
        (V2 | {"body": "{}", "rawPath": "/prod"}, "/invocations"),
        (V2 | {"body": "{}", "rawPath": "/prod/"}, "/invocations"),
        (V2 | {"body": "{}", "rawPath": "/production"}, "/production"),
        (V2 | {"body": "{}", "rawPath": "/prod/x", "routeKey": "POST /invocations"}, "/invocations"),
    ],
)
def test_neither_a_stage_nor_a_base_path_hides_the_path(event: dict[str, Any], path: str) -> None:
    assert question_of(Invocation("1", json.dumps(event).encode(), 0)).request.path == path


@pytest.mark.parametrize("body", ["@", "\N{SNOWMAN}"])
def test_a_body_that_is_no_base64_is_the_callers_error(body: str) -> None:
    event = json.dumps({"body": body, "isBase64Encoded": True}).encode()

    with pytest.raises(RequestError, match="the event's body must be base64"):
        question_of(Invocation("1", event, 0))
