"""Is each stack what was reviewed? Accept a change with ``make snapshots``."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from stacks.environments import PROD

SNAPSHOTS = Path(__file__).parent / "snapshots"
STACKS = ("Foundation", "Registry", "Data", "Workspace", "Training", "Serving")
ASSET_HASH = re.compile(r"\b[0-9a-f]{64}\b")


def reviewable(template: object) -> str:
    return ASSET_HASH.sub("<asset>", json.dumps(template, indent=1, sort_keys=True)) + "\n"


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_of_production_is_the_reviewed_one(stack: str, platforms: Mapping[str, object]) -> None:
    snapshot = SNAPSHOTS / f"{stack}.json"
    current = reviewable(platforms[PROD.name].stacks[stack].template)
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_text(current)

    assert current == snapshot.read_text(), f"{stack} changed; review it and accept it with `make snapshots`"


def test_every_stack_has_a_snapshot_and_every_snapshot_a_stack(platforms: Mapping[str, object]) -> None:
    assert set(STACKS) == set(platforms[PROD.name].stacks) == {path.stem for path in SNAPSHOTS.glob("*.json")}
