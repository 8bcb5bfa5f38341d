"""Does the compile job put engines where the container looks for them? With a provider that is not TensorRT's."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME, Serving, read_folder, unpack_archive
from mlplatform_cdk.runtimekit.manifest.packing import pack_folder
from mlplatform_cdk.serving.container.engines import compile as compiling
from mlplatform_cdk.serving.container.engines import machine, tensorrt
from tests.serving import small_models


class FakeTensorRt:
    """Writes a file where TensorRT's provider would write its engine, at the first run."""

    builds = True
    sizes: list[int]
    operators: ClassVar[dict[str, set[str]]] = {"TensorrtExecutionProvider": {"QuantizeLinear", "MatMul"}}

    def __init__(
        self, name: str, path: Path, precision: str, outputs: list[str], providers: Any, _choice: object
    ) -> None:
        assert (name, path.suffix, precision, outputs) == ("tensorrt", ".onnx", "fp32", ["label", "probabilities"])
        self._place = Path(providers[0][1]["trt_engine_cache_path"])
        FakeTensorRt.sizes = []

    def run(self, inputs: dict[str, np.ndarray[Any, Any]]) -> None:
        FakeTensorRt.sizes.append(len(inputs["x"]))
        if self.builds:
            (self._place / "model_sm86.engine").write_bytes(b"an engine")

    def close(self) -> None:
        assert self._place.is_dir()


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "compute_capability", lambda: "8.6")
    monkeypatch.setattr(machine, "tensorrt_version", lambda: "101300")
    monkeypatch.setattr(compiling, "GpuEngine", FakeTensorRt)
    monkeypatch.setattr(FakeTensorRt, "builds", True)
    monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(tmp_path / "ml"))
    monkeypatch.setenv("MAX_BATCH_SIZE", "16")
    inputs = tmp_path / "ml" / "processing" / "input" / "model"
    inputs.mkdir(parents=True)
    pack_folder(small_models.save(tmp_path / "m"), inputs / "model.tar.gz")
    return tmp_path


def compiled(base: Path) -> Path:
    return base / "ml" / "processing" / "output" / "compiled" / "model.tar.gz"


def test_the_engine_lies_in_the_archive_under_the_key_that_the_container_computes(base: Path) -> None:
    compiling.main()

    (base / "out").mkdir()
    manifest = unpack_archive(compiled(base), base / "out")
    key = tensorrt.engine_key(manifest, manifest.file("fp32"))
    place = base / "out" / "tensorrt" / key.name()
    assert tensorrt.shipped(base / "out", key) == place
    assert tensorrt.max_batch_size_of(place) == 16
    assert FakeTensorRt.sizes == [1, 16]


@pytest.mark.parametrize(("told", "tuned", "rows"), [("", 8, 8), ("", None, 64), ("16", 8, 16)])
def test_the_batch_size_is_the_one_told_else_the_manifests_else_64(
    base: Path, monkeypatch: pytest.MonkeyPatch, told: str, tuned: int | None, rows: int
) -> None:
    monkeypatch.setenv("MAX_BATCH_SIZE", told)
    manifest = replace(read_folder(base / "m"), serving=Serving(max_batch_size=tuned))
    (base / "m" / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
    pack_folder(base / "m", base / "ml" / "processing" / "input" / "model" / "model.tar.gz")

    compiling.main()

    assert FakeTensorRt.sizes == [1, rows]


def test_an_engine_that_is_there_is_not_built_again(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiling.main()
    shutil.copy(compiled(base), base / "ml" / "processing" / "input" / "model" / "model.tar.gz")
    FakeTensorRt.sizes = []

    compiling.main()

    assert FakeTensorRt.sizes == []


def test_an_engine_for_another_batch_size_is_built_anew_in_its_place(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiling.main()
    shutil.copy(compiled(base), base / "ml" / "processing" / "input" / "model" / "model.tar.gz")
    monkeypatch.setenv("MAX_BATCH_SIZE", "32")

    compiling.main()

    assert FakeTensorRt.sizes == [1, 32]
    (base / "out").mkdir()
    unpack_archive(compiled(base), base / "out")
    (place,) = (base / "out" / "tensorrt").iterdir()
    assert tensorrt.max_batch_size_of(place) == 32


def test_a_model_of_which_tensorrt_builds_nothing_is_an_error(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeTensorRt, "builds", False)

    with pytest.raises(KnownError, match=r"TensorRT must build an engine of model.fp32.onnx, got none"):
        compiling.main()


class RefusingInt8(FakeTensorRt):
    """Takes fp32 and raises at the first run of int8."""

    def __init__(self, name: str, path: Path, precision: str, *more: Any) -> None:
        super().__init__(name, path, "fp32", *more)
        self.precision = precision

    def run(self, inputs: dict[str, np.ndarray[Any, Any]]) -> None:
        super().run(inputs)
        if self.precision == "int8":
            raise ValueError("Non-zero zero point is not supported.")


class LeavingInt8(RefusingInt8):
    """Builds an engine of fragments: another provider rounds the activations of int8."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        if self.precision == "int8":
            self.operators = {"TensorrtExecutionProvider": {"Relu"}, "CUDAExecutionProvider": {"QuantizeLinear"}}

    def run(self, inputs: dict[str, np.ndarray[Any, Any]]) -> None:
        FakeTensorRt.run(self, inputs)


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        (RefusingInt8, "TensorRT must compute a golden request, got Non-zero zero point is not supported."),
        (
            LeavingInt8,
            "TensorRT must take the int8 ranges of model.fp32.onnx, got QuantizeLinear left to others: ",
        ),
    ],
)
def test_what_tensorrt_refuses_of_several_files_is_left_out_and_the_others_stay(
    base: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    provider: type[FakeTensorRt],
    told: str,
) -> None:
    monkeypatch.setattr(compiling, "GpuEngine", provider)
    manifest = read_folder(base / "m")
    (fp32,) = manifest.files
    both = replace(manifest, files=(replace(fp32, precision="int8", tolerance=0.1), fp32))
    (base / "m" / MANIFEST_NAME).write_text(both.to_json(), encoding="utf-8")
    pack_folder(base / "m", base / "ml" / "processing" / "input" / "model" / "model.tar.gz")

    compiling.main()

    (base / "out").mkdir()
    unpack_archive(compiled(base), base / "out")
    (place,) = (base / "out" / "tensorrt").iterdir()
    assert place.name == tensorrt.engine_key(both, fp32).name()
    (warning,) = (one for one in caplog.records if one.getMessage() == "not compiled")
    assert vars(warning)["precision"] == "int8"
    assert vars(warning)["reason"].startswith(told)


def test_a_machine_without_a_gpu_is_told(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "compute_capability", lambda: None)

    with pytest.raises(KnownError, match="a TensorRT engine needs a GPU and TensorRT, got a machine with no GPU"):
        compiling.main()


def test_equal_folders_become_equal_archives(base: Path) -> None:
    folder = base / "m"
    pack_folder(folder, base / "a.tar.gz")
    (folder / "manifest.json").touch()
    pack_folder(folder, base / "b.tar.gz")

    assert (base / "a.tar.gz").read_bytes() == (base / "b.tar.gz").read_bytes()
    assert read_folder(folder).model_name == "small"
