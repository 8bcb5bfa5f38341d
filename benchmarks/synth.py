"""How long a synthesis takes, as ratios measured in one run: run ``make benchmark``, read docs/benchmarks.md.

Every synthesis is a process of its own, as under the cdk CLI. Workloads take turns, so that whatever else the machine
does falls on all of them; figures are medians. Processor seconds say what the work costs on a busy machine, too.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import bare_app
from mlplatform_cdk.assembly.synthesize import node_environment

ROOT = Path(__file__).parents[1]

os.environ.update(node_environment())
# Bytecode is kept, as on any machine where an app is synthesized twice.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
ENVIRONMENT = {**os.environ, "CDK_VALIDATION": "false", "PYTHONHASHSEED": "0"}
ROOMS = ("foundation", "registry", "data", "training", "serving", "release", "workspace", "delivery")
PHASES = ("import jsii", "import aws_cdk", "import the app", "constructs", "app.synth()")
TARGET = 1.3


@dataclass(frozen=True)
class Cost:
    """What a process took: by the clock, and of processors (its own and its Node's)."""

    wall: float
    cpu: float
    phases: Mapping[str, float]

    def of(self, kind: str) -> float:
        """One of the two: ``wall`` or ``cpu``."""
        return self.wall if kind == "wall" else self.cpu


def measure(command: Sequence[str], environment: Mapping[str, str] = ENVIRONMENT) -> Cost:
    """Run ``command`` in this interpreter; its last line may be JSON."""
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        child = subprocess.Popen([sys.executable, *command], stdout=output, env=dict(environment), cwd=ROOT)  # noqa: S603
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        lines = output.read().splitlines()
    if child.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {child.returncode}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, json.loads(lines[-1]) if lines else {})


def in_turns(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[Cost]]:
    """The costs of each command, run one after the other, ``rounds`` times over; a first run warms the caches."""
    measure(next(iter(commands.values())))
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            costs[name].append(measure(command))
    return costs


def synthesis(workload: str, outdir: Path, *options: str) -> list[str]:
    """The command that synthesizes ``workload``."""
    return ["-m", "benchmarks.one_synthesis", workload, str(outdir), *options]


def against_bare_apps(folder: Path, rounds: int) -> None:
    """The platform, and the same resources as L1 constructs, which must come out equal."""
    platform_out = folder / "platform"
    commands = {"platform": synthesis("platform", platform_out)}
    measure(commands["platform"])
    for name in ("typed L1", "CfnResource"):
        (folder / name).mkdir()
        module = bare_app.write(platform_out, folder / name, typed=name == "typed L1")
        commands[name] = synthesis(str(module), folder / f"{name}.out")
        measure(commands[name])
        if bare_app.templates(folder / f"{name}.out") != bare_app.templates(platform_out):
            raise SystemExit(f"the bare app ({name}) makes other resources than the platform")
    costs = in_turns(commands, rounds)
    say("| the dev platform against | clock | processor | processor, fastest of each | target |\n|---|---|---|---|---|")
    for name in ("typed L1", "CfnResource"):
        wall, cpu = (ratio(costs["platform"], costs[name], kind) for kind in ("wall", "cpu"))
        fastest = fastest_of(costs["platform"]) / fastest_of(costs[name])
        say(f"| bare app, {name} | {wall:.2f} | {cpu:.2f} | {fastest:.2f} | {TARGET} |")
    say("\n| seconds | " + " | ".join((*costs, "platform's share")) + " |\n|" + "---|" * (len(costs) + 2))
    whole = middle(costs["platform"], "wall")
    for kind, name in (("wall", "clock, whole process"), ("cpu", "processor")):
        say(row(name, [middle(cost, kind) for cost in costs.values()], ""))
    for phase in PHASES:
        values = [median(one.phases[phase] for one in cost) for cost in costs.values()]
        say(row(phase, values, f"{values[0] / whole:.0%}"))


