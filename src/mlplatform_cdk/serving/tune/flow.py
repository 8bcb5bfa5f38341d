"""From a model to its tuning: time the engines, then the container with the best one, then write what won."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from mlplatform_cdk.runtimekit.manifest import Manifest, Serving
from mlplatform_cdk.serving.container.engines.cores import usable_cores
from mlplatform_cdk.serving.quantize.archive import check_output, open_model, save_model
from mlplatform_cdk.serving.quantize.flow import processor
from mlplatform_cdk.serving.tune import compute
from mlplatform_cdk.serving.tune.served import TuneError, question, under_load
from mlplatform_cdk.serving.tune.trials import Compute, Served, best_compute, best_served

__all__ = ["TuneError", "Tuning", "tune"]
_TINY_MS = 1.0  # heavier models lose throughput where several processes share the cores
_DELAY_MS = 2.0
_BUSY = 0.5
_ENGINES_SHARE = 0.6  # of the time, for the engines


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What was measured, and what the manifest says since.

    :param model_name: of the manifest.
    :param processor: what it was measured on.
    :param serving: what was written.
    :param computed: the engines' trials.
    :param served: the container's.
    :param reasons: why, a sentence each.
    :param skipped: what was not tried, and why.
    """

    model_name: str
    processor: str
    serving: Serving
    computed: tuple[Compute, ...]
    served: tuple[Served, ...]
    reasons: tuple[str, ...]
    skipped: tuple[str, ...]


def tune(
    model: Path, output: Path, *, seconds: float = 60.0, progress: Callable[[str], None] = lambda _: None
) -> Tuning:
    """Measure how ``model`` is served best here, and write it to ``output`` with that in its manifest.

    :param model: a model's folder or archive.
    :param output: a folder that does not exist yet, or an archive (``.tar.gz``).
    :param seconds: about how long to measure; what was begun is finished.
    :param progress: is told what happens; default: nobody is.
    :raises KnownError: when it is no model, or cannot be served here.
    """
    if not seconds >= 0:
        raise TuneError(f"the seconds must be a number of at least 0, got {seconds:g}")
    check_output(output, model)
    started = perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "model")
        manifest = open_model(model, folder)
        question(manifest)  # refuses a model that cannot be asked, before the work
        skipped = _busy()
        until = started + seconds * _ENGINES_SHARE
        computed = tuple(compute.trials(folder, manifest, until=until, progress=progress, skipped=skipped))
        if not computed:
            raise TuneError(f"the model must run on an engine of this machine, got: {'; '.join(skipped)}")
        best = best_compute(computed, manifest.latency_budget_ms)
        served = _under_load(folder, manifest, best, computed, started + seconds, progress, skipped)
        chosen = best_served(served, manifest.latency_budget_ms)
        serving = _serving(manifest, best, chosen)
        save_model(folder, replace(manifest, serving=serving), output)
    return Tuning(
        model_name=manifest.model_name,
        processor=processor(),
        serving=serving,
        computed=computed,
        served=tuple(served),
        reasons=tuple(_reasons(manifest, computed, best, served, chosen)),
        skipped=tuple(skipped),
    )


def _under_load(
    folder: Path,
    manifest: Manifest,
    best: Compute,
    computed: tuple[Compute, ...],
    until: float,
    progress: Callable[[str], None],
    skipped: list[str],
) -> list[Served]:
    """The container with the best engine as it is, and with one setting changed at a time."""
    plain = {
        "ENGINE": best.engine,
        "PRECISION": best.precision,
        "LANES": str(best.lanes),
        "INFERENCE_THREADS": str(best.threads),
        "MAX_BATCH_SIZE": str(best.batch),
        "MAX_BATCH_DELAY_MS": "0",
        "PROCESSES": "1",
        "ALLOW_CPU": "true",
    }
    changes: dict[str, dict[str, str]] = {"": {}}
    if best.batch > 1:
        changes["no batches"] = {"MAX_BATCH_SIZE": "1"}
        changes[f"a delay of {_DELAY_MS:g} ms"] = {"MAX_BATCH_DELAY_MS": str(_DELAY_MS)}
    lone = min(one.milliseconds for one in computed if (one.engine, one.precision) == (best.engine, best.precision))
    cores = usable_cores()
    if lone < _TINY_MS and cores > 1:
        changes[f"{cores} processes"] = {"PROCESSES": str(cores), "LANES": "1", "INFERENCE_THREADS": "1"}
    found: dict[str, Served] = {}
    for changed, environment in (*changes.items(), *changes.items()):  # twice, in turns: a busy moment is nobody's own
        if found and perf_counter() > until:
            continue
        progress(f"asking the container over HTTP{f', {changed}' if changed else ''}")
        one = under_load(folder, manifest, changed, {**plain, **environment})
        if changed not in found or one.requests_per_second > found[changed].requests_per_second:
            found[changed] = one
    skipped += [f"the container with {changed}: no time was left" for changed in changes if changed not in found]
    return list(found.values())


def _busy() -> list[str]:
    """A sentence where other programs keep the cores from what is measured."""
    load, cores = os.getloadavg()[0], usable_cores()
    if load <= cores * _BUSY:
        return []
    return [
        f"a second time: the machine was busy (load {load:.1f} on {cores} cores), so measure again when it is quiet"
    ]


def _serving(manifest: Manifest, best: Compute, chosen: Served) -> Serving:
    return replace(
        manifest.serving or Serving(),
        precision=best.precision,
        engine=best.engine,
        max_batch_size=chosen.max_batch_size,
        max_batch_delay_ms=chosen.max_batch_delay_ms,
        # As many lanes as cores is the container's own default, on whatever machine.
        lanes=1 if chosen.processes > 1 else None if best.lanes == usable_cores() else best.lanes,
        processes=chosen.processes,
    )


def _reasons(
    manifest: Manifest, computed: tuple[Compute, ...], best: Compute, served: list[Served], chosen: Served
) -> list[str]:
    first = computed[0]
    gain = best.rows_per_second / first.rows_per_second
    budget = f"within half the latency budget of {manifest.latency_budget_ms:g} ms"
    more = f"{best.rows_per_second:.0f} rows a second, {gain:.2f} times as many as {first.told()}"
    reasons = [f"{best.told()}: {more}, each batch {best.milliseconds:.3g} ms, {budget}"]
    for engine, precision in dict.fromkeys((one.engine, one.precision) for one in computed):
        others = [one for one in computed if (one.engine, one.precision) == (engine, precision)]
        if (engine, precision) != (best.engine, best.precision):
            most = max(one.rows_per_second for one in others)
            reasons.append(f"{engine} {precision} at its best: {most / best.rows_per_second:.2f} times as many rows")
    for one in served[1:]:
        share = one.requests_per_second / served[0].requests_per_second
        verdict = "taken" if one is chosen else "left out"
        reasons.append(f"{one.changed}: {share:.2f} times the requests a second, p99 {one.p99_ms:.3g} ms; {verdict}")
    return reasons
