"""The step of the retraining pipeline: quantize the model that was just trained, on its own validation rows."""

from mlplatform_cdk.runtimekit import job, logs, settings
from mlplatform_cdk.serving.quantize.flow import Wanted, quantize
from mlplatform_cdk.serving.quantize.report import REPORT_NAME

ARCHIVE = "model.tar.gz"
_log = logs.logger("quantize")


def main() -> None:
    """Quantize the model of the input ``model``; the archive and the report go to the output ``quantized``."""
    archive = job.required_archive("model")
    output = job.processing_output("quantized")
    report = quantize(archive, job.processing_input("dataset"), output / ARCHIVE, _wanted(), progress=_log.info)
    (output / REPORT_NAME).write_text(report.to_json(), encoding="utf-8")
    for one in report.outcomes:
        _log.info(
            "quantized" if one.made else "not quantized", extra={"precision": one.precision, "reason": one.reason}
        )


def _wanted() -> Wanted:
    names = [one.strip() for one in settings.optional("PRECISIONS", "int8").split(",")]
    return Wanted(
        precisions=tuple(names),  # type: ignore[arg-type]  # Wanted itself refuses others
        tolerance=settings.number("TOLERANCE", 0.01, least=0.0, most=1.0),
        seconds=settings.number("SEARCH_SECONDS", 300, least=0.0),
        least_gain=settings.number("LEAST_GAIN", 1.1, least=0.01),
    )
