"""What may a model's own code do, and what is said when it does it wrongly?"""

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlplatform_cdk.runtimekit.manifest import GoldenRequest, Manifest, ModelFile, Tensor
from mlplatform_cdk.serving.container import hooks as hooks_module
from mlplatform_cdk.serving.container import streaming
from mlplatform_cdk.serving.container.errors import ModelFailed, RequestError
from mlplatform_cdk.serving.container.hooks import Context, Hooks, HooksError
from mlplatform_cdk.serving.container.messages import Answer, problem
from mlplatform_cdk.serving.container.metrics import Metrics
from mlplatform_cdk.serving.container.service import Service
from mlplatform_cdk.serving.container.settings import Settings
from tests.serving.container.standins import Model, request, serve

MANIFEST = Manifest(
    model_name="m",
    run_id="r",
    dataset_version="1",
    dataset_uri="s3://b/",
    code_version="1",
    algorithm={},
    files=(ModelFile(precision="fp32", path="m.onnx", opset=18, sha256="0"),),
    inputs=(Tensor(name="x", dtype="float32", shape=("batch", 2)),),
    outputs=(Tensor(name="y", dtype="float32", shape=("batch", 1)),),
    content_types=("application/json",),
    preprocessing=(),
    golden_requests=(GoldenRequest(name="g", inputs={"x": [[1, 2]]}, outputs={"y": [[3]]}),),
    latency_budget_ms=100,
)
X = {"x": np.ones((1, 2), np.float32)}
Y = {"y": np.ones((1, 1), np.float32)}


def load(folder: Path, code: str) -> Hooks:
    (folder / "hooks.py").write_text(code)
    hooks = Hooks.load(folder, MANIFEST)
    assert hooks is not None
    return hooks


def test_a_model_without_hooks_has_none(tmp_path: Path) -> None:
    assert Hooks.load(tmp_path, MANIFEST) is None


def test_hooks_change_tensors_and_what_they_leave_out_stays(tmp_path: Path) -> None:
    both = load(
        tmp_path, "def preprocess(inputs):\n return {'x': inputs['x'] * 2}\ndef postprocess(o):\n return {'y': [[7]]}"
    )
    none = load(tmp_path, "def stream(outputs):\n yield b'a'")

    assert both.before(X, Context())["x"].tolist() == [[2, 2]]
    assert both.after(Y, Context())["y"].dtype == np.float32
    assert (none.before(X, Context()), none.after(Y, Context())) == (X, Y)
    assert (both.streams, none.streams) == (False, True)


def test_a_hook_may_read_the_request_and_write_the_answers_attributes(tmp_path: Path) -> None:
    hooks = load(
        tmp_path,
        "def postprocess(outputs, context):\n"
        " context.attributes += f' {context.inference_id} {context.trace_id}'\n"
        " return outputs",
    )
    context = Context(attributes="a=1", inference_id="42", trace_id="t")

    hooks.after(Y, context)

    assert context.attributes == "a=1 42 t"


def test_two_models_have_modules_of_their_own_and_leave_no_files(tmp_path: Path) -> None:
    models = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        code = f"from dataclasses import dataclass\nN = {number}\n@dataclass\nclass A:\n a: 'int' = N\n"
        models.append(load(folder, code + "def postprocess(outputs):\n return {'y': [[A().a]]}"))

    assert [one.after(Y, Context())["y"].item() for one in models] == [1, 2]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["hooks.py", "hooks.py"]
    before = len([name for name in sys.modules if name.startswith("mlplatform_hooks_")])
    for one in models:
        one.close()
    assert before - len([name for name in sys.modules if name.startswith("mlplatform_hooks_")]) == 2


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("x = 1", "hooks.py must define one of preprocess, postprocess, stream, got none of them"),
        ("def preprocess(", "hooks.py must load, got SyntaxError"),
        ("import none_such", "hooks.py must load, got ModuleNotFoundError: No module named 'none_such'"),
        ("preprocess = 1", "preprocess of hooks.py must be a function, got int"),
        ("def stream(): ...", "stream of hooks.py must take the tensors, or the tensors and the context"),
        ("raise SystemExit(3)", "hooks.py must load, got SystemExit: 3"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_sentence(tmp_path: Path, code: str, sentence: str) -> None:
    with pytest.raises(HooksError) as told:
        load(tmp_path, code)

    assert str(told.value).startswith(sentence)
    assert "\n" not in str(told.value)


def test_where_no_code_is_allowed_a_model_with_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "hooks.py").write_text("def stream(outputs): ...")

    with pytest.raises(HooksError, match="only where ALLOW_HOOKS is true"):
        Hooks.load(tmp_path, MANIFEST, allowed=False)


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        ("{}", "preprocess of the model's hooks.py must give x, got nothing"),
        ("{'z': 1}", "preprocess of the model's hooks.py must give x, got z"),
        ("None", "preprocess of the model's hooks.py must give x, got NoneType"),
        ("{'x': [['a']]}", "preprocess of the model's hooks.py must give x as float32, got ValueError"),
        ("{'x': [1]}", "preprocess of the model's hooks.py must give x with 2 dimensions, got 1"),
    ],
)
def test_what_a_hook_gives_is_checked(tmp_path: Path, result: str, sentence: str) -> None:
    hooks = load(tmp_path, f"def preprocess(inputs):\n return {result}")

    with pytest.raises(ModelFailed) as told:
        hooks.before(X, Context())

    assert str(told.value).startswith(sentence)


