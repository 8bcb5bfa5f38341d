"""A teardown for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from mlplatform_cdk.assembly.cost.money import told

if TYPE_CHECKING:
    from rich.console import Console

    from mlplatform_cdk.assembly.teardown.kept import Kept
    from mlplatform_cdk.assembly.teardown.plan import Plan

_UNKNOWN = "what its size costs"


def print_plan(plan: Plan, out: Console) -> None:
    """The order, and what stays; names are whole, however narrow the terminal is."""
    out.print("[bold]what goes, in this order[/]")
    for number, step in enumerate(plan.steps, start=1):
        protected = ["its termination protection must be taken off"] if step.protected else []
        refusing = [f"{one} refuses to go: take its protection off" for one in step.blocked_by]
        first = "; ".join([*protected, *refusing, *(f"first {one}" for one in step.takes_away)])
        out.print(f"{number:3} {escape(step.stack)} in {step.region or 'any region'}", soft_wrap=True)
        if first:
            out.print(f"    {escape(first)}", soft_wrap=True)
    out.print("[bold]what stays[/]" if plan.kept else "[bold]nothing stays[/]")
    for one in plan.kept:
        out.print(f"    {escape(one.name)}", soft_wrap=True)
        where = f"{one.type} in {one.region or 'any region'}"
        out.print(f"        {where}: {_month(one)} a month; {escape(one.why)}", soft_wrap=True)
    out.print(f"What stays costs {told(plan.month)} a month, as far as a template tells.", soft_wrap=True)


def as_json(plan: Plan) -> str:
    """The same as JSON."""
    document: dict[str, Any] = {
        "steps": [
            {
                "stack": one.stack,
                "region": one.region,
                "takes_away": list(one.takes_away),
                "keeps": one.keeps,
                "termination_protection": one.protected,
                "blocked_by": list(one.blocked_by),
            }
            for one in plan.steps
        ],
        "kept": [
            {
                "name": one.name,
                "type": one.type,
                "stack": one.stack,
                "region": one.region,
                "why": one.why,
                "usd_a_month": None if one.month is None or not one.month.complete else str(one.month.known),
            }
            for one in plan.kept
        ],
        "usd_a_month": str(plan.month.known),
    }
    return json.dumps(document, indent=2) + "\n"


def _month(one: Kept) -> str:
    return _UNKNOWN if one.month is None else told(one.month)
