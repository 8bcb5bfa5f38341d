"""Every engine and file that this machine can run, timed in batches on all cores."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from mlplatform_cdk.runtimekit.manifest import EngineName, Manifest, Precision
from mlplatform_cdk.serving.container.engines import Engine, EngineChoice, ModelError, open_engine
from mlplatform_cdk.serving.container.engines.cores import usable_cores
from mlplatform_cdk.serving.container.engines.golden import golden_inputs
from mlplatform_cdk.serving.container.engines.independence import Inputs, batches_by_row, examine, stacked
from mlplatform_cdk.serving.container.engines.machine import signs_of_gpu
from mlplatform_cdk.serving.tune.trials import Compute

SIZES = (1, 2, 4, 8, 16, 32, 64)
_MOMENTS, _SECONDS = 3, 0.1
Progress = Callable[[str], None]


def candidates(manifest: Manifest) -> list[tuple[EngineName, Precision]]:
    """The engines and files worth trying here: on a GPU all; on a CPU no fp16, which it has no arithmetic for."""
    engines: tuple[EngineName, ...] = ("tensorrt", "cuda") if signs_of_gpu() else ("onnxruntime", "openvino")
    have = [one.precision for one in manifest.files if signs_of_gpu() or one.precision != "fp16"]
    return [(engine, precision) for precision in have for engine in engines]


def trials(
    folder: Path, manifest: Manifest, *, until: float, progress: Progress, skipped: list[str]
) -> Iterator[Compute]:
    """Time what ``candidates`` gives, the simplest first.

    :param folder: the unpacked model.
    :param manifest: the model's.
    :param until: when to begin with no more, by ``time.perf_counter``; the first is always finished.
    :param progress: is told what happens.
    :param skipped: gets a sentence for each that could not be tried.
    """
    requests: list[Inputs] = [golden_inputs(manifest, one) for one in manifest.golden_requests]
    cores = usable_cores()
    arrangements = [(cores, 1), (1, cores)] if cores > 1 else [(1, 1)]
    tried = False
    for engine, precision in candidates(manifest):
        for lanes, threads in arrangements:
            if tried and perf_counter() > until:
                skipped.append(f"{engine} {precision} in {lanes} lanes: no time was left")
                continue
            progress(f"timing {engine} {precision} in {lanes} lanes of {threads}")
            choice = EngineChoice(
                engine=engine, precision=precision, lanes=lanes, threads=threads, lone_threads=threads
            )
            try:
                opened = open_engine(folder, manifest, choice)
            except ModelError as error:
                skipped.append(f"{engine} {precision}: {error}")
                break
            yield from _sizes(opened, manifest, requests, choice)
            opened.close()
            tried = True


def _sizes(engine: Engine, manifest: Manifest, requests: list[Inputs], choice: EngineChoice) -> Iterator[Compute]:
    rows = [{name: array[:1] for name, array in one.items()} for one in requests]
    last = 0.0
    for size in SIZES:
        if engine.most_rows is not None and size > engine.most_rows:
            return
        if size > 1 and not _independent(engine, manifest, rows, size):
            return
        batch = stacked([rows[place % len(rows)] for place in range(size)]) if batches_by_row(manifest) else requests[0]
        found = _timed(engine, batch, size, choice)
        yield found
        # Batches that gain nothing any more, or take half a second, gain nothing when they are larger.
        if found.rows_per_second < last * 1.02 or found.milliseconds > 500:  # noqa: PLR2004 - said above
            return
        last = found.rows_per_second


def _independent(engine: Engine, manifest: Manifest, rows: Sequence[Inputs], size: int) -> bool:
    if not batches_by_row(manifest):
        return False
    return examine(engine.run, rows[:2], [size], alone=engine.run, seconds=0).largest == size


def _timed(engine: Engine, batch: Inputs, size: int, choice: EngineChoice) -> Compute:
    """The best of a few moments: what else the machine does only takes away."""
    engine.run(batch)
    moments = [_moment(engine, batch, choice.lanes) for _ in range(_MOMENTS)]
    calls, seconds = max(moments, key=lambda one: len(one[0]) / one[1])
    return Compute(
        engine=engine.name,  # type: ignore[arg-type]
        precision=engine.precision,
        lanes=choice.lanes,
        threads=choice.threads,
        batch=size,
        rows_per_second=size * len(calls) / seconds,
        milliseconds=float(np.median(calls)) * 1000,
    )


def _moment(engine: Engine, batch: Inputs, lanes: int) -> tuple[list[float], float]:
    """The times of the calls that ``lanes`` threads make, and how long that took."""
    times: list[list[float]] = [[] for _ in range(lanes)]
    until = perf_counter() + _SECONDS

    def lane(mine: list[float]) -> None:
        while not mine or perf_counter() < until:
            started = perf_counter()
            engine.run(batch)
            mine.append(perf_counter() - started)

    threads = [threading.Thread(target=lane, args=(one,)) for one in times]
    started = perf_counter()
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return [value for one in times for value in one], perf_counter() - started
