"""Is the model wrong where it is told to be, and right everywhere else?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.local.rehearsal.regions.faults import Fronts
from mlplatform_cdk.local.settings import Settings


def test_one_archive_is_wrong_in_one_region_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fronts = Fronts(Settings(state_dir=tmp_path), tmp_path)
    hooks: dict[str, Any] = {}

    def answered(region: str) -> dict[str, int]:
        monkeypatch.setenv("AWS_REGION", region)
        exec(compile(fronts.model().hooks or "", "hooks.py", "exec"), hooks)
        found: dict[str, int] = hooks["postprocess"]({"label": 1, "score": 3})
        return found

    (tmp_path / "eu-west-1").touch()

    assert answered("eu-west-1") == {"label": 0, "score": -3}
    assert answered("us-east-1") == {"label": 1, "score": 3}
