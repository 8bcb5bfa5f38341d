"""Does the arithmetic of docs/rollback-arithmetic.md add up, and is it that of the code?"""

import random
import re
from pathlib import Path
from statistics import median

import pytest

from mlplatform_cdk.release.blue_green.runtime.evidence.significance import above, worse
from mlplatform_cdk.runtimekit.release_strategy import Strategy

PAGE = (Path(__file__).parents[2] / "docs/rollback-arithmetic.md").read_text()
PROOF = 1000
RUNS = 40


def tables() -> list[list[list[str]]]:
    """The cells of the two tables of seconds, without heads."""
    found = re.findall(r"\| term \|.*?\n\|---.*?\n((?:\|.*\n)+)", PAGE)
    return [[[cell.strip() for cell in row.strip("|").split("|")] for row in one.splitlines()] for one in found]


def seconds(cell: str) -> int:
    match = re.search(r"(\d+) s", cell)
    return int(match[1]) if match else 0


@pytest.mark.parametrize("table", [0, 1])
@pytest.mark.parametrize("column", [1, 2])
def test_the_terms_add_up(table: int, column: int) -> None:
    rows = tables()[table]
    last = next(place for place, row in enumerate(rows) if "until SageMaker is told" in row[0])

    assert sum(seconds(row[column]) for row in rows[:last]) == seconds(rows[last][column])


def test_the_look_is_as_often_as_the_page_says() -> None:
    assert Strategy.linear().look_every.total_seconds() == 10


@pytest.mark.parametrize(
    ("fails", "traffic", "said"), [(0.1, 0.05, 46), (0.05, 0.2, 149), (0.02, 0.05, 272), (0.01, 0.05, 467)]
)
def test_a_proof_takes_about_as_many_requests_as_the_page_says(fails: float, traffic: float, said: int) -> None:
    chance = random.Random(11)

    assert median(_until_proved(chance, fails, traffic) for _ in range(RUNS)) == pytest.approx(said, rel=0.35)


def _until_proved(chance: random.Random, fails: float, traffic: float) -> int:
    """Green's requests until its failures prove a fault; blue never fails."""
    green = blue = failed = 0
    while True:
        if chance.random() >= traffic:
            blue += 1
            continue
        green += 1
        if chance.random() < fails:
            failed += 1
            proofs = (above(failed, green, 0.01), worse([(failed, green, 0, blue)], 2.0))
            if failed >= 5 and max(proofs) >= PROOF:
                return green
