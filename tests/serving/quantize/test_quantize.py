"""What does quantization make, what does it refuse, and what does it tell?"""

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.manifest import Tensor, read_archive, read_folder
from mlplatform_cdk.serving.container.model import Model
from mlplatform_cdk.serving.container.settings import Settings
from mlplatform_cdk.serving.quantize import Report, Wanted, quantize
from mlplatform_cdk.serving.quantize import archive as archive_module
from mlplatform_cdk.serving.quantize.archive import beside, open_model, save_model
from tests.serving import small_models


def written(save: Callable[..., None], *args: Any) -> bytes:
    file = io.BytesIO()
    save(file, *args)
    return file.getvalue()


NPY = written(np.save, np.ones((9, 20), np.float32))
NPZ = written(lambda file: np.savez(file, x=np.ones((9, 20), np.float32)))
COMPRESSED = written(lambda file: np.savez_compressed(file, x=small_models.rows(99)))
DAMAGED = COMPRESSED[:400] + b"\xff" * 100 + COMPRESSED[500:]
FLAGS = NPZ.index(b"PK\1\2") + 8
ENCRYPTED = NPZ[:FLAGS] + b"\1" + NPZ[FLAGS + 1 :]
OPEN_ENDED = NPY.replace(b"(9, 20)", b"(9, 20 ")
ENDLESS = NPY.replace(b"(9, 20), }             ", b"(9" + b"0" * 12 + b", 20), } ")  # rows, more than any memory holds
ANY_SPEED = Wanted(tolerance=0.05, seconds=30, least_gain=1e-9)  # a small model gains nothing; here it may lose


@pytest.fixture
def data(tmp_path: Path) -> Path:
    np.savez(tmp_path / "data.npz", x=small_models.rows(64, seed=3))
    return tmp_path / "data.npz"


def run(model: Path, data: Path, wanted: Wanted, output: str = "out") -> tuple[Path, Report]:
    target = model.parent / output
    return target, quantize(model, data, target, wanted)


@pytest.mark.parametrize("body", [small_models.perceptron, small_models.convolution])
def test_the_new_model_has_both_files_and_the_container_serves_either(
    tmp_path: Path, data: Path, body: small_models.Body
) -> None:
    target, report = run(small_models.save(tmp_path / "m", body), data, ANY_SPEED)

    manifest = read_folder(target)
    assert [one.precision for one in manifest.files] == ["fp32", "int8"]
    assert report.outcomes[0].made
    for precision in ("fp32", "int8"):
        model = Model.load(target, Settings(precision=precision, max_batch_size=16))
        assert (model.engine.precision, model.max_batch_size, model.batch_reason) == (precision, 16, "")
    assert Model.load(target, Settings()).engine.precision == "int8"


def test_each_file_is_held_to_its_own_tolerance(tmp_path: Path, data: Path) -> None:
    target, report = run(small_models.save(tmp_path / "m"), data, ANY_SPEED)

    manifest = read_folder(target)
    fp32, int8 = manifest.files
    assert fp32.tolerance == pytest.approx(1e-5)
    assert int8.tolerance == report.outcomes[0].tolerance > 1e-4
    assert {one.absolute_tolerance for one in manifest.golden_requests} == {int8.tolerance}


def test_int8_that_does_not_pay_is_refused_and_the_model_stays_as_it_was(tmp_path: Path, data: Path) -> None:
    target, report = run(small_models.save(tmp_path / "m"), data, Wanted(least_gain=1000))

    assert [one.precision for one in read_folder(target).files] == ["fp32"]
    assert read_folder(target).serving is None
    assert not report.outcomes[0].made
    assert report.outcomes[0].reason.endswith("less than the 1000 times asked for; so it stays fp32")


def test_layers_that_int8_would_ruin_stay_in_fp32_and_the_report_names_them(tmp_path: Path, data: Path) -> None:
    model = small_models.save(tmp_path / "m", small_models.fragile)

    _, report = run(model, data, Wanted(tolerance=0.1, seconds=60, least_gain=1e-9))

    outcome = report.outcomes[0]
    assert outcome.made
    assert 0 < len(outcome.kept) < outcome.layers
    assert outcome.kept[0].error is not None
    assert f"    {outcome.kept[0].layer} ({outcome.kept[0].operator}): alone in int8" in "\n".join(report.lines())


def test_a_model_that_never_batches_gets_scales_of_each_request(tmp_path: Path, data: Path) -> None:
    _, report = run(small_models.save(tmp_path / "m", batch=1), data, ANY_SPEED)

    assert (report.outcomes[0].method, report.outcomes[0].made) == ("dynamic", True)
    assert report.outcomes[0].largest_batch == 1
    assert "ask one row a request" in "\n".join(report.lines())


