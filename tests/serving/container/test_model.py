"""What must a model show before it serves?"""

import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME, sha256_of
from mlplatform_cdk.serving.container import memory, pace
from mlplatform_cdk.serving.container.engines.onnx_cpu import OnnxCpuEngine
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.model import Model, ModelError
from mlplatform_cdk.serving.container.settings import Settings
from tests.serving import small_models
from tests.serving.container import standins
from tests.serving.container.standins import Array, Engine


@pytest.fixture
def altered(tmp_path: Path) -> Callable[..., Path]:
    def run(change: Callable[[dict[str, Any]], object]) -> Path:
        folder = small_models.save(tmp_path / "model")
        manifest = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
        change(manifest)
        (folder / MANIFEST_NAME).write_text(json.dumps(manifest), encoding="utf-8")
        return folder

    return run


def test_a_loaded_model_knows_what_it_takes(tmp_path: Path) -> None:
    model = Model.load(small_models.save(tmp_path), Settings(max_batch_size=8))

    answer = model.run({"x": small_models.rows(2)})

    assert list(answer) == ["label", "probabilities"]
    assert answer["probabilities"].shape == (2, 3)
    assert (model.max_batch_size, model.batchable, model.batch_reason) == (8, True, "")
    assert model.run_seconds > 0
    assert (model.pace.rows, model.pace.full_rows) == (1, 8)
    assert model.pace.seconds > 0
    assert model.pace.full_seconds > 0
    assert model.memory_bytes >= (tmp_path / "model.fp32.onnx").stat().st_size
    model.close()


def test_what_a_request_may_cost_is_what_the_settings_say(tmp_path: Path) -> None:
    model = Model.load(small_models.save(tmp_path), Settings(max_rows=1, max_batch_size=1))
    body = json.dumps({"inputs": {"x": small_models.rows(2).tolist()}}).encode()

    with pytest.raises(RequestError, match="x must have at most 1 rows, got 2"):
        model.codec.decode(body, "application/json")
    model.close()


def test_a_wrong_golden_answer_is_one_sentence(altered: Callable[..., Path]) -> None:
    folder = altered(lambda manifest: manifest["golden_requests"][0]["outputs"].update(label=[9]))

    with pytest.raises(ModelError, match=r"^the model must answer its golden requests rightly, got: row-0: label\[0\]"):
        Model.load(folder, Settings())


def test_the_files_own_tolerance_is_what_it_is_held_to(altered: Callable[..., Path]) -> None:
    def loosen(manifest: dict[str, Any]) -> None:
        manifest["golden_requests"][0]["outputs"]["probabilities"][0][0] += 0.01
        manifest["golden_requests"][0]["absolute_tolerance"] = 0.1

    folder = altered(loosen)
    assert Model.load(folder, Settings()).batchable
    folder = altered(lambda manifest: (loosen(manifest), manifest["files"][0].update(tolerance=1e-5)))

    with pytest.raises(ModelError, match="must answer its golden requests rightly"):
        Model.load(folder, Settings())


def test_a_golden_request_of_another_shape_is_one_sentence(altered: Callable[..., Path]) -> None:
    folder = altered(lambda manifest: manifest["golden_requests"][0]["inputs"].update(x=[[1.0]]))

    with pytest.raises(ModelError, match=r"^the golden request row-0 must fit the model, but x must have the shape"):
        Model.load(folder, Settings())


def test_a_file_that_is_no_model_and_a_folder_without_a_manifest_are_one_sentence(
    altered: Callable[..., Path], tmp_path: Path
) -> None:
    folder = altered(lambda _: None)
    path = folder / "model.fp32.onnx"
    path.write_bytes(b"garbage")
    manifest = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
    manifest["files"][0]["sha256"] = sha256_of(path)
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest), encoding="utf-8")

    with pytest.raises(ModelError, match=r"^model.fp32.onnx must be an ONNX model that this runtime loads, got .*$"):
        Model.load(folder, Settings())
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"must hold manifest.json, got"):
        Model.load(tmp_path / "empty", Settings())


def test_an_output_that_the_graph_lacks_is_one_sentence(altered: Callable[..., Path]) -> None:
    def rename(manifest: dict[str, Any]) -> None:
        manifest["outputs"][1]["name"] = "shares"
        for golden in manifest["golden_requests"]:
            golden["outputs"]["shares"] = golden["outputs"].pop("probabilities")

    with pytest.raises(ModelError, match="shares"):
        Model.load(altered(rename), Settings())


def test_hooks_take_part_in_the_proof(tmp_path: Path) -> None:
    folder = small_models.save(tmp_path / "model")
    (folder / "hooks.py").write_text(
        "def postprocess(outputs):\n    return {**outputs, 'probabilities': outputs['probabilities'] + 1}\n",
        encoding="utf-8",
    )

    with pytest.raises(ModelError, match="must answer its golden requests rightly"):
        Model.load(folder, Settings())


@pytest.mark.parametrize("name", ["manifest.json", "hooks.py", "words/list.txt"])
def test_the_version_that_kept_answers_go_by_tells_every_file_that_may_change_them(tmp_path: Path, name: str) -> None:
    folder = small_models.save(tmp_path / "model")
    (folder / "words").mkdir()
    (folder / "words" / "list.txt").write_text("a")
    (folder / "hooks.py").write_text("def preprocess(inputs):\n return inputs\n")
    settings = Settings(cache_bytes=1000, max_batch_size=1)
    versions = [Model.load(folder, settings).version for _ in range(2)]

    path = folder / name
    path.write_text(path.read_text() + " \n")

    assert versions[0] == versions[1] != Model.load(folder, settings).version


