"""A loaded model: manifest, codec, engine, hooks, and the proof that it answers its golden requests."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.manifest import GoldenRequest, Manifest, read_folder, sha256_of
from mlplatform_cdk.serving.container import memory
from mlplatform_cdk.serving.container.chosen import chosen_engine
from mlplatform_cdk.serving.container.codecs import Codec
from mlplatform_cdk.serving.container.engines import Engine, EngineChoice, ModelError, open_engine
from mlplatform_cdk.serving.container.engines.choice import GPU_ENGINES
from mlplatform_cdk.serving.container.engines.independence import Independence, batches_by_row, examine, sizes_up_to
from mlplatform_cdk.serving.container.engines.pairs import InPairs
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.hooks import Context, Hooks
from mlplatform_cdk.serving.container.pace import Pace, measure
from mlplatform_cdk.serving.container.settings import Settings
from mlplatform_cdk.serving.container.tensors import as_array

__all__ = ["Model", "ModelError"]
Inputs = dict[str, NDArray[Any]]
_RUNS = 5
_PROOF_SECONDS = 0.5  # for the batch sizes; a model whose rows take longer seldom gains by larger batches


class Model:
    """A model that answers; ``run`` may be called from several threads at once.

    :param manifest: what it takes and gives.
    :param codec: reads its requests and writes its answers.
    :param engine: computes.
    :param hooks: its own code, if it brings any.

    ``memory_bytes`` is what it takes of RAM, ``run_seconds`` what a lone golden request takes on one lane,
    ``batchable`` whether rows of several requests may be computed at once, ``max_batch_size`` up to how many, and
    ``batch_reason`` why not or why not more, ``pace`` what single requests and full batches take as requests,
    ``output_names`` are in the manifest's order, and ``version`` tells its answers from those of every other model.
    """

    def __init__(self, manifest: Manifest, codec: Codec, engine: Engine, hooks: Hooks | None) -> None:
        self.manifest, self.codec, self.engine, self.hooks = manifest, codec, engine, hooks
        self.memory_bytes = 0
        self.run_seconds = 0.0
        self.max_batch_size = 1
        self.batch_reason = ""
        self.pace = Pace(seconds=0.0)
        self.output_names = [one.name for one in manifest.outputs]
        self.version = f"{manifest.run_id}/{engine.name}/{engine.precision}"

    @property
    def run_id(self) -> str:
        """The run that made it."""
        return self.manifest.run_id

    @property
    def batchable(self) -> bool:
        """Whether an answer was seen to be the same bits alone and in a batch."""
        return self.max_batch_size > 1

    @classmethod
    def load(cls, folder: Path, settings: Settings) -> "Model":
        """The model in ``folder``, warmed up and proved.

        :param folder: where SageMaker unpacked ``model.tar.gz``.
        :param settings: what the environment says; the rest is the manifest's.
        :raises ModelError: when it cannot be served, in one sentence.
        """
        before = memory.resident_bytes()
        try:
            with ExitStack() as opened:
                manifest = read_folder(folder)
                choice = chosen_engine(settings, manifest)
                hooks = Hooks.load(folder, manifest, allowed=settings.allow_hooks)
                if hooks is not None:
                    opened.callback(hooks.close)
                engine = open_engine(folder, manifest, choice)
                opened.callback(engine.close)
                model = cls(manifest, Codec(manifest, settings.limits()), engine, hooks)
                # One core at most while other models answer.
                model._prepare(choice, lanes=1 if settings.multi_model else choice.lanes)
                opened.pop_all()
        except ModelError:
            raise
        except KnownError as error:
            raise ModelError(str(error)) from error
        if settings.cache_bytes:
            model.version += f"/{_digest(folder)}"
        memory.give_back()
        path = manifest.file(engine.precision).path
        model.memory_bytes = memory.estimate(memory.resident_bytes() - before, (folder / path).stat().st_size)
        return model

    def run(self, inputs: Inputs) -> Inputs:
        """The outputs by name, in the manifest's order; the hooks are the caller's business."""
        return dict(zip(self.output_names, self.engine.run(inputs), strict=True))

    def close(self) -> None:
        """Give the memory back; no call may be under way or follow."""
        self.engine.close()
        if self.hooks is not None:
            self.hooks.close()
        memory.give_back()

    def golden_inputs(self, golden: GoldenRequest) -> Inputs:
        """The tensors of a golden request, as the engine takes them."""
        try:
            inputs = {one.name: as_array(golden.inputs[one.name], one) for one in self.manifest.inputs}
        except RequestError as error:
            raise ModelError(f"the golden request {golden.name} must fit the model, but {error}") from None
        return self.hooks.before(inputs, Context()) if self.hooks else inputs

    def _prepare(self, choice: EngineChoice, lanes: int) -> None:
        try:
            requests = [self.golden_inputs(one) for one in self.manifest.golden_requests]
            self.engine.warm_up(requests[0])
            self._prove(requests)
            self.run_seconds = _median_seconds(self.engine, requests[0])
            most = min(choice.max_batch_size, self.engine.most_rows or choice.max_batch_size)
            self._examine(_rows(requests, most=int(_PROOF_SECONDS / 5 / self.run_seconds)), most)
            self.pace = measure(self, 1 if self.engine.name in GPU_ENGINES else lanes)
        except KnownError:
            raise
        except Exception as error:  # each runtime has errors of its own
            reason = " ".join(str(error).split())
            raise ModelError(f"the model must answer its golden requests, got {reason}") from error

    def _prove(self, requests: Sequence[Inputs]) -> None:
        """Refuse a model that answers a golden request otherwise than its manifest says."""
        problems: list[str] = []
        tolerance = self.manifest.file(self.engine.precision).tolerance
        for known, inputs in zip(self.manifest.golden_requests, requests, strict=True):
            golden = known if tolerance is None else replace(known, absolute_tolerance=tolerance)
            outputs = self.run(inputs)
            if self.hooks is not None:
                outputs = self.hooks.after(outputs, Context())
            problems += golden.check({"outputs": {name: np.asarray(one).tolist() for name, one in outputs.items()}})
        if problems:
            raise ModelError(f"the model must answer its golden requests rightly, got: {'; '.join(problems)}")

    def _examine(self, rows: Sequence[Inputs], most: int) -> None:
        if not batches_by_row(self.manifest):
            self.batch_reason = "not every input and output varies by its first dimension only"
            return
        if most == 1:
            self.batch_reason = "one row at a time is what the settings, the manifest or the engine ask for"
            return
        seen = self._independence(rows, most)
        if seen.largest == 1 and InPairs.pays(self.engine, rows[0]):
            alone, self.engine = self.engine, InPairs(self.engine)
            seen = self._independence(rows, most)
            self.engine = self.engine if seen.largest > 1 else alone
        self.max_batch_size, self.batch_reason = seen.largest, seen.reason

    def _independence(self, rows: Sequence[Inputs], most: int) -> Independence:
        fits = int(_PROOF_SECONDS / max(self.run_seconds, 1e-9))
        sizes = sizes_up_to(min(most, max(fits, 2)))
        return examine(self.engine.run, rows, sizes, alone=self.engine.run_alone, seconds=_PROOF_SECONDS)


def _digest(folder: Path) -> str:
    """What tells the files of one model from those of every other: manifest, weights, hooks, and what those read."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    told = "".join(f"{path.relative_to(folder)}\0{sha256_of(path)}\0" for path in files)
    return hashlib.sha256(told.encode(errors="surrogateescape")).hexdigest()


def _rows(requests: Sequence[Inputs], *, most: int) -> list[Inputs]:
    """Golden rows, each as a request of its own: one to eight, by how many may be computed."""
    rows = [
        {name: array[place : place + 1] for name, array in one.items()}
        for one in requests
        for place in range(min(len(array) for array in one.values() if array.ndim) if one else 0)
    ]
    return rows[: max(1, min(most, 8))]


def _median_seconds(engine: Engine, inputs: Mapping[str, NDArray[Any]]) -> float:
    times = []
    for _ in range(_RUNS):
        started = perf_counter()
        engine.run(inputs)
        times.append(perf_counter() - started)
    return sorted(times)[_RUNS // 2]
