"""The estimate for programs; ``cost.schema.json`` beside this file says what each member means.

Money is a text, since binary fractions cannot hold it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.cost.lines import Kind
from mlplatform_cdk.assembly.cost.renderings.tables import assumptions

if TYPE_CHECKING:
    from decimal import Decimal

    from mlplatform_cdk.assembly.cost.delta import Change, Delta
    from mlplatform_cdk.assembly.cost.estimate import Estimate, Totals
    from mlplatform_cdk.assembly.cost.lines import Line
    from mlplatform_cdk.assembly.cost.money import Amount

VERSION = 1
SCHEMA = Path(__file__).with_name("cost.schema.json")


def estimate_as_json(estimate: Estimate) -> str:
    """The estimate as JSON, which ``cost.schema.json`` describes."""
    return _written({"version": VERSION, "estimate": _estimate(estimate)})


def delta_as_json(delta: Delta) -> str:
    """The difference and the new side's estimate as JSON, which ``cost.schema.json`` describes."""
    return _written(
        {
            "version": VERSION,
            "estimate": _estimate(delta.head),
            "delta": {
                "base": delta.base.subject,
                "base_totals": _totals(delta.base.totals()),
                "committed": _money(delta.difference(Kind.COMMITTED)),
                "committed_complete": not delta.open(Kind.COMMITTED),
                "used": _money(delta.difference(Kind.USAGE)),
                "used_complete": not delta.open(Kind.USAGE),
                "changes": [_change(change) for change in delta.changes],
                "unknown_added": list(delta.unknown_added),
                "unknown_gone": list(delta.unknown_gone),
            },
        }
    )


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {
        "subject": estimate.subject,
        "currency": "USD",
        "totals": _totals(estimate.totals()),
        "regions": {name: _totals(totals) for name, totals in estimate.by_region().items()},
        "stacks": {name: _totals(totals) for name, totals in estimate.by("stack").items()},
        "rooms": {name: _totals(totals) for name, totals in estimate.by("room").items()},
        "lines": [_line(line) for line in estimate.lines],
        "unknown": list(estimate.unknown),
        "free": {name: {"why": why, "resources": count} for name, (why, count) in estimate.free.items()},
        "assumptions": list(assumptions(estimate)),
        "use": {name: _money(amount) for name, (amount, _) in estimate.usage.assumptions().items()},
        "sources": {
            name: estimate.sources.get(name, name)
            for name in sorted({line.price.source for line in estimate.lines if line.price is not None})
        },
    }


def _line(line: Line) -> dict[str, Any]:
    return {
        "stack": line.place.stack,
        "room": line.place.room,
        "logical_id": line.place.logical_id,
        "path": line.place.path,
        "type": line.place.type,
        "kind": line.kind.value,
        "what": line.charge.what,
        "item": line.charge.item,
        "region": line.region,
        "quantity": _money(line.charge.quantity),
        "per": line.charge.per or None,
        "rate": _money(line.rate) if line.charge.per else None,
        "price": None
        if line.price is None
        else {
            "amount": _money(line.price.amount),
            "unit": line.price.unit,
            "source": line.price.source,
            "date": line.price.date,
        },
        "on_demand": _amount(line.on_demand),
        "options_set": _amount(line.discounted),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "path": change.line.place.path,
        "kind": change.line.kind.value,
        "what": change.line.charge.what,
        "before": None if change.before is None else _line(change.before),
        "after": None if change.after is None else _line(change.after),
        "difference": _money(change.difference),
    }


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "committed": _amount(totals.committed),
        "used": _amount(totals.used),
        "committed_options_set": _amount(totals.committed_discounted),
        "used_options_set": _amount(totals.used_discounted),
    }


def _amount(amount: Amount) -> dict[str, Any]:
    return {"known": _money(amount.known), "complete": amount.complete, "unknown": sorted(amount.unknown)}


def _money(value: Decimal | None) -> str | None:
    if value is None:
        return None
    plain = f"{value.normalize():f}"
    return "0" if plain in {"-0", ""} else plain


def _written(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2) + "\n"
