"""The fp16 file, for GPUs: its accuracy is measured here, its speed is not, since a CPU has no fp16 arithmetic."""

from pathlib import Path

from mlplatform_cdk.serving.container.engines import ModelError
from mlplatform_cdk.serving.quantize.errors import QuantizeError
from mlplatform_cdk.serving.quantize.files import write_fp16
from mlplatform_cdk.serving.quantize.golden import golden_tolerance
from mlplatform_cdk.serving.quantize.report import Outcome
from mlplatform_cdk.serving.quantize.workshop import Workshop

_LARGEST_SHARE = 0.9  # of the fp32 file; above, it is made of other things than weights: trees, texts


def make_fp16(shop: Workshop, target: Path) -> Outcome:
    """Write the fp16 file to ``target``, or say why there is none.

    :param shop: the model.
    :param target: the file.
    """
    shop.progress("casting to fp16 and comparing answers")
    try:
        shop = shop.with_whole_file()
        write_fp16(shop.source, target)
        return _judged(shop, target)
    except (QuantizeError, ModelError) as error:  # what the tools cannot cast, or break, may serve as it is
        return Outcome(precision="fp16", method="cast", made=False, reason=f"{error}; so there is none")


def _judged(shop: Workshop, target: Path) -> Outcome:
    if target.stat().st_size > _LARGEST_SHARE * shop.source.stat().st_size:
        return Outcome(precision="fp16", method="cast", made=False, reason="its weights are none that fp16 halves")
    accuracy = shop.accuracy(target, "fp16")
    problem = shop.objection(target, "fp16", accuracy)
    _, tolerance = golden_tolerance(shop.manifest, target, "fp16")
    seen = shop.independence(target, "fp16")
    within = f"within the tolerance: {accuracy.measure} {accuracy.cost:.4g} of {shop.tolerance:g}"
    return Outcome(
        precision="fp16",
        method="cast",
        made=not problem,
        reason=problem or f"{within}; for GPUs, its speed was not measured",
        accuracy=accuracy,
        bytes_before=shop.source.stat().st_size,
        bytes_after=target.stat().st_size,
        tolerance=tolerance,
        largest_batch=seen.largest,
        batch_reason=seen.reason,
    )
