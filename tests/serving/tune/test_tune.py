"""Does tuning end with a model that says how it is served, and did it ask a real container?"""

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME, read_folder
from mlplatform_cdk.serving.container.codecs import Codec
from mlplatform_cdk.serving.container.limits import Limits
from mlplatform_cdk.serving.container.model import Model
from mlplatform_cdk.serving.container.settings import Settings
from mlplatform_cdk.serving.tune import TuneError, compute, tune
from mlplatform_cdk.serving.tune.served import question
from tests.serving import small_models
from tests.serving.container.standins import Array, Engine


@pytest.fixture(autouse=True)
def _on_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "signs_of_gpu", lambda: "")
    monkeypatch.setenv("NVIDIA_VISIBLE_DEVICES", "none")


def test_without_time_the_first_engine_is_measured_and_the_rest_is_told(tmp_path: Path) -> None:
    heard: list[str] = []

    tuning = tune(small_models.save(tmp_path / "m"), tmp_path / "out", seconds=0, progress=heard.append)

    serving = read_folder(tmp_path / "out").serving
    assert serving == tuning.serving
    assert (tuning.serving.engine, tuning.serving.precision, tuning.serving.processes) == ("onnxruntime", "fp32", 1)
    assert len(tuning.served) == 1
    assert tuning.served[0].requests_per_second > 0
    assert any("openvino fp32" in one and "no time was left" in one for one in tuning.skipped)
    assert len(set(tuning.skipped)) == len(tuning.skipped)
    assert heard[0].startswith("timing onnxruntime fp32")
    assert Model.load(tmp_path / "out", Settings()).max_batch_size == tuning.serving.max_batch_size


def test_rows_that_depend_on_their_neighbours_are_not_timed_in_batches(tmp_path: Path) -> None:
    tuning = tune(small_models.save(tmp_path / "m", batch=1), tmp_path / "out", seconds=0)

    assert {one.batch for one in tuning.computed} == {1}
    assert tuning.serving.max_batch_size == 1


def test_an_engine_is_timed_in_batches_that_it_was_compiled_for_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Compiled(Engine):
        most_rows = 4

        def run(self, inputs: Mapping[str, Array]) -> list[Array]:
            time.sleep(0.001)
            return super().run(inputs)

    opened = Compiled()
    monkeypatch.setattr(compute, "open_engine", lambda *_: opened)
    monkeypatch.setattr(opened, "close", lambda: None, raising=False)
    monkeypatch.setattr(compute, "candidates", lambda _: [("tensorrt", "fp32")])
    folder = small_models.save(tmp_path / "m")

    timed = list(compute.trials(folder, read_folder(folder), until=0, progress=lambda _: None, skipped=[]))

    assert {one.batch for one in timed} == {1, 2, 4}


def test_hooks_may_print_and_streams_are_read_to_their_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CACHE_BYTES", "1000000")  # of the caller's own: answers from it would be no measure
    folder = small_models.save(tmp_path / "m")
    manifest = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
    manifest["serving"] = {"streaming": True}
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest), encoding="utf-8")
    asked = tmp_path / "asked"
    (folder / "hooks.py").write_text(
        "def preprocess(inputs):\n print('x' * 10_000)\n return inputs\n"
        f"def stream(outputs):\n open({str(asked)!r}, 'a').write('.')\n yield b'a'\n yield b'b' * 1000\n"
    )

    tuning = tune(folder, tmp_path / "out", seconds=0)

    assert tuning.served[0].requests_per_second > 0
    assert len(asked.read_text()) > 50  # each was computed


@pytest.mark.parametrize("kind", ["application/json", "application/x-npy", "application/x-npz"])
def test_a_model_is_asked_in_a_format_that_it_takes(tmp_path: Path, kind: str) -> None:
    folder = small_models.save(tmp_path / "m")
    manifest = replace(read_folder(folder), content_types=("text/csv", kind))

    content_type, asked = question(manifest)

    assert content_type == kind
    rows = Codec(manifest, Limits()).decode(asked, kind)["x"]
    assert rows.tolist() == np.array(manifest.golden_requests[0].inputs["x"], np.float32).tolist()


def test_a_model_that_cannot_be_asked_is_refused_before_the_work(tmp_path: Path) -> None:
    folder = small_models.save(tmp_path / "m")
    manifest = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
    manifest["content_types"] = ["image/jpeg"]
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest), encoding="utf-8")
    heard: list[str] = []

    with pytest.raises(TuneError, match=r"must take JSON, or npy or npz for numbers, .* got image/jpeg"):
        tune(folder, tmp_path / "out", progress=heard.append)
    assert heard == []


def test_a_model_that_its_container_refuses_ends_with_the_containers_reason(tmp_path: Path) -> None:
    folder = small_models.save(tmp_path / "m")
    manifest = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
    manifest["golden_requests"][0]["outputs"]["label"] = [9]
    (folder / MANIFEST_NAME).write_text(json.dumps(manifest), encoding="utf-8")

    with pytest.raises(TuneError, match="must serve the model, got: the model must answer its golden requests rightly"):
        tune(folder, tmp_path / "out", seconds=0)

    assert not (tmp_path / "out").exists()
