"""Which layers stay in higher precision?"""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import pytest

from mlplatform_cdk.runtimekit.manifest import read_folder
from mlplatform_cdk.serving.quantize import search
from mlplatform_cdk.serving.quantize.files import DynamicInt8
from mlplatform_cdk.serving.quantize.search import Kept, fewest
from tests.serving import small_models

LATER = perf_counter() + 3600


def layers(count: int) -> list[Kept]:
    return [Kept(layer=f"n{one}", operator="MatMul", error=1.0 / (one + 1)) for one in range(count)]


@pytest.mark.parametrize("needed", [1, 2, 3, 5, 8, 13, 29])
def test_the_fewest_of_the_worst_are_kept(needed: int) -> None:
    tried: list[int] = []

    def fits(kept: Sequence[Kept]) -> bool:
        tried.append(len(kept))
        return len(kept) >= needed

    found = fewest(layers(30), fits, until=LATER)

    assert found == layers(30)[:needed]
    assert len(tried) <= 11


def test_a_model_that_fits_only_in_fp32_has_no_answer() -> None:
    assert fewest(layers(6), lambda _: False, until=LATER) is None


def test_without_time_the_first_that_fits_is_taken() -> None:
    found = fewest(layers(30), lambda kept: len(kept) >= 5, until=0.0)

    assert found is not None
    assert len(found) == 8


def test_a_layer_that_makes_answers_no_numbers_is_the_worst(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_models.save(tmp_path / "m")
    source = model / "model.fp32.onnx"
    errors = iter([0.1, float("nan"), 0.5])
    monkeypatch.setattr(search, "error", lambda *_: next(errors))
    rows = [{"x": small_models.rows(1)}]

    ranked = search.rank(DynamicInt8(source, tmp_path), source, rows, read_folder(model), until=float("inf"))

    assert [str(one.error) for one in ranked] == ["nan", "0.5", "0.1"]