def calls_to_node(folder: Path, rounds: int) -> None:
    """How many messages go to the kernel, and how much of the time Python waits for it."""
    names = {"platform": "platform", "typed L1": str(folder / "typed L1" / "bare.py")}
    names["CfnResource"] = str(folder / "CfnResource" / "bare.py")
    commands = {name: synthesis(work, folder / "calls" / name, "--calls") for name, work in names.items()}
    costs = in_turns(commands, rounds)
    start = median(measure(["-m", "benchmarks.node_start"]).phases["node_s"] for _ in range(rounds))
    say("\n| jsii | calls | waiting for Node, s | share of the process |\n|---|---|---|---|")
    for name, cost in costs.items():
        waited = median(one.phases["calls_s"] for one in cost)
        share = median(one.phases["calls_s"] / one.wall for one in cost)
        say(f"| {name} | {cost[0].phases['calls']} | {waited:.2f} | {share:.0%} |")
    whole = middle(costs["platform"], "wall")
    say(f"| Node's start and aws-cdk-lib's load | 1 | {start:.2f} | {start / whole:.0%} of the platform's |")


def growth(folder: Path, kind: str, sizes: Sequence[int], rounds: int) -> None:
    """What one more costs, and the exponent of the growth above what an empty app costs."""
    commands = {str(size): synthesis(f"{kind}:{size}", folder / f"{kind}-{size}") for size in (0, *sizes)}
    costs = in_turns(commands, rounds)
    empty = {which: middle(costs["0"], which) for which in ("wall", "cpu")}
    say(f"\n| {kind} | clock, s | above none, per one, s | processor, s | above none, per one, s |")
    say("|---|---|---|---|---|")
    above: dict[str, list[float]] = {"wall": [], "cpu": []}
    for size in sizes:
        took = {which: middle(costs[str(size)], which) for which in above}
        for which, values in above.items():
            values.append(took[which] - empty[which])
        wall, cpu = (above[which][-1] / size for which in ("wall", "cpu"))
        say(f"| {size} | {took['wall']:.2f} | {wall:.3f} | {took['cpu']:.2f} | {cpu:.3f} |")
    exponents = [log(values[-1] / values[0]) / log(sizes[-1] / sizes[0]) for values in above.values()]
    say(f"| exponent | {exponents[0]:.2f} | | {exponents[1]:.2f} | |")


def imports(rounds: int) -> None:
    """What importing costs: the library alone, CDK alone, and each room with all that it needs."""
    names = ["mlplatform_cdk", "aws_cdk", *(f"mlplatform_cdk.{room}" for room in ROOMS)]
    commands = {name: ["-c", f"import {name}"] for name in ("sys", *names)}
    costs = in_turns(commands, rounds)
    bare = {kind: middle(costs["sys"], kind) for kind in ("wall", "cpu")}
    say("\n| import, above a bare interpreter | clock, s | processor, s |\n|---|---|---|")
    for name in names:
        say(row(f"`{name}`", [max(0.0, middle(costs[name], kind) - bare[kind]) for kind in bare]))


def middle(costs: Sequence[Cost], kind: str) -> float:
    """The median of one kind of cost."""
    return median(cost.of(kind) for cost in costs)


def fastest_of(costs: Sequence[Cost]) -> float:
    """The least processor time of all rounds: what other work on the machine disturbed least."""
    return min(cost.cpu for cost in costs)


def ratio(above: Sequence[Cost], below: Sequence[Cost], kind: str) -> float:
    """The median over the rounds of each round's own ratio."""
    return median(one.of(kind) / other.of(kind) for one, other in zip(above, below, strict=True))


def row(name: str, values: Sequence[float], *more: Any) -> str:
    """A row of a table in Markdown."""
    return "| " + " | ".join([name, *(f"{value:.2f}" for value in values), *map(str, more)]) + " |"


def say(text: str) -> None:
    """What was found, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measure everything, or what is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="how often each workload is run (default: %(default)s)")
    parser.add_argument("--only", choices=("ratio", "models", "regions", "imports"), help="default: all of them")
    asked = parser.parse_args()
    say(f"{os.cpu_count()} processors, {platform.system()} {platform.machine()}, Python {platform.python_version()}\n")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if asked.only in {None, "ratio"}:
            against_bare_apps(folder, asked.rounds)
            calls_to_node(folder, max(3, asked.rounds // 2))
        if asked.only in {None, "models"}:
            growth(folder, "models", (1, 3, 10, 30, 100), max(3, asked.rounds // 2))
        if asked.only in {None, "regions"}:
            growth(folder, "regions", (1, 2, 4), asked.rounds)
    if asked.only in {None, "imports"}:
        imports(asked.rounds)


if __name__ == "__main__":
    main()
