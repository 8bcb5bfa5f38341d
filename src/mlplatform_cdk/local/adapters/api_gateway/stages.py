"""A method's own settings can be taken off a stage, after which it has those of all methods; moto leaves them there.

https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
"""

from __future__ import annotations

import functools
from typing import Any

from moto.apigateway.models import Stage


def install() -> None:
    """Take them off, beside what moto does."""
    inner = Stage.apply_operations
    if getattr(inner, "removes_settings", False):
        return

    @functools.wraps(inner)
    def applying(stage: Stage, patch_operations: list[dict[str, Any]]) -> Stage:
        for one in patch_operations:
            if one["op"] == "remove":
                stage.method_settings.pop(one["path"].removeprefix("/"), None)
        return inner(stage, patch_operations)

    applying.removes_settings = True  # type: ignore[attr-defined]
    Stage.apply_operations = applying