def test_a_hook_that_breaks_is_our_error_and_one_that_refuses_is_the_callers(tmp_path: Path) -> None:
    errors = "from mlplatform_cdk.serving.container.errors import RequestError\n"
    breaks = load(tmp_path, "def preprocess(inputs):\n return 1 / 0")
    refuses = load(tmp_path, f"{errors}def preprocess(inputs):\n raise RequestError('x must be dry, got wet')")

    with pytest.raises(ModelFailed, match="the log has the reason under the request id"):
        breaks.before(X, Context())
    with pytest.raises(RequestError, match="x must be dry") as told:
        refuses.before(X, Context())
    assert told.value.status == 400


@pytest.mark.parametrize(
    "code",
    [
        "class Odd(RequestError):\n status = 200\ndef preprocess(inputs):\n raise Odd('x')",
        "class Odd(RequestError):\n status = 'bad'\ndef preprocess(inputs):\n raise Odd('x')",
        "def preprocess(inputs):\n raise RequestError('x', (('X-Row', 1),))",
        "def preprocess(inputs):\n raise RequestError('x', (('X-Row', 'a\\r\\nb'),))",
        "def preprocess(inputs):\n raise RequestError('x', 7)",
        "def preprocess(inputs, context):\n context.attributes = {'a': 1}\n return inputs",
        "def preprocess(inputs, context):\n context.attributes = 'a\\0b'\n return inputs",
        "def preprocess(inputs, context):\n context.attributes = 'a' * 1025\n return inputs",
    ],
    ids=["a good status", "a word", "a number", "two lines", "no pairs", "no text", "a zero byte", "too long"],
)
def test_what_no_answers_head_can_hold_is_the_hooks_failure(tmp_path: Path, code: str) -> None:
    hooks = load(tmp_path, f"from mlplatform_cdk.serving.container.errors import RequestError\n{code}")

    with pytest.raises(ModelFailed, match="the log has the reason under the request id") as told:
        hooks.before(X, Context())
    assert problem(told.value).status == 500


def test_attributes_that_a_hook_leaves_alone_are_the_callers_business(tmp_path: Path) -> None:
    hooks = load(tmp_path, "def preprocess(inputs):\n return inputs")

    assert hooks.before(X, Context(attributes="é" * 2000)) is not None


def test_the_log_of_a_broken_hook_names_model_and_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, str]] = []
    monkeypatch.setattr(hooks_module._log, "exception", lambda _message, extra: heard.append(extra))
    hooks = load(tmp_path, "def preprocess(inputs):\n return 1 / 0")

    with pytest.raises(ModelFailed):
        hooks.before(X, Context())
    assert [(one["model"], one["run_id"], one["hook"]) for one in heard] == [("m", "r", "preprocess")]