def test_fp16_is_made_for_gpus_beside_the_rest(tmp_path: Path, data: Path) -> None:
    wanted = Wanted(precisions=("int8", "fp16"), tolerance=0.05, least_gain=1e-9)

    target, report = run(small_models.save(tmp_path / "m"), data, wanted)

    assert [one.precision for one in read_folder(target).files] == ["fp32", "int8", "fp16"]
    assert "its speed was not measured" in report.outcomes[1].reason


def test_equal_models_become_equal_archives_with_the_report_inside(tmp_path: Path, data: Path) -> None:
    model = small_models.save(tmp_path / "m")
    save_model(model, read_folder(model), tmp_path / "model.tar.gz")
    first, report = run(tmp_path / "model.tar.gz", data, Wanted(least_gain=1000), "a.tar.gz")
    second = tmp_path / "b.tar.gz"
    save_model(model, read_folder(model), second)

    with tarfile.open(first) as archive:
        inside = archive.extractfile("quantization.json")
        assert inside
        assert json.loads(inside.read()) == json.loads(report.to_json())
    assert read_archive(first).model_name == "small"
    assert second.read_bytes() == (tmp_path / "model.tar.gz").read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("data.txt", b"", "the calibration data must be a .npz, .npy or .csv file or a dataset's folder, got "),
        ("data.npz", b"no zip", "the calibration data in data.npz must be rows of the model, but "),
        ("data.npz", b"", "the calibration data in data.npz must be rows of the model, but "),
        ("data.npy", b"", "the calibration data in data.npy must be rows of the model, but "),
        ("data.npz", NPY, "the calibration data in data.npz must be rows of the model, but it is a .npy file by "),
        ("data.npy", NPZ, "the calibration data in data.npy must be rows of the model, but it is a .npz file by "),
        ("data.npz", ENCRYPTED, "the calibration data in data.npz must be rows of the model, but File 'x.npy' is "),
        ("data.npy", OPEN_ENDED, "the calibration data in data.npy must be rows of the model, but "),
        ("data.npy", ENDLESS, "the calibration data in data.npy must be rows of the model, but "),
        ("data.npz", DAMAGED, "the calibration data in data.npz must be rows of the model, but "),
        (
            "data.csv",
            b"a,b\n1,2\n",
            "the calibration data in data.csv must be rows of the model, but its header lacks ",
        ),
    ],
)
def test_data_that_is_none_is_told_in_one_sentence(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(KnownError) as caught:
        run(small_models.save(tmp_path / "m"), tmp_path / name, Wanted())

    assert str(caught.value).startswith(sentence)


def test_a_row_with_a_cell_too_few_or_too_many_is_named(tmp_path: Path) -> None:
    columns = [f"c{number}" for number in range(small_models.WIDTH)]
    model = small_models.save(
        tmp_path / "m", inputs=(Tensor(name="x", dtype="float32", shape=("batch", 20), columns=tuple(columns)),)
    )
    good = [",".join("1" * 20)] * 9
    for wrong, cells in ((",".join("1" * 19), 19), (",".join("1" * 21), 21)):
        (tmp_path / "data.csv").write_text("\n".join([",".join(columns), *good, wrong]))
        with pytest.raises(KnownError, match=f"but its row 10 has {cells} cells and its header 20"):
            run(model, tmp_path / "data.csv", Wanted())


def test_neither_the_model_nor_the_data_are_written_over(tmp_path: Path, data: Path) -> None:
    folder = small_models.save(tmp_path / "m")
    archive = tmp_path / "model.tar.gz"
    save_model(folder, read_folder(folder), archive)
    before = archive.read_bytes()

    with pytest.raises(KnownError, match="the output must lie outside the model and the data, got "):
        quantize(archive, data, tmp_path / "." / "m" / ".." / "model.tar.gz", Wanted())
    assert archive.read_bytes() == before


def test_an_archive_of_before_stays_whole_where_the_new_one_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = small_models.save(tmp_path / "m")
    (tmp_path / "out.tar.gz").write_bytes(b"the one before")

    def full(_folder: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(archive_module, "pack_folder", full)
    with pytest.raises(OSError, match="no space left"):
        save_model(folder, read_folder(folder), tmp_path / "out.tar.gz")

    assert (tmp_path / "out.tar.gz").read_bytes() == b"the one before"
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["out.tar.gz"]


def test_a_model_that_nobody_may_write_to_is_copied_into_a_folder_that_one_may(tmp_path: Path) -> None:
    model = small_models.save(tmp_path / "m")
    (model / "words").mkdir()
    (model / "words" / "list.txt").write_text("a")
    paths = [*model.rglob("*"), model]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)

    open_model(model, tmp_path / "copy")

    for path in paths:
        path.chmod(0o755)  # so that the folder can be cleared away
    assert all(path.stat().st_mode & 0o200 for path in (tmp_path / "copy", *(tmp_path / "copy").rglob("*")))


def test_beside_a_folder_without_a_name_of_its_own_is_beside_where_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.chdir(tmp_path / "model")

    assert beside(Path(), "quantized") == tmp_path.resolve() / "model.quantized"
    assert beside(Path(".."), "quantized") == tmp_path.resolve().with_name(f"{tmp_path.name}.quantized")


def test_too_few_rows_and_rows_of_another_width_are_refused(tmp_path: Path) -> None:
    model = small_models.save(tmp_path / "m")
    np.save(tmp_path / "few.npy", small_models.rows(7))
    np.save(tmp_path / "wide.npy", np.zeros((20, 21), np.float32))

    with pytest.raises(KnownError, match=r"few.npy must hold at least 8 rows, as many of each, got 7 of x"):
        run(model, tmp_path / "few.npy", Wanted())
    with pytest.raises(KnownError, match=r"x in wide.npy must have the shape \['batch', 20\], got \[20, 21\]"):
        run(model, tmp_path / "wide.npy", Wanted())


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        pytest.param({"x": np.float32(3)}, "must have the shape", id="no rows at all"),
        pytest.param({"x": np.full((9, 20), "a")}, "must hold numbers that fit float32, got <U1", id="texts"),
        pytest.param({"x": np.ones((9, 20), complex)}, "must hold numbers that fit float32", id="complex numbers"),
        pytest.param({"x": np.ones((9, 20)), "label": np.full(9, 3)}, "a label is none of", id="a class too many"),
        pytest.param({"x": np.ones((9, 20)), "label": np.full(9, -1)}, "a label is none of", id="a class below 0"),
        pytest.param({"x": np.ones((9, 20)), "label": np.full(9, 1.5)}, "a label is none of", id="half a class"),
        pytest.param({"x": np.ones((9, 20)), "label": np.full(9, np.inf)}, "a label is none of", id="no class"),
        pytest.param({"x": np.ones((9, 20)), "label": np.zeros(8, int)}, "got 9 of x, 8 of label", id="labels lacking"),
    ],
)
def test_data_that_are_no_rows_of_the_model_are_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], sentence: str
) -> None:
    model = small_models.save(tmp_path / "m")
    np.savez(tmp_path / "wrong.npz", **arrays)  # type: ignore[arg-type]

    with pytest.raises(KnownError, match=sentence):
        run(model, tmp_path / "wrong.npz", Wanted())


