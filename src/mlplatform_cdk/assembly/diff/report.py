"""The difference as a report: sentences for one screen, every change in tables, the dangers as findings."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.acknowledgements import Acknowledgements
from mlplatform_cdk.assembly.diff.dangers import dangers
from mlplatform_cdk.assembly.diff.model import Action, AssemblyDiff, StackDiff, shown
from mlplatform_cdk.assembly.findings import Report, Table

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator

    from mlplatform_cdk.assembly.diff.model import ResourceChange

_COLUMNS = ("what", "resource", "type", "property", "before", "after")
_STACKS = 12  # named on the first screen
_HASH = re.compile(r"[0-9a-f]{64}")


def report_of(diff: AssemblyDiff, *, today: dt.date, acknowledgements: Acknowledgements | None = None) -> Report:
    """The report on a difference.

    :param today: decides which acknowledgements have expired.
    :param acknowledgements: dangers that a project accepts; default: none. An entry that covers nothing is left alone,
        since a change that is merged is no difference any more; it ends on its day.
    """
    findings, accepted = (acknowledgements or Acknowledgements()).split(dangers(diff), today=today, whole=False)
    return Report(
        verb="diff",
        subject=f"{diff.base} → {diff.head}",
        findings=findings,
        accepted=accepted,
        summary=tuple(_summary(diff)),
        tables=tuple(table for stack in diff.stacks if (table := _table(stack))),
    )


def _summary(diff: AssemblyDiff) -> Iterator[str]:
    if diff.is_empty:
        yield f"nothing differs in {_number(diff.compared, 'stack')}"
        return
    yield f"{len(diff.stacks)} of {_number(diff.compared, 'stack')} differ: {_counts(c for _, c in diff.changes())}"
    for stack in diff.stacks[:_STACKS]:
        yield f"{stack.key}: {_of(stack)}"
    if len(diff.stacks) > _STACKS:
        yield f"and {len(diff.stacks) - _STACKS} stacks more"
    assets = [change for _, change in diff.changes() if change.only_assets]
    if assets:
        yield f"only new content of assets: {_content(assets)}"


def _of(stack: StackDiff) -> str:
    if stack.before is None:
        return f"a new stack of {_number(len(stack.changes), 'resource')}"
    if stack.after is None:
        return f"no longer there, with {_number(len(stack.changes), 'resource')}"
    told = [_counts(stack.changes)] if stack.changes else []
    names = Counter(change.section.lower().removesuffix("s") for change in stack.sections)
    told += [f"{_number(count, name)} of the template" for name, count in names.items() if name != "stack"]
    if "stack" in names:
        told.append(_number(names["stack"], "setting") + " of the stack")
    return ", ".join(told)


def _counts(changes: Iterable[ResourceChange]) -> str:
    counted = Counter("new content" if change.only_assets else change.action.value for change in changes)
    names = [*(action.value for action in Action), "new content"]
    return ", ".join(f"{counted[name]} {name.replace('-', ' ')}" for name in names if counted[name]) or "no resource"


def _content(changes: list[ResourceChange]) -> str:
    """One line for all: how many resources of each type, and how many assets they share."""
    kinds = Counter(change.resource.type for change in changes)
    hashes = {name for change in changes for one in change.properties for name in _HASH.findall(str(one.after))}
    named = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"{named} ({_number(len(hashes), 'asset')})"


def _table(stack: StackDiff) -> Table | None:
    rows = [row for change in stack.changes if not change.only_assets for row in _rows(change)]
    rows += [(one.section, one.name, "", "", shown(one.before), shown(one.after)) for one in stack.sections]
    return Table(title=stack.key, columns=_COLUMNS, rows=tuple(rows), note=_note(stack)) if rows else None


def _note(stack: StackDiff) -> str:
    assets = [change for change in stack.changes if change.only_assets]
    return f"Beside these only new content of assets: {_content(assets)}." if assets else ""


def _rows(change: ResourceChange) -> Iterator[tuple[str, ...]]:
    known = (change.action.value, change.resource.path or change.resource.logical_id, change.resource.type)
    for values in list(changed_values(change)) or [("", "", "")]:
        yield (*known, *values)


def changed_values(change: ResourceChange) -> Iterator[tuple[str, str, str]]:
    """What differs, before and after: equal changes of one name on one line, hashes of assets on one."""
    if change.action is Action.MOVED and change.before is not None:
        yield "logical id", change.before.logical_id, change.resource.logical_id
    elif change.because:
        yield change.because, "", ""
    alike: dict[tuple[str, str, str, str], list[str]] = {}
    for one in change.properties:
        if not one.asset:
            effect = "" if one.effect.value == "update" else f" ({one.effect.value})"
            alike.setdefault((one.leaf, effect, shown(one.before), shown(one.after)), []).append(one.name)
    for (leaf, effect, before, after), names in alike.items():
        name = names[0] if len(names) == 1 else f"{leaf} in {len(names)} places, such as {names[0]}"
        yield name + effect, before, after
    if assets := sum(one.asset for one in change.properties):
        yield _number(assets, "hash of an asset", "hashes of assets"), "", ""


def _number(count: int, name: str, many: str | None = None) -> str:
    return f"{count} {name if count == 1 else many or name + 's'}"
