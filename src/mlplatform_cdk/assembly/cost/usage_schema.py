"""The JSON schema of ``usage.yaml``, for editors; made from what reads the file.

``python -m mlplatform_cdk.assembly.cost.usage_schema > docs/usage.schema.json``
"""

from __future__ import annotations

import json
import sys
from typing import Any

from mlplatform_cdk.assembly.cost.usage import DEFAULTS, DISCOUNTS, HOURS, MEMBERS, SHARES, VERSION, Usage


def usage_schema() -> dict[str, Any]:
    """The schema, in the 2020-12 draft."""
    amounts = {name: _amount(name, default, what) for name, (default, what) in DEFAULTS.items()}
    of_resource = {name: amount for name, amount in amounts.items() if name != HOURS}
    shares = {
        name: {"description": f"taken off {what}", "type": "number", "minimum": 0, "exclusiveMaximum": 1}
        for name, what in DISCOUNTS.items()
    }
    parts: dict[str, dict[str, Any]] = {
        "version": {"const": VERSION},
        "month": _closed(amounts),
        "resources": {"type": ["object", "null"], "additionalProperties": _closed(of_resource)},
        "discounts": _closed(shares),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "usage.yaml of mlplatform cost",
        "description": (Usage.__doc__ or "").split("\n", 1)[0],
        "type": "object",
        "properties": {name: {"description": what, **parts[name]} for name, what in MEMBERS.items()},
        "required": ["version"],
        "additionalProperties": False,
    }


def _amount(name: str, default: str, what: str) -> dict[str, Any]:
    limit = {"maximum": 1} if name in SHARES else {}
    return {"description": what, "type": "number", "minimum": 0, **limit, "default": json.loads(default)}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": ["object", "null"], "properties": properties, "additionalProperties": False}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(usage_schema(), indent=2) + "\n")
