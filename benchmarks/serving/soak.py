"""A soak: load without pause while models come and go and containers end; nothing accepted is lost, memory stays flat.

    python -m benchmarks.serving.soak --minutes 3

Two containers of many models are in service. One lives through it all, and its memory is watched; the other is ended
again and again, by SIGTERM and by SIGKILL in turn, and replaced. What SIGTERM ends answers all that it accepted; what
SIGKILL cuts off is at most what was under way there, and is answered elsewhere.
"""

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.serving import models
from benchmarks.serving.fleet import Clients, Container
from benchmarks.serving.oci.build import context
from benchmarks.serving.wire import body

STEADY = ("steady-0", "steady-1")
_PASSING = tuple(f"passing-{number}" for number in range(6))
_SEED = 20260101
_CLIENTS = 6
_MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What happened.

    :param answers: answers by status.
    :param lost: requests without an answer, by what ended their container; each was answered elsewhere.
    :param loads: loads and unloads that were done.
    :param ends: ends of a container, by signal.
    :param exit_codes: of those that SIGTERM ended.
    :param memory_mb: of the container that lived through it all, in time.
    """

    seconds: float
    answers: dict[int, int]
    lost: dict[str, int]
    loads: int
    ends: dict[str, int]
    exit_codes: tuple[int, ...]
    memory_mb: tuple[float, ...]

    @property
    def growth_mb(self) -> float:
        """Memory of the last third over that of the second."""
        third = max(1, len(self.memory_mb) // 3)
        return median(self.memory_mb[-third:]) - median(self.memory_mb[third : 2 * third] or self.memory_mb)

    def problems(self, *, growth_mb: float) -> list[str]:
        """What must not have happened; empty where all is well.

        :param growth_mb: how much memory may grow.
        """
        cut = self.lost.get("SIGKILL", 0)
        # Of each client one under way, and one on a connection that only the kernel had accepted.
        allowed = self.ends.get("SIGKILL", 0) * _CLIENTS * 2
        found = [
            (set(self.answers) == {200}, f"every answer must have status 200, got {self.answers}"),
            (not self.lost.get("SIGTERM"), f"SIGTERM must lose nothing, got {self.lost}"),
            (not self.lost.get("nothing"), f"a container in service must answer, got {self.lost}"),
            (cut <= allowed, f"SIGKILL may cut {allowed} requests at most, got {cut}"),
            (not any(self.exit_codes), f"SIGTERM must end with 0, got {self.exit_codes}"),
            (self.growth_mb <= growth_mb, f"memory may grow by {growth_mb} MB, got {self.growth_mb:.1f}"),
        ]
        return [sentence for holds, sentence in found if not holds]


class Soak:
    """One run.

    :param folder: an empty folder, for the program and the models.
    :param seconds: how long.
    :param turn_s: seconds between two ends of the second container.
    """

    def __init__(self, folder: Path, *, seconds: float, turn_s: float) -> None:
        self._seconds, self._turn_s = seconds, turn_s
        self._program, self._base = context(folder / "program"), folder / "base"
        made = models.make("tabular", folder / "made")
        (self._base / "models").mkdir(parents=True)
        for name in (*STEADY, *_PASSING):
            (self._base / "models" / name).mkdir()
            for file in made.iterdir():
                (self._base / "models" / name / file.name).write_bytes(file.read_bytes())
        _, rows = models.sample("tabular", 1, seed=4)
        self._clients = Clients(body("features", rows).content, STEADY, _CLIENTS)
        self._random = random.Random(_SEED)  # noqa: S311 - which model comes or goes
        self._outcome: dict[str, Any] = {"loads": 0, "ends": {}, "exit_codes": [], "memory_mb": []}

    def run(self) -> Outcome:
        """Start, let time pass, end."""
        lasting, second = self._start(), self._start()
        containers = [lasting, second]
        try:
            self._clients.in_service = list(containers)
            self._clients.start()
            self._pass(lasting, containers)
        finally:
            self._clients.stop()
            for one in containers:
                one.process.kill()
                one.process.wait()
        told = {**self._outcome, "memory_mb": tuple(self._outcome["memory_mb"])}
        told["exit_codes"] = tuple(told["exit_codes"])
        answers, lost = dict(self._clients.answers), dict(self._clients.lost)
        return Outcome(seconds=self._seconds, answers=answers, lost=lost, **told)

    def _start(self) -> Container:
        container = Container(self._program, self._base)
        for name in STEADY:
            status = container.load(name)
            if status != 200:  # noqa: PLR2004
                raise RuntimeError(f"a model must load, got {status}")
        return container

    def _pass(self, lasting: Container, containers: list[Container]) -> None:
        until, turn = time.monotonic() + self._seconds, time.monotonic() + self._turn_s
        loaded: set[str] = set()
        while (now := time.monotonic()) < until:
            self._change_models(lasting, loaded)
            self._outcome["memory_mb"].append(round(lasting.resident_bytes() / _MB, 1))
            if now > turn:
                containers[1] = self._replace(lasting, containers[1])
                turn = time.monotonic() + self._turn_s
            time.sleep(0.05)

    def _change_models(self, container: Container, loaded: set[str]) -> None:
        name = self._random.choice(_PASSING)
        status = container.unload(name) if name in loaded else container.load(name)
        if status != 200:  # noqa: PLR2004
            raise RuntimeError(f"a load or unload must be done, got {status}")
        loaded ^= {name}
        self._outcome["loads"] += 1

    def _replace(self, lasting: Container, old: Container) -> Container:
        """A new container comes into service; then the old one leaves it, or is gone without a word."""
        kind = (signal.SIGTERM, signal.SIGKILL)[sum(self._outcome["ends"].values()) % 2]
        new = self._start()
        if kind is signal.SIGTERM:
            self._clients.in_service = [lasting, new]
        code = old.end(kind)
        self._clients.in_service = [lasting, new]
        self._outcome["ends"][kind.name] = self._outcome["ends"].get(kind.name, 0) + 1
        if kind is signal.SIGTERM:
            self._outcome["exit_codes"].append(code)
        return new


def main() -> None:
    """Run, print the outcome, fail where something was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--turn", type=float, default=5.0, help="seconds between two ends of a container")
    parser.add_argument("--growth", type=float, default=5.0, help="MB that memory may grow by")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = Soak(Path(folder), seconds=60 * told.minutes, turn_s=told.turn).run()
    shown = asdict(outcome) | {"memory_mb": outcome.memory_mb[:: max(1, len(outcome.memory_mb) // 20)]}
    sys.stdout.write(json.dumps(shown | {"growth_mb": round(outcome.growth_mb, 1)}, indent=1) + "\n")
    problems = outcome.problems(growth_mb=told.growth)
    if problems:
        raise SystemExit("\n".join(problems))


if __name__ == "__main__":
    main()
