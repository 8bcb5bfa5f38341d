"""Is an answer the same bits alone and in a batch, and does the container notice where it is not?"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME, ModelFile, read_folder, sha256_of
from mlplatform_cdk.serving.container.engines import Engine, EngineChoice, open_engine
from mlplatform_cdk.serving.container.engines.independence import examine, sizes_up_to
from mlplatform_cdk.serving.container.engines.pairs import InPairs
from mlplatform_cdk.serving.container.model import Model
from mlplatform_cdk.serving.container.settings import Settings
from mlplatform_cdk.serving.quantize.files import DynamicInt8
from tests.serving import small_models

CHOICE = EngineChoice(threads=1, lone_threads=1)


def requests(count: int) -> list[dict[str, Any]]:
    return [{"x": row[None]} for row in small_models.rows(count, seed=5)]


def ask(engine: Engine, sizes: list[int]) -> tuple[int, str]:
    seen = examine(engine.run, requests(4), sizes, alone=engine.run_alone, seconds=60)
    return seen.largest, seen.reason


@pytest.mark.parametrize("body", [small_models.perceptron, small_models.convolution])
def test_fp32_is_independent_at_every_size(tmp_path: Path, body: small_models.Body) -> None:
    folder = small_models.save(tmp_path, body)

    assert ask(open_engine(folder, read_folder(folder), CHOICE), sizes_up_to(32)) == (32, "")


def test_dynamic_int8_depends_on_its_neighbours_and_is_never_batched(tmp_path: Path) -> None:
    folder = small_models.save(tmp_path)
    manifest = read_folder(folder)
    DynamicInt8(folder / manifest.file("fp32").path, tmp_path).write(folder / "model.int8.onnx")
    file = ModelFile(
        precision="int8", path="model.int8.onnx", opset=17, sha256=sha256_of(folder / "model.int8.onnx"), tolerance=1.0
    )
    changed = replace(manifest, files=(*manifest.files, file))
    (folder / MANIFEST_NAME).write_text(changed.to_json(), encoding="utf-8")
    engine = open_engine(folder, changed, EngineChoice(precision="int8"))
    rows, outlier = requests(8), small_models.rows(1, seed=6) * np.float32(50)
    moved = [
        np.abs(engine.run(row)[1][0] - engine.run({"x": np.concatenate([row["x"], outlier])})[1][0]).max()
        for row in rows
    ]

    assert max(moved) > 0.05
    model = Model.load(folder, Settings(precision="int8"))
    assert not model.batchable
    assert model.batch_reason.endswith(" of a batch of 2 got other bits than alone")


def test_functions_whose_last_elements_differ_are_seen(tmp_path: Path) -> None:
    folder = small_models.save(tmp_path, small_models.position_dependent)

    largest, reason = ask(open_engine(folder, read_folder(folder), CHOICE), sizes_up_to(16))

    # Where the processor's Log has one form for all elements, nothing differs; then it must be proved to the end.
    assert (largest, reason) == (16, "") or "got other bits than alone" in reason


class Summing:
    """An engine whose lone row is computed otherwise, as a reduction over one row is."""

    name, precision, providers, most_rows = "fake", "fp32", ("fake",), None

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def run(self, inputs: Any) -> list[Any]:
        self.sizes.append(len(inputs["x"]))
        return [inputs["x"].sum(axis=1) + (0.001 if len(inputs["x"]) == 1 else 0.0)]

    run_alone = run

    def warm_up(self, inputs: Any) -> None:
        self.run(inputs)

    def close(self) -> None:
        self.sizes.clear()


def test_a_size_that_agreed_is_not_believed_where_a_larger_one_did_not() -> None:
    def run(inputs: Any) -> list[Any]:
        rows = inputs["x"].sum(axis=1)
        rows[2:] += np.float32(0.001)
        return [rows]

    seen = examine(run, requests(4), [2, 3], alone=run, seconds=60)

    assert (seen.largest, seen.reason) == (1, "row 2 of a batch of 3 got other bits than alone")


def test_a_lone_row_beside_its_own_copy_gets_the_bits_of_every_batch() -> None:
    engine = Summing()
    assert ask(engine, [2, 3])[0] == 1  # type: ignore[arg-type]
    engine.close()

    paired = InPairs(engine)  # type: ignore[arg-type]

    assert ask(paired, sizes_up_to(8)) == (8, "")
    assert 1 not in engine.sizes
    assert len(paired.run({"x": small_models.rows(1)})[0]) == 1


def test_a_model_whose_rows_are_fixed_is_never_batched(tmp_path: Path) -> None:
    model = Model.load(small_models.save(tmp_path, batch=1), Settings())

    assert (model.max_batch_size, model.batchable) == (1, False)
    assert model.batch_reason == "not every input and output varies by its first dimension only"


def test_the_telling_sizes_come_first_and_all_come() -> None:
    assert sizes_up_to(8) == [2, 3, 8, 4, 5, 7, 6]
    assert sizes_up_to(1) == []
    assert sorted(sizes_up_to(64)) == list(range(2, 65))


@pytest.mark.parametrize(
    ("alone", "two", "pays"),
    [
        pytest.param(4e-6, 7e-6, True, id="a tiny model, by whatever a clock says"),
        pytest.param(0.010, 0.012, True, id="little more"),
        pytest.param(0.010, 0.020, False, id="twice"),
    ],
)
def test_pairs_pay_where_two_rows_take_little_more_than_one(
    monkeypatch: pytest.MonkeyPatch, *, alone: float, two: float, pays: bool
) -> None:
    engine = Summing()
    clock = [0.0]

    def run(inputs: Any) -> list[Any]:
        clock[0] += alone if len(inputs["x"]) == 1 else two
        return []

    monkeypatch.setattr(engine, "run", run)
    monkeypatch.setattr("mlplatform_cdk.serving.container.engines.pairs.perf_counter", lambda: clock[0])

    assert InPairs.pays(engine, requests(1)[0]) is pays  # type: ignore[arg-type]
