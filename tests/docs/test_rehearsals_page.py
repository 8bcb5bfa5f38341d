"""Does docs/rehearsals.md say what there is?"""

import re
from pathlib import Path

from typer.main import get_command

from mlplatform_cdk.cli.rehearse import app
from mlplatform_cdk.local.rehearsal import clock, model
from mlplatform_cdk.local.rehearsal.findings import MOST_SECONDS_BACK
from mlplatform_cdk.local.rehearsal.load import CALLERS
from mlplatform_cdk.local.rehearsal.scenarios import ALL

PAGE = (Path(__file__).parents[2] / "docs" / "rehearsals.md").read_text()


def test_every_scenario_is_on_the_page_and_no_other() -> None:
    table = PAGE.split("## The scenarios")[1].split("In all of them")[0]

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [one.name for one in ALL]


def test_every_option_is_on_the_page_and_no_other() -> None:
    release = get_command(app).commands["release"]  # type: ignore[attr-defined] # a group
    there = {name for parameter in release.params for name in parameter.opts if name.startswith("--")}
    shown = set(re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE))

    assert shown == there - {"--help"}


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    assert CALLERS == 16
    assert "sixteen callers" in PAGE
    assert f"Green must have its last request within {MOST_SECONDS_BACK:.0f} s" in PAGE
    assert f"no wait takes more than {clock.LONGEST_WAIT_S:.0f} s" in PAGE
    assert f"no gate more than {clock.LONGEST_ANSWER_S:.0f}." in PAGE
    assert f"a budget of {model.LATENCY_BUDGET_MS / 1000:g} s" in PAGE


def test_the_page_says_from_when_each_scenario_counts() -> None:
    rows = re.findall(
        r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \|$", PAGE.split("last request within")[1].split("##")[0], re.MULTILINE
    )
    said = {name: text for names, text in rows for name in re.findall(r"`(\w+)`", names)}

    assert set(said) == {one.name for one in ALL if not one.is_released}
    for one in ALL:
        if one.counts_from == "verdict":
            assert said[one.name].startswith("the verdict")
            assert f"within {one.proof_within:,} of green's requests" in said[one.name]
