"""What does `mlplatform local rehearse regions` tell, and how does it end?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from mlplatform_cdk.cli.main import app
from mlplatform_cdk.cli.rehearse import telling
from mlplatform_cdk.local import server
from mlplatform_cdk.local.rehearsal.regions import deploying
from mlplatform_cdk.local.rehearsal.regions.report import Capacity, Counts, Outcome
from mlplatform_cdk.local.rehearsal.regions.scenarios import Scenario

HELD = Outcome(
    name="killed",
    title="a region refuses every connection",
    held=True,
    detect_s=3.36,
    detect_within_s=6.0,
    shift_s=0.3,
    left_s=7.97,
    left_within_s=12.3,
    well_s=10.2,
    return_s=27.4,
    plain=Counts(sent=766, failed=48, wrong=0, last_bad_s=7.97),
    client=Counts(sent=765, failed=0, wrong=0, last_bad_s=None),
    capacity=Capacity(asked=24, right=21, survivor_before=12, survivor_during=24, p99_before_ms=40, p99_during_ms=150),
)
LOST = Outcome(name="wrong", title="a region's model answers wrongly", held=False, problems=("it did not hold",))


@pytest.fixture
def rehearse(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """The verb over scenarios that have ended already; nothing is deployed."""

    class Rehearsal:
        def run(self, scenarios: Sequence[Scenario]) -> Iterator[Outcome]:
            yield from (one for one in (HELD, LOST) if one.name in {scenario.name for scenario in scenarios})

    @contextmanager
    def nothing(*_: Any, **__: Any) -> Iterator[Any]:
        yield type("Aws", (), {"settings": None})

    @contextmanager
    def deployed(*_: Any, **__: Any) -> Iterator[Rehearsal]:
        yield Rehearsal()

    # A console keeps the width that it was made with, whoever imported it first.
    monkeypatch.setattr(telling, "OUT", Console(width=200, highlight=False))
    monkeypatch.setattr(server, "start", nothing)
    monkeypatch.setattr(deploying, "deployed", deployed)

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["local", "rehearse", "regions", *arguments])
        return result.exit_code, result.stdout

    return run


def test_every_scenario_that_held_ends_well_and_shows_its_seconds(rehearse: Callable[..., tuple[int, str]]) -> None:
    code, text = rehearse("-s", "killed")

    assert code == 0
    assert "1 of 1 scenarios held" in text
    for shown in ("3.4 of 6.0", "8.0 of 12.3", "48 + 0 of 766", "0 + 0 of 765", "88%"):
        assert shown in text


def test_one_that_did_not_hold_is_said_and_ends_with_1(rehearse: Callable[..., tuple[int, str]]) -> None:
    code, text = rehearse()

    assert code == 1
    assert "1 of 2 scenarios held" in text
    assert "a region's model answers wrongly: it did not hold" in text


def test_the_report_is_json_and_nothing_else(rehearse: Callable[..., tuple[int, str]]) -> None:
    code, text = rehearse("--json")
    report = json.loads(text)

    assert (code, report["held"], [one["name"] for one in report["outcomes"]]) == (1, False, ["killed", "wrong"])
    assert report["clock"].startswith("A second took 0.2 s: the probe's interval was 2 s instead of 10")


def test_the_page_shows_each_scenario(rehearse: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    rehearse("--html", str(tmp_path / "page.html"))
    page = (tmp_path / "page.html").read_text()

    assert "1 of 2 scenarios held" in page
    assert "it did not hold" in page
    assert page.count("<svg") == 4
    assert "48 + 0 of 766" in page


def test_a_scenario_that_there_is_not_is_told_in_a_sentence() -> None:
    result = CliRunner().invoke(app, ["local", "rehearse", "regions", "-s", "lightning"])

    assert result.exit_code != 0
    told = f"{result.output} {result.exception}"
    assert "--scenario must be one of killed, hanging, slow, wrong, bad-version, got lightning" in told
