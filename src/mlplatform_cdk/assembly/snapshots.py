"""Templates as people review them: one sorted file per stack, whose diff in a pull request is the change itself."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.reader import read

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_ASSET_HASH = re.compile(r"\b[0-9a-f]{64}\b")


def templates(assembly: Path) -> Mapping[str, dict[str, Any]]:
    """The templates of the assembly in that folder, by the last part of their stack's path in the app."""
    return {
        stack.display_name.split(" ")[0].rpartition("/")[2]: stack.template for stack in read(assembly).all_stacks()
    }


def reviewable(template: Mapping[str, Any]) -> str:
    """The template as sorted JSON, without the hashes that every change of code changes."""
    return _ASSET_HASH.sub("<asset>", json.dumps(template, indent=1, sort_keys=True)) + "\n"


def write_snapshots(found: Mapping[str, Mapping[str, Any]], folder: Path) -> None:
    """Accept the templates as they are: one file for each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, template in found.items():
        (folder / f"{name}.json").write_text(reviewable(template), encoding="utf-8")