def test_what_a_model_that_does_not_serve_has_opened_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    monkeypatch.setattr(OnnxCpuEngine, "close", lambda _: closed.append("engine"))
    folder = small_models.save(tmp_path / "model")
    (folder / "hooks.py").write_text("def preprocess(inputs):\n raise ValueError(inputs)\n")
    modules = {name for name in sys.modules if name.startswith("mlplatform_hooks_")}

    with pytest.raises(ModelError, match="the model must answer its golden requests, got preprocess of the model's"):
        Model.load(folder, Settings())

    assert closed == ["engine"]
    assert {name for name in sys.modules if name.startswith("mlplatform_hooks_")} == modules


def test_answers_are_the_same_bits_from_many_threads(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    model = Model.load(small_models.save(tmp_path), Settings())
    inputs = [{"x": small_models.rows(count, seed=count)} for count in range(1, 9)]
    expected = [model.run(one)["probabilities"] for one in inputs]

    with ThreadPoolExecutor(4) as pool:
        came = list(pool.map(lambda place: model.run(inputs[place % 8])["probabilities"], range(200)))

    for place, one in enumerate(came):
        np.testing.assert_array_equal(one, expected[place % 8])


@pytest.mark.parametrize("module", ["serving.container.model", "serving.quantize"])
def test_neither_container_nor_quantization_imports_cdk(module: str) -> None:
    code = f"import sys, mlplatform_cdk.{module}; sys.exit('aws_cdk' in sys.modules or 'jsii' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("grown", "expected"),
    [
        pytest.param(22_000_000, 22_000_000, id="what was measured"),
        pytest.param(-5_000_000, 13_000_000, id="others gave back more than it took"),
        pytest.param(90_000_000, 35_000_000 + 2**20, id="others grew meanwhile"),
        pytest.param(0, 22_000_000, id="the system does not say"),
    ],
)
def test_what_others_take_meanwhile_is_not_taken_for_the_models(grown: int, expected: int) -> None:
    assert memory.estimate(grown, 10_000_000) == expected


def test_a_slow_hook_does_not_make_the_measuring_of_batches_slow(tmp_path: Path) -> None:
    small_models.save(tmp_path)
    (tmp_path / "hooks.py").write_text(
        "import time\ncalls = []\ndef preprocess(inputs, context):\n"
        " calls.append(time.sleep(0.08))\n assert len(calls) < 30\n return inputs\n"
    )

    pace = Model.load(tmp_path, Settings()).pace

    assert pace.seconds >= 0.08
    assert pace.full_rows <= 3


@pytest.mark.parametrize(
    ("milliseconds", "useful"),
    [
        pytest.param({1: 10, 2: 9, 4: 8, 8: 12, 16: 12}, 4, id="slower again"),
        pytest.param({1: 10, 2: 9, 4: 8, 8: 7, 16: 6}, 64, id="ever faster"),
        pytest.param({1: 10, 2: 10, 4: 10, 8: 10, 16: 10}, 1, id="all alike"),
        pytest.param({1: 8, 2: 9, 4: 9, 8: 9, 16: 9}, 1, id="never faster"),
    ],
)
def test_batches_are_useful_up_to_where_their_rows_take_longer(
    milliseconds: dict[int, float], useful: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(pace, "perf_counter", lambda: clock[0])

    class Timed(Engine):
        def run(self, inputs: Mapping[str, Array]) -> list[Array]:
            rows = len(inputs["x"])
            clock[0] += rows * milliseconds.get(rows, 0.0) / 1024  # sums of which are exact
            return super().run(inputs)

    model = standins.Model(Timed(), most=64)
    model.golden_inputs = lambda golden: {"x": np.array(golden.inputs["x"], np.float32)}

    found = pace.measure(model)

    assert found.useful_rows == useful


@pytest.mark.only_where(platform.libc_ver()[0] == "glibc", "other libraries keep what is freed by themselves")
def test_the_memory_that_a_request_frees_is_kept_for_the_next_one() -> None:
    script = """
import resource
from mlplatform_cdk.serving.container import memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(50):
        b"".join([bytes(250_000) for _ in range(3)])
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

memory.keep_freed()
faults()
print(faults())
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert int(told.stdout) < 50


def test_batches_are_no_larger_than_those_that_the_machine_has_the_memory_for() -> None:
    class Small(Engine):
        def run(self, inputs: Mapping[str, Array]) -> list[Array]:
            if len(inputs["x"]) > 4:
                raise MemoryError
            time.sleep(0.001)
            return super().run(inputs)

    model = standins.Model(Small(), most=64)
    model.golden_inputs = lambda golden: {"x": np.array(golden.inputs["x"], np.float32)}

    assert pace._useful(model, model.golden_inputs(model.manifest.golden_requests[0]), 64, lanes=2) <= 4


@pytest.mark.parametrize(("many", "lanes"), [(False, 3), (True, 1)])
def test_the_warm_up_takes_one_core_where_other_models_may_be_answering(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, many: bool, lanes: int
) -> None:
    small_models.save(tmp_path)
    asked: list[int] = []

    def measured(_model: Model, lanes: int) -> pace.Pace:
        asked.append(lanes)
        return pace.Pace(seconds=0.001)

    monkeypatch.setattr("mlplatform_cdk.serving.container.model.measure", measured)
    Model.load(tmp_path, Settings(multi_model=many, lanes=3))

    assert asked == [lanes]
