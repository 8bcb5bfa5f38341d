"""The results as Markdown: tables, ratios to our server, and what the targets say."""

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from benchmarks.serving import targets

Results = Mapping[str, Any]
_OURS = "mlplatform"
MARK = "<!-- what follows is written by python -m benchmarks.serving --write -->"


def markdown(found: Results) -> str:
    """All tables of the parts that were measured."""
    machine = found["machine"]
    place = f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}"
    how = "servers and load generator on this machine, taking turns; medians"
    lines = [f"{place}, ONNX Runtime {machine['onnxruntime']}; {how}; closed loop by {machine['closed loop']}.", ""]
    if found.get("quick"):
        lines += ["A quick run: it shows that everything runs, not how fast it is.", ""]
    writers = {
        "tabular": _tabular,
        "start-up": _start_up,
        "formats": _formats,
        "image": _heavy,
        "transformer": _heavy,
        "overload": _overload,
    }
    for name, write in writers.items():
        if name in found:
            lines += [f"### {name.capitalize()}", "", *write(found[name]), ""]
    lines += ["### Targets", "", *targets.table(found), ""]
    return "\n".join(lines)


def into(page: str, text: str) -> str:
    """``page`` with ``text`` in place of all that follows its mark."""
    head, mark, _ = page.partition(MARK)
    if not mark:
        raise ValueError(f"the page must have the line {MARK!r}, after which the tables stand")
    return f"{head}{mark}\n\n{text}"


def _tabular(part: Results) -> Iterator[str]:
    for load, servers in part["loads"].items():
        yield f"**{load}**"
        yield ""
        yield from _table(servers)
        yield ""
    yield "**At rest after all of it**"
    yield ""
    yield "| server | first answer, s | resident, MB | installed, MB |"
    yield "|---|---|---|---|"
    for name, one in part["servers"].items():
        yield f"| {name} | {one['first answer s']:.2f} | {one['resident MB']:.0f} | {one['installed MB']:.0f} |"
    yield ""
    yield "(Started one after another beside those that run already; alone on the machine: start-up.)"


def _start_up(part: Results) -> Iterator[str]:
    yield "| server | first answer, s | of |"
    yield "|---|---|---|"
    for name, seconds in part.items():
        yield f"| {name} | {median(seconds):.2f} | {', '.join(f'{one:.2f}' for one in seconds)} |"


def _formats(part: Results) -> Iterator[str]:
    for kind, servers in part.items():
        yield f"**{kind}, 100 rows, 16 connections**"
        yield ""
        yield from _table(servers)
        yield ""


def _heavy(part: Results) -> Iterator[str]:
    for precision, one in part.items():
        alone = one["alone"]
        turns = f"{min(alone):.1f} to {max(alone):.1f} in its turns at 16 connections"
        yield f"**{precision}**: ONNX Runtime alone {median(alone):.1f}/s ({turns})."
        yield ""
        for load, servers in one["loads"].items():
            yield f"{load}:"
            yield ""
            yield from _table(servers)
            yield ""


def _overload(part: Results) -> Iterator[str]:
    yield f"Transformer, fp32; ONNX Runtime alone does {part['capacity']:.1f}/s."
    yield ""
    yield "| server | answered/s | p50, ms | p99, ms | by status | unanswered after 5 s |"
    yield "|---|---|---|---|---|---|"
    for name, one in part["loads"]["3 x capacity"].items():
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(one["statuses"].items()))
        yield (
            f"| {name} | {one['per_second']:.1f} | {one['p50_ms']:.0f} | {one['p99_ms']:.0f} "
            f"| {statuses} | {one['unanswered']} |"
        )


def _table(servers: Mapping[str, Any]) -> Iterator[str]:
    ours = servers[_OURS]["per_second"]
    yield "| server | answers/s | ours is | p50, ms | p99, ms | CPU, µs per answer | not 200 |"
    yield "|---|---|---|---|---|---|---|"
    for name, one in servers.items():
        ratio = f"{ours / one['per_second']:.2f} times" if one["per_second"] else "-"
        cpu = f"{one['server_cpu_us']:.0f}" if one["server_cpu_us"] else "-"
        failed = sum(count for status, count in one["statuses"].items() if status != "200")
        failed += one["broken"] + one["unanswered"]
        yield (
            f"| {name} | {one['per_second']:,.0f} | {ratio} | {one['p50_ms']:.2f} | {one['p99_ms']:.2f} "
            f"| {cpu} | {failed} |"
        )
