"""How many cores does a container count?"""

import os
from pathlib import Path

import pytest

from mlplatform_cdk.serving.container.engines import cores


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Eight cores and no bounds, but for what a test writes."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    for name, file in (("_QUOTA", "cpu.max"), ("_OLD_QUOTA", "quota"), ("_OLD_PERIOD", "period")):
        monkeypatch.setattr(cores, name, tmp_path / file)
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", raising=False)
    return tmp_path


def test_without_bounds_those_of_the_affinity() -> None:
    assert cores.usable_cores() == 8


@pytest.mark.parametrize(
    ("told", "expected"), [("max 100000", 8), ("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 1)]
)
def test_no_more_than_the_quota_of_the_control_group_keeps_busy(machine: Path, told: str, expected: int) -> None:
    (machine / "cpu.max").write_text(told + "\n")

    assert cores.usable_cores() == expected


@pytest.mark.parametrize(("quota", "expected"), [("-1", 8), ("400000", 4)])
def test_the_older_kind_of_control_group_counts_too(machine: Path, quota: str, expected: int) -> None:
    (machine / "quota").write_text(quota + "\n")
    (machine / "period").write_text("100000\n")

    assert cores.usable_cores() == expected


@pytest.mark.parametrize(("megabytes", "expected"), [("512", 1), ("1769", 1), ("3538", 2), ("10240", 5)])
def test_under_lambda_as_many_as_come_with_its_memory(
    monkeypatch: pytest.MonkeyPatch, megabytes: str, expected: int
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", megabytes)

    assert cores.usable_cores() == expected
