"""From a model and data to a model with more files, and a report."""

import platform
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mlplatform_cdk.runtimekit.manifest import Manifest, ModelFile, Precision, Serving, sha256_of
from mlplatform_cdk.serving.quantize import files, run
from mlplatform_cdk.serving.quantize.archive import check_output, open_model, save_model
from mlplatform_cdk.serving.quantize.data import Rows, read_rows
from mlplatform_cdk.serving.quantize.errors import QuantizeError
from mlplatform_cdk.serving.quantize.half import make_fp16
from mlplatform_cdk.serving.quantize.int8 import make_int8
from mlplatform_cdk.serving.quantize.report import REPORT_NAME, Outcome, Report
from mlplatform_cdk.serving.quantize.workshop import Workshop

_MOST_CALIBRATED, _MOST_MEASURED = 128, 2000  # the latter are asked one by one, for each choice of layers


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a quantized model must show.

    :param precisions: which files to make; default: int8.
    :param tolerance: how much accuracy it may cost; see ``Accuracy`` for what that is; default: 0.01.
    :param seconds: how long layers are searched for that must stay in fp32; default: 300.
    :param least_gain: how many times faster int8 must be than fp32; default: 1.1.
    """

    precisions: tuple[Precision, ...] = ("int8",)
    tolerance: float = 0.01
    seconds: float = 300.0
    least_gain: float = 1.1

    def __post_init__(self) -> None:
        """Refuse what cannot be made or measured."""
        if not self.precisions or not set(self.precisions) <= {"int8", "fp16"}:
            raise QuantizeError(f"the precision must be int8 or fp16, got {', '.join(self.precisions) or 'none'}")
        if not 0 <= self.tolerance < 1 or self.seconds < 0 or self.least_gain <= 0:
            raise QuantizeError("the tolerance must be from 0 to below 1, the seconds and the gain no less than 0")


def quantize(
    model: Path,
    data: Path,
    output: Path,
    wanted: Wanted,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Write to ``output`` the model with the files that it could get, and the report in it.

    :param model: a model's folder or archive, with a file in fp32.
    :param data: rows, see ``read_rows``.
    :param output: a folder that does not exist yet, or an archive (``.tar.gz``).
    :param wanted: the precisions and their bounds.
    :param progress: is told what happens; default: nobody is.
    :raises KnownError: when the model, the data or an option is none.
    """
    check_output(output, model, data)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "model")
        manifest = open_model(model, folder)
        rows = read_rows(data, manifest)
        fp32 = run.open_file(folder / manifest.file("fp32").path, "fp32", manifest)
        run.ask(fp32, rows.part(0, 1).inputs)  # else the tools tell in their way what is wrong
        shop = _workshop(folder, Path(scratch), manifest, rows, wanted, progress)
        outcomes = [_make(one, shop) for one in wanted.precisions]
        report = Report(
            model_name=manifest.model_name,
            run_id=manifest.run_id,
            rows_calibrated=len(shop.calibration.finite()),
            rows_measured=len(shop.measured),
            tolerance=wanted.tolerance,
            processor=processor(),
            versions=_versions(),
            outcomes=tuple(outcomes),
        )
        (folder / REPORT_NAME).write_text(report.to_json(), encoding="utf-8")
        save_model(folder, _with_files(manifest, folder, outcomes), output)
    return report


def file_name(precision: str) -> str:
    """The name of a file in an archive."""
    return f"model.{precision}.onnx"


def processor() -> str:
    """The machine's processor, with those of its instructions that int8 runs on."""
    path = Path("/proc/cpuinfo")  # Linux only
    told = path.read_text(encoding="utf-8") if path.is_file() else ""
    named = dict(line.split(":", 1) for line in told.splitlines() if ":" in line)
    values = {key.strip(): value.strip() for key, value in named.items()}
    flags = set(values.get("flags", values.get("Features", "")).split())
    found = [name for name in ("avx2", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm") if name in flags]
    return f"{values.get('model name', platform.machine())} ({', '.join(found) or 'no int8 instructions known'})"


def _workshop(
    folder: Path, scratch: Path, manifest: Manifest, rows: Rows, wanted: Wanted, progress: Callable[[str], None]
) -> Workshop:
    calibrated = min(_MOST_CALIBRATED, len(rows) // 2)
    return Workshop(
        manifest=manifest,
        folder=folder,
        scratch=scratch,
        source=folder / manifest.file("fp32").path,
        calibration=rows.part(0, calibrated),
        measured=rows.part(calibrated, len(rows)).spread(_MOST_MEASURED),
        tolerance=wanted.tolerance,
        seconds=wanted.seconds,
        least_gain=wanted.least_gain,
        progress=progress,
    )


def _make(precision: str, shop: Workshop) -> Outcome:
    target = shop.folder / file_name(precision)
    target.unlink(missing_ok=True)
    outcome = make_int8(shop, target) if precision == "int8" else make_fp16(shop, target)
    if not outcome.made:
        target.unlink(missing_ok=True)
    return outcome


def _with_files(manifest: Manifest, folder: Path, outcomes: Sequence[Outcome]) -> Manifest:
    """The manifest with the new files; served in int8 where that was made, for it was measured to be faster."""
    made = {one.precision: one for one in outcomes if one.made}
    asked = {one.precision for one in outcomes}
    tightest = min(one.absolute_tolerance for one in manifest.golden_requests)
    old = tuple(
        one if one.tolerance is not None else replace(one, tolerance=tightest)
        for one in manifest.files
        if one.precision not in asked
    )
    new = tuple(_file(folder / file_name(one), outcome) for one, outcome in made.items())
    widest = max((one.tolerance or 0.0) for one in (*old, *new))
    golden = tuple(
        replace(one, absolute_tolerance=max(one.absolute_tolerance, widest)) for one in manifest.golden_requests
    )
    serving = manifest.serving or Serving()
    if "int8" in made:
        # It was faster on a CPU; a GPU is bound by what was measured on a GPU.
        serving = replace(
            serving, precision="int8", engine="openvino" if serving.engine == "openvino" else "onnxruntime"
        )
    elif "int8" in asked and serving.precision == "int8":
        serving = replace(serving, precision=None)
    kept = serving if serving != Serving() else None
    return replace(manifest, files=(*old, *new), golden_requests=golden, serving=kept)


def _file(path: Path, outcome: Outcome) -> ModelFile:
    return ModelFile(
        precision="int8" if outcome.precision == "int8" else "fp16",
        path=path.name,
        opset=files.opset_of(path),
        sha256=sha256_of(path),
        tolerance=outcome.tolerance,
    )


def _versions() -> dict[str, str]:
    import onnx
    import onnxruntime

    return {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__}
