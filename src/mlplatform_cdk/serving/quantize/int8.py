"""The int8 file: made, timed, compared, mended layer by layer, and proved; or not made, for a reason that is told."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from mlplatform_cdk.serving.container.engines import ModelError
from mlplatform_cdk.serving.container.engines.independence import batches_by_row
from mlplatform_cdk.serving.quantize.errors import QuantizeError
from mlplatform_cdk.serving.quantize.files import STYLES, DynamicInt8, StaticInt8
from mlplatform_cdk.serving.quantize.golden import golden_tolerance
from mlplatform_cdk.serving.quantize.prepare import holds_int8
from mlplatform_cdk.serving.quantize.report import Outcome
from mlplatform_cdk.serving.quantize.search import Kept, fewest, rank
from mlplatform_cdk.serving.quantize.workshop import Workshop


def make_int8(shop: Workshop, target: Path) -> Outcome:
    """Write the int8 file to ``target``, or say why there is none.

    :param shop: the model.
    :param target: the file; what is written there counts only where the outcome says that it was made.
    """
    by_row = batches_by_row(shop.manifest)
    try:
        shop = shop.with_whole_file()
        return _static(shop, target) if by_row else _dynamic(shop, target)
    except (QuantizeError, ModelError) as error:  # what the tools cannot quantize, or break, may serve as it is
        return _none("static" if by_row else "dynamic", f"{error}; so it stays fp32")


def _static(shop: Workshop, target: Path) -> Outcome:
    """A model that batches has the same scales for all rows."""
    rows = shop.calibration.finite()
    if not len(rows):
        reason = "each row to measure ranges on has a missing or infinite number; so it stays fp32"
        return _none("static", reason)
    maker = StaticInt8(shop.source, shop.scratch, rows.each())
    layers = maker.layers()
    if not layers:
        return _none(
            "static", "no layer of it is a MatMul, Gemm or Conv with constant weights, so int8 has nothing to speed up"
        )
    shop.progress(f"measuring the ranges of {len(layers)} layers on {len(rows)} rows")
    _write_fastest(shop, maker, target)
    return _judged(shop, target, "static", maker)


def _write_fastest(shop: Workshop, maker: StaticInt8, target: Path) -> None:
    """Write ``target`` in the style in which most rows are computed in a given time."""
    seconds: dict[str, float] = {}
    failed: Exception | None = None
    for style in STYLES:
        shop.progress(f"timing int8 and fp32 in turns, {style}")
        maker.style = style
        try:
            maker.write(target)
            times = shop.times(target, "int8")
        except (QuantizeError, ModelError) as error:
            failed = error
            continue
        seconds[style] = min(one["int8"] / one["fp32"] for one in times.values())
    if failed is not None and not seconds:
        raise failed
    maker.style = min(seconds, key=seconds.__getitem__)
    maker.write(target)


def _dynamic(shop: Workshop, target: Path) -> Outcome:
    """A model that never batches may take its scales from each request."""
    shop.progress("making int8 with scales of each request's own: this model never batches")
    maker = DynamicInt8(shop.source, shop.scratch)
    if not maker.layers():
        return _none(
            "dynamic", "no layer of it is a MatMul or Gemm with constant weights, so int8 has nothing to speed up"
        )
    maker.write(target)
    return _judged(shop, target, "dynamic", maker)


def _judged(shop: Workshop, target: Path, method: str, maker: StaticInt8 | DynamicInt8) -> Outcome:
    if not holds_int8(target):
        return _none(method, "the tools could put no layer of it into int8; so it stays fp32")
    layers = len(maker.layers())
    shop.progress("timing int8 and fp32 in turns")
    outcome = _none(method, "", layers=layers, shop=shop, target=target)
    if outcome.speedup < shop.least_gain:
        return _slow(shop, outcome)
    shop.progress(f"comparing answers to {len(shop.measured)} rows")
    accuracy = shop.accuracy(target, "int8")
    kept: tuple[Kept, ...] = ()
    objection = shop.objection(target, "int8", accuracy)
    if objection:
        shop.progress(f"{objection}: looking for the layers that make it so")
        found = _mend(shop, maker, target)
        if found is None:
            return _with(
                outcome, accuracy=accuracy, reason=f"{objection}, however many layers stay in fp32; so it stays fp32"
            )
        kept, accuracy = tuple(found), shop.accuracy(target, "int8")
        outcome = _none(method, "", layers=layers, shop=shop, target=target)
        if outcome.speedup < shop.least_gain:
            return _with(_slow(shop, outcome), accuracy=accuracy, kept=kept)
    return _proved(shop, target, _with(outcome, accuracy=accuracy, kept=kept))


def _mend(shop: Workshop, maker: StaticInt8 | DynamicInt8, target: Path) -> list[Kept] | None:
    """Keep the fewest layers in fp32 with which ``target`` is within the tolerance."""
    until = perf_counter() + shop.seconds
    ranked = rank(maker, shop.source, shop.calibration.finite().each(), shop.manifest, until=until - shop.seconds / 3)

    def fits(kept: Sequence[Kept]) -> bool:
        shop.progress(f"trying with {len(kept)} of {len(ranked)} layers in fp32")
        maker.write(target, keep=[one.layer for one in kept])
        return not shop.objection(target, "int8", shop.accuracy(target, "int8"))

    found = fewest(ranked, fits, until=until)
    if found is not None:
        maker.write(target, keep=[one.layer for one in found])
    return found


def _proved(shop: Workshop, target: Path, outcome: Outcome) -> Outcome:
    assert outcome.accuracy
    _, tolerance = golden_tolerance(shop.manifest, target, "int8")
    seen = shop.independence(target, "int8")
    share = f" with {len(outcome.kept)} of {outcome.layers} layers in fp32" if outcome.kept else ""
    reason = (
        f"{outcome.speedup:.2f} times as fast as fp32{share}, and within the tolerance: "
        f"{outcome.accuracy.measure} {outcome.accuracy.cost:.4g} of {shop.tolerance:g}"
    )
    return _with(
        outcome,
        made=True,
        reason=reason,
        tolerance=tolerance,
        largest_batch=seen.largest,
        batch_reason=seen.reason,
    )


def _slow(shop: Workshop, outcome: Outcome) -> Outcome:
    gain = outcome.speedup
    verdict = f"int8 is only {gain:.2f} times as fast" if gain >= 1 else f"int8 makes it {1 / gain:.1f} times slower"
    return _with(outcome, reason=f"{verdict}, less than the {shop.least_gain:g} times asked for; so it stays fp32")


def _none(
    method: str, reason: str, *, layers: int = 0, shop: Workshop | None = None, target: Path | None = None
) -> Outcome:
    if shop is None or target is None:
        return Outcome(precision="int8", method=method, made=False, reason=reason)
    return Outcome(
        precision="int8",
        method=method,
        made=False,
        reason=reason,
        layers=layers,
        milliseconds=shop.times(target, "int8"),
        bytes_before=shop.source.stat().st_size,
        bytes_after=target.stat().st_size,
    )


def _with(outcome: Outcome, **changes: object) -> Outcome:
    return replace(outcome, **changes)  # type: ignore[arg-type]
