"""Does docs/ab-tests.md say what the code does?"""

import math
import re
from pathlib import Path

import pytest
from scipy import stats

from mlplatform_cdk.release.ab_test.runtime.decision import _MISMATCH, _TAKEN_AT
from mlplatform_cdk.release.ab_test.runtime.power import samples_needed
from mlplatform_cdk.runtimekit.ab_test import Metric, TestPlan
from mlplatform_cdk.runtimekit.ab_test.assignment import assign, draw
from mlplatform_cdk.runtimekit.ab_test.client import REFRESH_S
from mlplatform_cdk.runtimekit.ab_test.plan import MOST_LOOKS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "ab-tests.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under ``heading``."""
    lines = [line for line in TEXT.split(heading)[1].split("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize("cells", rows("### Which variant a key gets"), ids=lambda cells: cells[1])
def test_every_example_of_the_assignment_holds(cells: list[str]) -> None:
    salt, key, equal, unequal, u_of_a, u_of_b = cells

    assert assign(salt, key, {"a": 0.5, "b": 0.5}) == equal
    assert assign(salt, key, {"a": 0.9, "b": 0.1}) == unequal
    assert (draw(salt, key, "a"), draw(salt, key, "b")) == (float(u_of_a), float(u_of_b))


@pytest.mark.parametrize("cells", rows("### How many samples"), ids=lambda cells: f"{cells[0]} {cells[1]}")
def test_the_samples_are_those_that_are_computed(cells: list[str]) -> None:
    base, effect = float(cells[0]), float(cells[1])
    plan = TestPlan(metric=Metric(name="m", effect=effect))
    z = stats.norm.isf(0.025) + stats.norm.ppf(0.8)
    once = z**2 * (base * (1 - base) + (base + effect) * (1 - base - effect)) / effect**2

    computed = [samples_needed(plan, base=base, variants=variants) for variants in (2, 3, 5, 10)]
    assert [int(cell.replace(",", "")) for cell in cells[2:]] == [*computed, round(once)]


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    plan = TestPlan(metric=Metric(name="m", effect=0.01))

    assert f"at most {MOST_LOOKS:,}" in TEXT
    assert "(28 days; counted in looks" in TEXT
    assert plan.duration.days == 28
    assert f"`minimum_samples` ({plan.minimum_samples} per variant)" in TEXT
    assert f"`error_rate` ({plan.error_rate})" in TEXT
    assert f"hold for {REFRESH_S:.0f} seconds" in TEXT
    assert f"at least {_TAKEN_AT:.0%}".replace("%", " %") in TEXT
    assert f"at {_MISMATCH})" in TEXT
    assert math.isclose(12 * 0.625 + 2.5 * 0.125, 7.8, abs_tol=0.05)


def test_every_file_that_is_named_is_there() -> None:
    for name in re.findall(r"\]\((\.\./[^)]+)\)", TEXT):
        assert (ROOT / "docs" / name).resolve().exists(), name
    assert (ROOT / "src/mlplatform_cdk" / "release/ab_test/runtime/power.py").exists()