@pytest.mark.parametrize(
    ("code", "status", "sentence"),
    [
        ("raise RequestError('x must be dry, got wet')\n yield b''", 400, "x must be dry, got wet"),
        ("yield 1 / 0", 500, "stream of the model's hooks.py failed on this request"),
        ("return [1]", 500, "stream of the model's hooks.py failed on this request"),
    ],
    ids=["refuses", "breaks", "gives no bytes"],
)
def test_a_stream_that_refuses_or_breaks_at_once_has_a_status_of_its_own(
    tmp_path: Path, code: str, status: int, sentence: str
) -> None:
    model = Model()
    (tmp_path / "hooks.py").write_text(
        f"from mlplatform_cdk.serving.container.errors import RequestError\ndef stream(outputs):\n {code}"
    )
    model.hooks = Hooks.load(tmp_path, model.manifest)

    async def scene(service: Service) -> Answer:
        return await service.ask(request())

    answer = serve(scene, model)

    assert (answer.status, answer.stream) == (status, None)
    assert json.loads(answer.body)["error"].startswith(sentence)


def test_a_stream_gives_the_piece_that_it_has_begun_with_first_and_may_have_none(tmp_path: Path) -> None:
    async def pieces(code: str) -> tuple[int, list[bytes]]:
        model = Model()
        (tmp_path / "hooks.py").write_text(f"def stream(outputs):\n {code}")
        model.hooks = Hooks.load(tmp_path, model.manifest)
        service = Service(Settings(), Metrics())
        service.serve(model)  # type: ignore[arg-type]
        answer = await service.ask(request())
        assert answer.stream is not None
        return answer.status, [one async for one in answer.stream]

    assert asyncio.run(pieces("return [b'a', b'b', b'c']")) == (200, [b"a", b"b", b"c"])
    assert asyncio.run(pieces("return []")) == (200, [])


def test_one_folder_under_two_names_has_two_modules(tmp_path: Path) -> None:
    first, second = (load(tmp_path, "N = []\ndef preprocess(inputs):\n N.append(1)\n return inputs") for _ in "ab")

    first.close()
    assert sys.modules[second._module.__name__] is second._module
    second.close()


def test_a_hook_that_ends_the_program_fails_its_request_only(tmp_path: Path) -> None:
    ends = load(tmp_path, "import sys\ndef preprocess(inputs):\n sys.exit(1)")

    with pytest.raises(ModelFailed, match="the log has the reason under the request id"):
        ends.before(X, Context())


def test_a_stream_gives_bytes_or_texts_and_anything_else_breaks_it(tmp_path: Path) -> None:
    bytes_like = load(tmp_path, "def stream(outputs):\n yield bytearray(b'a')\n yield memoryview(b'b')\n yield 'c'")
    nothing = load(tmp_path, "def stream(outputs):\n yield b'a'\n yield None")

    assert list(bytes_like.parts(Y, Context())) == [b"a", b"b", b"c"]
    broken = nothing.parts(Y, Context())
    assert next(broken) == b"a"
    with pytest.raises(ModelFailed):
        next(broken)


def test_a_model_whose_outputs_are_texts_may_be_postprocessed(tmp_path: Path) -> None:
    (tmp_path / "hooks.py").write_text("def postprocess(outputs):\n return {'y': [['a']]}")
    manifest = replace(MANIFEST, outputs=(Tensor(name="y", dtype="string", shape=("batch", 1)),))
    hooks = Hooks.load(tmp_path, manifest)

    assert hooks is not None
    assert hooks.after(Y, Context())["y"].tolist() == [["a"]]


def test_a_stream_comes_piece_by_piece_and_is_closed_when_nobody_wants_the_rest(tmp_path: Path) -> None:
    hooks = load(
        tmp_path,
        "CLOSED = []\nSTREAM_CONTENT_TYPE = 'text/plain'\n"
        "def stream(outputs, context):\n"
        " try:\n"
        "  for number in range(3):\n"
        "   yield f'{number}'\n"
        " finally:\n"
        "  context.attributes = 'closed'",
    )

    async def scene() -> list[str]:
        whole = [piece async for piece in streaming.Pieces(hooks.parts(Y, Context()))]
        assert whole == [b"0", b"1", b"2"]
        context = Context()
        broken_off = streaming.Pieces(hooks.parts(Y, context))
        assert await anext(broken_off) == b"0"
        broken_off.close()
        for _ in range(1000):
            if context.attributes:
                break
            await asyncio.sleep(0.005)
        return [context.attributes, hooks.stream_type]

    assert asyncio.run(asyncio.wait_for(scene(), 10)) == ["closed", "text/plain"]


def test_a_refusal_may_hold_what_no_text_in_utf_8_can() -> None:
    assert problem(RequestError("bad \udce4")).body == b'{"error":"bad ?"}'
