"""Is each stack of production what was reviewed? Accept a change with ``UPDATE_SNAPSHOTS=1 pytest``."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly.snapshots import reviewable, write_snapshots

SNAPSHOTS = Path(__file__).parent / "snapshots"
HOME = ("Foundation", "Registry", "Data", "Workspace", "Training", "Serving", "Train")
STACKS = (*HOME, "Foundation-eu-central-1", "Registry-eu-central-1", "Serving-eu-central-1", "Names")


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_of_production_is_the_reviewed_one(stack: str, production: Mapping[str, Any]) -> None:
    if os.environ.get("UPDATE_SNAPSHOTS"):
        write_snapshots({stack: production[stack]}, SNAPSHOTS)

    reviewed = (SNAPSHOTS / f"{stack}.json").read_text()
    assert reviewable(production[stack]) == reviewed, (
        f"{stack} changed; review it and accept it with UPDATE_SNAPSHOTS=1 pytest"
    )


def test_every_stack_has_a_snapshot_and_every_snapshot_a_stack(production: Mapping[str, Any]) -> None:
    assert set(STACKS) == set(production) == {path.stem for path in SNAPSHOTS.glob("*.json")}