def test_rows_with_missing_numbers_are_left_out_of_the_ranges(tmp_path: Path) -> None:
    rows = small_models.rows(64)
    rows[:32:2, 3] = np.nan
    np.save(tmp_path / "some.npy", rows)
    rows[:, 3] = np.nan
    np.save(tmp_path / "all.npy", rows)

    _, some = run(small_models.save(tmp_path / "m"), tmp_path / "some.npy", ANY_SPEED)
    _, none = run(tmp_path / "m", tmp_path / "all.npy", ANY_SPEED, "out2")

    assert (some.rows_calibrated, some.outcomes[0].made) == (16, True)
    assert (none.rows_calibrated, none.outcomes[0].made) == (0, False)
    assert "has a missing or infinite number" in none.outcomes[0].reason


def test_what_the_tools_cannot_quantize_stays_fp32_and_the_report_says_why(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("scale issue")

    monkeypatch.setattr("onnxruntime.quantization.quantize_static", fail)

    target, report = run(small_models.save(tmp_path / "m"), data, ANY_SPEED)

    assert [one.precision for one in read_folder(target).files] == ["fp32"]
    sentence = "the tools could not quantize model.fp32.onnx: scale issue; so it stays fp32"
    assert (report.outcomes[0].made, report.outcomes[0].reason) == (False, sentence)


def test_int8_that_was_faster_on_a_cpu_does_not_bind_a_gpu(tmp_path: Path, data: Path) -> None:
    target, _ = run(small_models.save(tmp_path / "m"), data, ANY_SPEED)

    serving = read_folder(target).serving
    assert serving
    assert (serving.precision, serving.engine) == ("int8", "onnxruntime")
