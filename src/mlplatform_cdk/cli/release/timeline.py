"""A release as the terminal shows it: where it stands, how the traffic moved, and every decision."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mlplatform_cdk.cli.release.view import Seen
from mlplatform_cdk.runtimekit import release_facts as facts
from mlplatform_cdk.runtimekit.release_records import Record

AGAIN = "look again"  # what a look decides that sees nothing to decide
_WIDTH = 48
_BARS = " ▁▂▃▄▅▆▇█"
_ALL = 100.0
_COLOURS = {"SUCCEEDED": "green", "RUNNING": "cyan", "FAILED": "red", "ABORTED": "red", "TIMED_OUT": "red"}


def drawn(seen: Seen) -> RenderableType:
    """The whole picture."""
    parts: list[RenderableType] = [_head(seen)]
    if any(one.percent is not None for one in seen.records):
        parts += [_stops(seen) if seen.address.is_train else _share(seen.percent or 0.0), _course(seen)]
    if steps := _schedule(seen):
        parts.append(steps)
    if seen.records:
        parts += [Text(), decisions(seen.records)]
    if known := facts.table(seen.metrics):
        parts += [Text(), Text(known, style="dim")]
    return Group(*parts, *_advice(seen))


def decisions(records: Sequence[Record]) -> Table:
    """Every decision with its time since the first; looks that decided nothing are one line."""
    table = Table("after", "step", "decision", "green", "who", box=None, pad_edge=False, header_style="dim")
    began = records[0].moment
    for record, looks in _folded(records):
        share = "" if record.percent is None else facts.share(record.percent)
        said = Text(f"{record.decision} ({looks} times)" if looks > 1 else record.decision)
        if record.reason:
            said.append(f"\n{record.reason}", style="dim")
        after = facts.since((record.moment - began).total_seconds())
        table.add_row(after, Text(record.step), said, share, Text(record.who))
    return table


def _head(seen: Seen) -> Text:
    status = seen.execution.status
    line = Text.assemble((seen.address.endpoint, "bold"), "  ", facts.label(seen.version), "  ")
    line.append(status.lower().replace("_", " ") or "forgotten", style=f"bold {_COLOURS.get(status, 'yellow')}")
    line.append(f"  {facts.since(seen.lasts_s)}", style="dim")
    if seen.execution.error:
        line.append(f"\n{seen.execution.error}: {seen.execution.cause}", style="red")
    return line


def _share(percent: float) -> Text:
    """How the traffic is shared now."""
    green = round(_WIDTH * percent / _ALL)
    bar = Text.assemble(("traffic  ", "dim"))
    bar.append("█" * green, style="green")
    bar.append("█" * (_WIDTH - green), style="blue")
    return bar.append(f"  green {facts.share(percent)}")


def _stops(seen: Seen) -> Text:
    """At which share of a train's stops the version is."""
    reached = round(_WIDTH * (seen.percent or 0.0) / _ALL)
    bar = Text.assemble(("stops    ", "dim"), ("█" * reached, "green"), ("░" * (_WIDTH - reached), "dim"))
    return bar.append(f"  {facts.share(seen.percent or 0.0)} reached")


def _course(seen: Seen) -> Text:
    """Green's share from the first record to the end, as a row of bars."""
    began, length = seen.records[0].moment, max(seen.lasts_s, 1e-9)
    points = [
        ((one.moment - began).total_seconds() / length * _WIDTH, one.percent)
        for one in seen.records
        if one.percent is not None
    ]
    row = "".join(
        _bar(next((share for place, share in reversed(points) if place <= column + 1), 0.0)) for column in range(_WIDTH)
    )
    return Text.assemble(("course   ", "dim"), (row, "green"), (f"  {facts.since(seen.lasts_s)}", "dim"))


def _bar(percent: float) -> str:
    top = len(_BARS) - 1
    return _BARS[max(min(round(percent / _ALL * top), top), 1 if percent else 0)]


def _schedule(seen: Seen) -> Text | None:
    """The steps of the strategy: passed, now, and to come; gates are marked."""
    steps = seen.address.strategy.get("steps", [])
    if not steps:
        return None
    gates = {gate["at_percent"] for gate in seen.address.strategy.get("gates", [])}
    now = seen.percent or 0.0
    line = Text.assemble(("steps    ", "dim"))
    for step in steps:
        style = "green" if step < now else "bold green" if step == now else "dim"
        line.append(f"{step:g}{' ⚑' if step in gates else ''}  ", style=style)
    return line.append("%" + ("  ⚑ a person is asked" if gates else ""), style="dim")


def _folded(records: Sequence[Record]) -> Iterable[tuple[Record, int]]:
    """Neighbours that say the same as one, with their number; the last of them stands for all."""
    for _, group in groupby(
        records, lambda one: (one.step, one.who, one.decision, one.percent, one.decision != AGAIN and one.at)
    ):
        same = [*group]
        yield same[-1], len(same)


def _advice(seen: Seen) -> list[Text]:
    if seen.gate is None:
        return []
    name, gate = seen.address.endpoint, seen.gate.id
    return [
        Text(),
        Text(f"It waits for a person until {facts.moment(seen.gate.expires)}:", style="bold yellow"),
        *(Text(f"  {what}: {value}") for what, value in facts.journey(seen.gate.metrics)),
        Text(f"  mlplatform release approve {name} --gate {gate}"),
        Text(f'  mlplatform release reject {name} --gate {gate} --reason "..."'),
    ]
