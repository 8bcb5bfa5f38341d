"""What is measured, and in which order."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.serving import environments, forms, models, right, socket_alone
from benchmarks.serving.rounds import ROOT, Figures, Load, interleaved
from benchmarks.serving.servers import Running, Server, running
from benchmarks.serving.wire import CSV, JSON, NPY, Body, as_read, body, triton_body
from mlplatform_cdk.runtimekit.manifest import MANIFEST_NAME, Manifest
from mlplatform_cdk.serving.quantize.flow import Wanted, quantize

_QUANTIZED, _SEARCH_S = ("image", "transformer"), 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long it takes.

    :param seconds: of one measurement of a tabular model; slow models take half as long again.
    :param rounds: turns that each server gets.
    """

    seconds: float
    rounds: int


FULL, QUICK = Plan(seconds=1.5, rounds=3), Plan(seconds=0.5, rounds=1)


class Suite:
    """One run over the models in ``folder``.

    :param folder: where the models are, or are made.
    :param plan: how long it takes.
    """

    def __init__(self, folder: Path, plan: Plan) -> None:
        self._folder, self._plan = folder, plan
        for name in sorted({one.environment for one in (*forms.TABULAR, *forms.HEAVY["image"])}):
            environments.make(name)

    def tabular(self) -> Figures:
        """Every server in every form: closed loop, open loop; start-up, memory and size."""
        rows = self._rows("tabular")
        with ExitStack() as stack:
            up = [stack.enter_context(self._running(server, "tabular", "fp32", JSON)) for server in forms.TABULAR]
            asked = self._asked(up, "tabular", "fp32", rows)
            seconds, rounds = self._plan.seconds, self._plan.rounds
            closed = [Load(name=f"{n} connections", connections=n, seconds=seconds) for n in (1, 16, 64)]
            with socket_alone.running(asked[0][1]) as alone:
                found = interleaved([*asked, *alone], closed, rounds=rounds)
            with socket_alone.running(asked[0][1], spinning=True) as alone:
                for name, one in interleaved(alone, closed, rounds=rounds).items():
                    found[name] |= one
            steady = Load(name="1,000/s", connections=64, rate=1000, seconds=2 * seconds)
            found |= interleaved(asked, [steady], rounds=1)
            fast = Load(name="10,000/s", connections=64, rate=10_000, seconds=2 * seconds)
            few = [one for one in asked if one[0].server.ours]
            found |= interleaved(few, [fast], rounds=max(1, rounds - 1))
            return {"loads": found, "servers": {one.server.name: _standing(one) for one in up}}

    def start_up(self) -> dict[str, list[float]]:
        """Seconds to the first answer, each server alone on the machine, several times."""
        found: dict[str, list[float]] = {}
        for server in (forms.OURS, forms.MOSEC, forms.FASTAPI):
            for _ in range(self._plan.rounds):
                with self._running(server, "tabular", "fp32", JSON) as up:
                    found.setdefault(server.name, []).append(up.first_answer_s)
        return found

    def formats(self) -> dict[str, dict[str, Figures]]:
        """CSV and npy, 16 connections, a hundred rows each."""
        found: dict[str, dict[str, Figures]] = {}
        _, rows = models.sample("tabular", 100, seed=4)
        load = Load(name="16 connections", connections=16, seconds=self._plan.seconds)
        for kind in (JSON, CSV, NPY):
            with ExitStack() as stack:
                up = [
                    stack.enter_context(self._running(one, "tabular", "fp32", kind))
                    for one in forms.asked_as(forms.FORMATS, kind)
                ]
                asked = self._asked(up, "tabular", "fp32", rows, kind)
                found[kind] = interleaved(asked, [load], rounds=max(1, self._plan.rounds - 1))[load.name]
        return found

    def heavy(self, name: str) -> dict[str, Figures]:
        """A slow model in each of its precisions: 16 connections, then 57 % of what ONNX Runtime alone does."""
        manifest = Manifest.from_json((self._made(name) / MANIFEST_NAME).read_text(encoding="utf-8"))
        return {one.precision: self._heavy(name, one.precision, one.path) for one in manifest.files}

    def _heavy(self, name: str, precision: str, file: str) -> Figures:
        rows, kind = self._rows(name), NPY if name == "image" else JSON
        seconds, rounds = 1.5 * self._plan.seconds, self._plan.rounds
        with ExitStack() as stack:
            up = [
                stack.enter_context(self._running(one, name, precision, kind))
                for one in forms.asked_as(forms.HEAVY[name], kind)
            ]
            asked = self._asked(up, name, precision, rows, kind)
            closed = Load(name="16 connections", connections=16, seconds=seconds)
            alone: list[float] = []
            found = interleaved(
                asked, [closed], rounds=rounds, beside=lambda: alone.append(self._raw(name, file, rows))
            )
            half = Load(name="57 % load", connections=64, rate=0.57 * median(alone), seconds=seconds)
            found |= interleaved(asked, [half], rounds=rounds)
            standing = {one.server.name: _standing(one) for one in up}
        return {"alone": alone, "loads": found, "servers": standing}

    def overload(self) -> Figures:
        """Three times the capacity of the transformer, for servers as they are: who is answered, and when."""
        rows, precision = self._rows("transformer"), "fp32"
        file = self._made("transformer") / f"model.{precision}.onnx"
        capacity = self._raw("transformer", file.name, rows)
        load = Load(
            name="3 x capacity", connections=512, rate=3 * capacity, seconds=4 * self._plan.seconds, warm_up=2.0
        )
        with ExitStack() as stack:
            up = [stack.enter_context(self._running(one, "transformer", precision, JSON)) for one in forms.OVERLOADED]
            asked = self._asked(up, "transformer", precision, rows)
            return {"capacity": capacity, "loads": interleaved(asked, [load], rounds=1)}

    def _made(self, name: str) -> Path:
        """The folder of the model ``name``; a slow one has an int8 file too, where ``quantize`` could make one."""
        plain = models.make(name, self._folder)
        if name not in _QUANTIZED:
            return plain
        both = self._folder / f"{name}-quantized"
        if not both.exists():
            quantize(plain, self._folder / f"{name}.npz", both, Wanted(seconds=_SEARCH_S))
        return both

    def _rows(self, name: str) -> Any:
        return models.sample(name, 1, seed=4)[1]

    def _running(self, server: Server, name: str, precision: str, kind: str) -> Any:
        return running(server, self._made(name), precision, self._body(name, server, self._rows(name), kind))

    def _asked(
        self, up: Sequence[Running], name: str, precision: str, rows: Any, kind: str = JSON
    ) -> list[tuple[Running, Body]]:
        """Each server with the body that it is asked with, and what it must answer."""
        folder, tensor = self._made(name), models.RECIPES[name].tensor.name
        manifest = Manifest.from_json((folder / MANIFEST_NAME).read_text(encoding="utf-8"))
        (file,) = [one for one in manifest.files if one.precision == precision]
        expected = right.outputs(folder / file.path, tensor, as_read(rows, kind))
        found = []
        for one in up:
            asked = replace(self._body(name, one.server, rows, kind), expected=expected)
            if one.server is forms.OPENVINO and file.tolerance is not None:
                # It rounds integers otherwise than ONNX Runtime: as far off as the file was proved to be.
                asked = replace(asked, tolerance=max(asked.tolerance, file.tolerance))
            found.append((one, asked))
        return found

    def _body(self, name: str, server: Server, rows: Any, kind: str = JSON) -> Body:
        tensor = models.RECIPES[name].tensor.name
        return triton_body(tensor, rows) if server.tensors else body(tensor, rows, kind)

    def _raw(self, name: str, file: str, rows: Any) -> float:
        """Calls a second of ONNX Runtime alone, in the form that is faster: a call per core, or one on all cores."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.npy"
            np.save(path, rows)
            command = [
                sys.executable,
                "-m",
                "benchmarks.serving.raw",
                str(self._made(name) / file),
                str(path),
                "--lanes",
                forms.ALL,
            ]
            command += ["--seconds", str(3 * self._plan.seconds)]
            ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
        found: dict[str, float] = json.loads(ended.stdout)
        return max(found.values())


def _standing(running: Running) -> Figures:
    return {
        "first answer s": running.first_answer_s,
        "resident MB": running.resident_bytes() / 1e6,
        "installed MB": environments.installed_bytes(running.server.environment) / 1e6,
    }


def parts(suite: Suite) -> Iterator[tuple[str, Any]]:
    """Name and work of each part, in order."""
    yield "start-up", suite.start_up
    yield "tabular", suite.tabular
    yield "formats", suite.formats
    yield "image", lambda: suite.heavy("image")
    yield "transformer", lambda: suite.heavy("transformer")
    yield "overload", suite.overload


def named(wanted: Sequence[str], suite: Suite) -> Iterator[tuple[str, Any]]:
    """The parts that ``wanted`` names, or all."""
    return ((name, work) for name, work in parts(suite) if not wanted or name in wanted)
