"""Which engine computes, and what does a machine that lacks it say?"""

import ctypes
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from mlplatform_cdk.runtimekit.manifest import GoldenRequest, ModelFile, Serving, read_folder
from mlplatform_cdk.serving.container.chosen import chosen_engine
from mlplatform_cdk.serving.container.engines import (
    EngineChoice,
    ModelError,
    gpu,
    machine,
    onnx_cpu,
    open_engine,
    opening,
    tensorrt,
)
from mlplatform_cdk.serving.container.engines.runtime import computing, open_session
from mlplatform_cdk.serving.container.model import Model
from mlplatform_cdk.serving.container.settings import Settings
from tests.serving import small_models

GPU_PROVIDERS = ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider")


class FakeSession:
    """What ONNX Runtime would give on a GPU: no GPU is at hand where these tests run."""

    providers: ClassVar[list[str]] = []
    opened: ClassVar[list[tuple[Path, Any]]] = []
    left: ClassVar[list[tuple[str, str, str]]] = []
    uses_gpu: ClassVar[int] = 1
    bound: ClassVar[list[int]] = []

    def __init__(self, path: Path, _threads: int, providers: Any, **_: Any) -> None:
        self.opened.append((path, providers))

    def get_providers(self) -> list[str]:
        return self.providers

    def io_binding(self) -> "FakeSession":
        return self

    def bind_cpu_input(self, _name: str, array: np.ndarray[Any, Any]) -> None:
        self.bound.append(len(array))
        self.input = array

    def bind_output(self, _name: str, device: str) -> None:
        assert device == "cuda"

    def run_with_iobinding(self, _binding: Any) -> None:
        self.output = self.input * 2

    def copy_outputs_to_cpu(self) -> list[Any]:
        return [self.output]

    def get_provider_graph_assignment_info(self) -> list[Any]:
        return [
            SimpleNamespace(ep_name=provider, get_nodes=partial(list, [SimpleNamespace(domain=domain, op_type=kind)]))
            for provider, domain, kind in (*self.left, *([("CUDAExecutionProvider", "", "Cast")] * self.uses_gpu))
        ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_models.save(tmp_path / "model")


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def run(
        *, sign: str = "/dev/nvidia0", available: tuple[str, ...] = GPU_PROVIDERS, loaded: tuple[str, ...] | None = None
    ) -> None:
        monkeypatch.setattr(machine, "signs_of_gpu", lambda: sign)
        monkeypatch.setattr(opening, "available_providers", lambda: available)
        monkeypatch.setattr(machine, "compute_capability", lambda: "8.6")
        monkeypatch.setattr(machine, "tensorrt_version", lambda: "100900")
        monkeypatch.setattr(gpu, "open_session", FakeSession)
        monkeypatch.setattr(FakeSession, "providers", list(loaded or available))
        FakeSession.opened.clear()
        FakeSession.bound.clear()

    return run


def test_a_machine_without_a_gpu_computes_on_onnx_runtimes_cpu(folder: Path, on_gpu: Callable[..., None]) -> None:
    on_gpu(sign="")

    engine = open_engine(folder, read_folder(folder), EngineChoice())

    assert (engine.name, engine.precision, engine.providers) == ("onnxruntime", "fp32", ("CPUExecutionProvider",))


def test_a_gpu_machine_without_cuda_is_an_error_unless_allowed(folder: Path, on_gpu: Callable[..., None]) -> None:
    on_gpu(available=("CPUExecutionProvider",))

    with pytest.raises(ModelError) as caught:
        open_engine(folder, read_folder(folder), EngineChoice())

    assert str(caught.value) == (
        "a machine with a GPU (/dev/nvidia0) must serve on it, got an ONNX Runtime without CUDA; set ALLOW_CPU=true to "
        "serve on the CPU"
    )
    assert open_engine(folder, read_folder(folder), EngineChoice(allow_cpu=True)).name == "onnxruntime"


def test_the_cpu_engine_on_a_gpu_machine_must_be_allowed_too(folder: Path, on_gpu: Callable[..., None]) -> None:
    on_gpu()

    with pytest.raises(ModelError, match="must serve on it, got the engine onnxruntime"):
        open_engine(folder, read_folder(folder), EngineChoice(engine="onnxruntime"))


def test_a_provider_that_onnx_runtime_leaves_out_in_silence_is_an_error(
    folder: Path, on_gpu: Callable[..., None]
) -> None:
    on_gpu(loaded=("CPUExecutionProvider",))

    with pytest.raises(ModelError, match="must run on CUDAExecutionProvider, got a session on CPUExecutionProvider"):
        open_engine(folder, read_folder(folder), EngineChoice())


@pytest.mark.parametrize(
    ("left", "uses_gpu", "told"),
    [
        pytest.param(("ai.onnx.ml", "TreeEnsembleClassifier"), 1, "ai.onnx.ml.TreeEnsembleClassifier", id="trees"),
        pytest.param(("", "Conv"), 1, "Conv", id="a convolution"),
        pytest.param(("", "MatMulInteger"), 1, "MatMulInteger", id="a product in int8"),
        pytest.param(
            ("com.microsoft", "DynamicQuantizeMatMul"), 1, "com.microsoft.DynamicQuantizeMatMul", id="dynamic int8"
        ),
        pytest.param(
            ("com.microsoft", "FusedConv"), 1, "com.microsoft.FusedConv", id="a convolution and its activation"
        ),
        pytest.param(("", "Shape"), 0, "Shape", id="all of it"),
    ],
)
def test_a_model_that_cuda_leaves_to_the_cpu_is_an_error_unless_allowed(
    folder: Path,
    on_gpu: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    left: tuple[str, str],
    uses_gpu: int,
    told: str,
) -> None:
    on_gpu()
    monkeypatch.setattr(FakeSession, "left", [("CPUExecutionProvider", *left)])
    monkeypatch.setattr(FakeSession, "uses_gpu", uses_gpu)

    with pytest.raises(ModelError, match=f"a model that the GPU computes, got {told} left to the CPU; serve it on"):
        open_engine(folder, read_folder(folder), EngineChoice())

    assert open_engine(folder, read_folder(folder), EngineChoice(allow_cpu=True)).name == "cuda"


def test_the_arithmetic_of_shapes_may_stay_on_the_cpu(
    folder: Path, on_gpu: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_gpu()
    monkeypatch.setattr(FakeSession, "left", [("CPUExecutionProvider", "", "Shape")])

    assert open_engine(folder, read_folder(folder), EngineChoice()).name == "cuda"


def test_a_session_tells_which_provider_computes_what(folder: Path) -> None:
    session = open_session(folder / "model.fp32.onnx", 1, (("CPUExecutionProvider", {}),))

    assert set(computing(session)) == {"CPUExecutionProvider"}
    assert {"MatMul", "Softmax"} <= computing(session)["CPUExecutionProvider"]


@pytest.mark.parametrize("spinning", [False, True])
def test_threads_stay_awake_between_the_steps_of_a_call_only_where_they_should_and_never_after_it(
    folder: Path, *, spinning: bool
) -> None:
    session = open_session(folder / "model.fp32.onnx", 2, (("CPUExecutionProvider", {}),), spinning=spinning)

    told = session.get_session_options().get_session_config_entry

    assert told("session.intra_op.allow_spinning") == str(int(spinning))
    assert told("session.force_spinning_stop") == "1"


def test_a_gpu_that_is_wanted_and_not_there_is_an_error(folder: Path, on_gpu: Callable[..., None]) -> None:
    on_gpu(sign="")

    with pytest.raises(ModelError, match="the engine cuda needs an NVIDIA GPU and onnxruntime-gpu, got a machine with"):
        open_engine(folder, read_folder(folder), EngineChoice(engine="cuda"))


def ship(folder: Path, rows: int, **other: str) -> Path:
    """An engine of the model in ``folder`` for ``rows`` rows on this machine, or on one that differs by ``other``."""
    manifest = read_folder(folder)
    key = replace(tensorrt.engine_key(manifest, manifest.file("fp32")), **other)
    place = folder / "tensorrt" / key.name()
    place.mkdir(parents=True)
    (place / "model.engine").write_bytes(b"an engine")
    tensorrt.describe(place, key, rows)
    return place


def test_tensorrt_loads_the_engine_that_was_shipped_and_cuda_computes_where_none_was(
    folder: Path, on_gpu: Callable[..., None]
) -> None:
    on_gpu()
    manifest = read_folder(folder)
    assert open_engine(folder, manifest, EngineChoice()).name == "cuda"
    place = ship(folder, 64)

    engine = open_engine(folder, manifest, EngineChoice())

    assert engine.name == "tensorrt"
    options = FakeSession.opened[-1][1][0][1]
    assert options["trt_engine_cache_path"] == str(place)
    assert options["trt_profile_max_shapes"] == "x:64x20"
    assert open_engine(folder, manifest, EngineChoice(engine="cuda")).name == "cuda"


@pytest.mark.parametrize("rows", [8, 32, 128])
def test_an_engine_serves_whatever_batch_size_it_was_compiled_for(
    folder: Path, on_gpu: Callable[..., None], rows: int
) -> None:
    on_gpu()
    ship(folder, rows)

    engine = open_engine(folder, read_folder(folder), EngineChoice(engine="tensorrt", max_batch_size=64))

    assert (engine.name, engine.most_rows) == ("tensorrt", rows)
    assert FakeSession.opened[-1][1][0][1]["trt_profile_max_shapes"] == f"x:{rows}x20"


def test_more_rows_than_an_engine_was_compiled_for_are_computed_in_parts(
    folder: Path, on_gpu: Callable[..., None]
) -> None:
    on_gpu()
    ship(folder, 8)
    engine = open_engine(folder, read_folder(folder), EngineChoice())
    rows = np.arange(20, dtype=np.float32).reshape(20, 1)

    (doubled,) = engine.run({"x": rows})

    assert FakeSession.bound == [8, 8, 4]
    assert doubled.tolist() == (rows * 2).tolist()


def test_the_container_batches_no_more_rows_than_its_engine_computes_at_once(
    folder: Path, on_gpu: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_gpu()
    ship(folder, 8)
    cpu = opening.OnnxCpuEngine(folder / "model.fp32.onnx", "fp32", ["label", "probabilities"], EngineChoice())
    monkeypatch.setattr(gpu.GpuEngine, "_run", lambda _self, inputs: cpu.run(inputs))

    model = Model.load(folder, Settings(max_batch_size=64))

    assert (model.engine.name, model.max_batch_size) == ("tensorrt", 8)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        pytest.param({"tensorrt": "90000"}, "sm86-fp32-", id="another version"),
        pytest.param({"compute_capability": "7.5"}, "sm75-fp32-", id="another GPU"),
    ],
)
def test_engines_that_do_not_fit_are_never_left_out_in_silence(
    folder: Path, on_gpu: Callable[..., None], monkeypatch: pytest.MonkeyPatch, other: dict[str, str], told: str
) -> None:
    on_gpu()
    place = ship(folder, 64, **other)
    heard: list[dict[str, str]] = []
    monkeypatch.setattr(opening._log, "warning", lambda _message, extra: heard.append(extra))

    assert open_engine(folder, read_folder(folder), EngineChoice()).name == "cuda"

    (said,) = heard
    ((name, value),) = other.items()
    assert place.name.startswith(told)
    assert said["found"].startswith(f"{place.name}, which is for {name} {value} and not ")
    assert said["needed"].endswith(", made by the compile job with this image on this instance type")


def test_engines_in_an_image_without_tensorrt_are_never_left_out_in_silence(
    folder: Path, on_gpu: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_gpu()
    place = ship(folder, 64)
    monkeypatch.setattr(machine, "tensorrt_version", lambda: None)
    heard: list[dict[str, str]] = []
    monkeypatch.setattr(opening._log, "warning", lambda _message, extra: heard.append(extra))

    assert open_engine(folder, read_folder(folder), EngineChoice()).name == "cuda"

    needed = "TensorRT in the image, which needs a base_image that has it"
    assert heard == [{"needed": needed, "found": place.name}]


def test_tensorrt_that_is_asked_for_without_an_engine_names_the_one_it_needs(
    folder: Path, on_gpu: Callable[..., None]
) -> None:
    on_gpu()

    with pytest.raises(
        ModelError, match=r"an engine compiled for this model and machine \(tensorrt/sm86-fp32-.* none in"
    ):
        open_engine(folder, read_folder(folder), EngineChoice(engine="tensorrt"))


def test_every_part_of_the_key_names_another_engine() -> None:
    fields = dict.fromkeys(("model_sha256", "runtime", "tensorrt", "inputs"), "1")
    key = tensorrt.EngineKey(**fields, precision="fp32", compute_capability="8.6")
    others = [{name: "2"} for name in fields] + [{"precision": "int8"}, {"compute_capability": "9.0"}]
    base = {**fields, "precision": "fp32", "compute_capability": "8.6"}

    names = {key.name(), *(tensorrt.EngineKey(**{**base, **other}).name() for other in others)}

    assert len(names) == 1 + len(others)
    assert key.name().startswith("sm86-fp32-")


def test_a_shape_that_varies_beyond_the_batch_has_no_engine(folder: Path) -> None:
    manifest = read_folder(folder)
    changed = manifest.inputs[0].__class__(name="x", dtype="float32", shape=("batch", "length"))

    with pytest.raises(ModelError, match="needs inputs that vary by batch only, got x"):
        tensorrt.shape_profile(
            replace(
                manifest,
                inputs=(changed,),
                golden_requests=(GoldenRequest(name="g", inputs={"x": [[1.0]]}, outputs={"label": [0]}),),
            ),
            8,
        )


def test_the_tuning_in_the_manifest_counts_on_the_kind_of_machine_it_was_made_on(
    folder: Path, on_gpu: Callable[..., None]
) -> None:
    manifest = read_folder(folder)
    fp32 = manifest.file("fp32")
    files = (
        fp32,
        *(ModelFile(precision=one, path=fp32.path, opset=17, sha256=fp32.sha256) for one in ("int8", "fp16")),
    )
    tuned = replace(manifest, files=files, serving=Serving(precision="int8", engine="onnxruntime"))

    on_gpu(sign="")
    assert open_engine(folder, tuned, EngineChoice()).precision == "int8"
    assert open_engine(folder, tuned, EngineChoice(precision="fp32")).precision == "fp32"
    on_gpu()
    assert open_engine(folder, tuned, EngineChoice()).precision == "fp16"


def test_a_precision_that_the_archive_lacks_is_told(folder: Path, on_gpu: Callable[..., None]) -> None:
    on_gpu(sign="")

    with pytest.raises(ModelError, match="the model must have a file of precision int8, got fp32"):
        open_engine(folder, read_folder(folder), EngineChoice(precision="int8"))


@pytest.mark.parametrize("wrong", [{"engine": "gpu"}, {"precision": "int4"}])
def test_what_no_engine_is_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ModelError, match="must be auto, "):
        EngineChoice(**wrong)


def test_the_environment_comes_before_the_manifest(folder: Path) -> None:
    manifest = replace(read_folder(folder), serving=Serving(max_batch_size=8, lanes=3, processes=2))

    tuned = chosen_engine(Settings(), manifest)
    told = chosen_engine(Settings(lanes=1, max_batch_size=4, engine="openvino", precision="int8"), manifest)

    assert (tuned.lanes, tuned.max_batch_size, tuned.engine, tuned.lone_threads) == (3, 8, "auto", 1)
    assert (told.lanes, told.max_batch_size, told.engine, told.precision) == (1, 4, "openvino", "int8")


def test_lanes_that_were_tuned_share_all_cores(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlplatform_cdk.serving.container.chosen.usable_cores", lambda: 8)
    manifest = replace(read_folder(folder), serving=Serving(lanes=1))
    several = replace(manifest, serving=Serving(lanes=1, processes=8))

    assert chosen_engine(Settings(), manifest).threads == 8
    assert chosen_engine(Settings(threads=2), manifest).threads == 2
    assert chosen_engine(Settings(lanes=1), manifest).threads == 1
    assert chosen_engine(Settings(), several).threads == 1


@pytest.mark.parametrize(
    ("milliseconds", "kept"),
    [
        pytest.param([5] * 5, True, id="faster"),
        pytest.param([8] * 20 + [5], True, id="faster, once the machine lets it"),
        pytest.param([7.5] * 100, False, id="hardly faster"),
        pytest.param([9] * 100, False, id="slower"),
    ],
)
def test_a_lone_request_gets_all_cores_where_that_is_once_seen_to_be_faster(
    milliseconds: list[float], monkeypatch: pytest.MonkeyPatch, *, kept: bool
) -> None:
    clock, left = [0.0], iter(milliseconds)

    def runner(threads: int) -> Callable[..., list[int]]:
        def run(*_: Any) -> list[int]:
            clock[0] += (8.0 if threads == 1 else next(left)) / 1000
            return [threads]

        return run

    monkeypatch.setattr(onnx_cpu, "open_session", lambda _path, threads, _providers, **_: threads)
    monkeypatch.setattr(onnx_cpu, "runner", runner)
    monkeypatch.setattr(onnx_cpu, "perf_counter", lambda: clock[0])
    engine = onnx_cpu.OnnxCpuEngine(Path("model.onnx"), "fp32", ["y"], EngineChoice(threads=1, lone_threads=4))

    engine.warm_up({})

    assert clock[0] < 1.0
    assert bool(list(left)) is (len(milliseconds) == 100)
    left = iter(milliseconds)
    assert engine.run_alone({}) == [4 if kept else 1]


def test_a_gpu_shows_by_its_device_or_by_the_container_runtimes_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NVIDIA_VISIBLE_DEVICES", raising=False)
    (tmp_path / "dev").mkdir()
    assert machine.signs_of_gpu(tmp_path) == ""
    for nothing in ("", "void", "none"):
        monkeypatch.setenv("NVIDIA_VISIBLE_DEVICES", nothing)
        assert machine.signs_of_gpu(tmp_path) == ""
    monkeypatch.setenv("NVIDIA_VISIBLE_DEVICES", "all")
    assert machine.signs_of_gpu(tmp_path) == "NVIDIA_VISIBLE_DEVICES=all"
    (tmp_path / "dev" / "nvidiactl").touch()
    (tmp_path / "dev" / "nvidia0").touch()
    assert machine.signs_of_gpu(tmp_path) == "/dev/nvidia0"


@pytest.mark.parametrize(
    ("driver", "loads"),
    [
        ("NVIDIA UNIX x86_64 Kernel Module  535.183.01  Sun May 12 19:39:15 UTC 2024", 2),
        ("NVIDIA UNIX Open Kernel Module for x86_64  570.86.10  Release Build", 2),
        ("NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build", 0),
        ("NVIDIA UNIX x86_64 Kernel Module  610.10.01  Release Build", 0),
    ],
)
def test_the_driver_that_the_image_brings_is_loaded_where_the_machines_own_is_an_older_release(
    driver: str, loads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, told, calls = tmp_path / "usr/local/cuda/compat", tmp_path / "proc/driver/nvidia/version", []
    for folder in (place, told.parent):
        folder.mkdir(parents=True)
    (place / "libcuda.so.580.95.05").touch()
    (place / "libnvidia-ptxjitcompiler.so.1").touch()
    (place / "libcuda.so.1").symlink_to("libcuda.so.580.95.05")
    monkeypatch.setattr(ctypes, "CDLL", lambda name, mode: calls.append((name, mode)))

    machine.load_driver(tmp_path)
    told.write_text(f"NVRM version: {driver}\nGCC version:  gcc version 12.2.0\n")
    machine.load_driver(tmp_path)

    found = ("libnvidia-ptxjitcompiler.so.1", "libcuda.so.1")
    assert calls == [(str(place / name), ctypes.RTLD_GLOBAL) for name in found[:loads]]


def test_openvino_answers_like_onnx_runtime_from_several_threads(folder: Path, on_gpu: Callable[..., None]) -> None:
    pytest.importorskip("openvino")
    from concurrent.futures import ThreadPoolExecutor

    on_gpu(sign="")
    manifest = read_folder(folder)
    engines = [open_engine(folder, manifest, EngineChoice(engine=one)) for one in ("onnxruntime", "openvino")]
    batches = [{"x": small_models.rows(count, seed=count)} for count in (1, 2, 5, 16)]

    with ThreadPoolExecutor(4) as pool:
        came = list(pool.map(engines[1].run, batches * 4))

    for place, one in enumerate(came):
        expected = engines[0].run(batches[place % 4])
        np.testing.assert_array_equal(one[0], expected[0])
        np.testing.assert_allclose(one[1], expected[1], atol=1e-5)


ANSWERS_AT_ONCE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
import numpy as np
from mlplatform_cdk.runtimekit.manifest import read_folder
from mlplatform_cdk.serving.container.engines import EngineChoice, open_engine

folder = Path(sys.argv[1])
engine = open_engine(folder, read_folder(folder), EngineChoice(engine="openvino", allow_cpu=True))
start = Barrier(8)

def rows_answered(_):
    start.wait()
    return len(engine.run({"x": np.zeros((2, int(sys.argv[2])), np.float32)})[0])

sys.setswitchinterval(1e-6)
with ThreadPoolExecutor(8) as pool:
    print(*pool.map(rows_answered, range(8)))
"""


def test_openvino_does_not_freeze_where_its_first_requests_come_together(folder: Path) -> None:
    pytest.importorskip("openvino")

    command = [sys.executable, "-c", ANSWERS_AT_ONCE, folder, str(small_models.WIDTH)]
    said = subprocess.run(command, check=True, timeout=60, stdout=subprocess.PIPE).stdout

    assert said.split() == [b"2"] * 8
