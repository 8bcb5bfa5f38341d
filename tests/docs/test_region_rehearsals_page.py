"""Does docs/rehearsals.md say what a rehearsal of regions does?"""

import re
from pathlib import Path

from typer.main import get_command

from mlplatform_cdk.cli.rehearse import app
from mlplatform_cdk.local.rehearsal.regions import deploying, faults, findings
from mlplatform_cdk.local.rehearsal.regions.rehearse import NETWORKS
from mlplatform_cdk.local.rehearsal.regions.scenarios import ALL
from mlplatform_cdk.runtimekit.client import Watching

PAGE = (Path(__file__).parents[2] / "docs" / "rehearsals.md").read_text().split("\n# Regions\n")[1]
COMMAND = get_command(app).commands["regions"]  # type: ignore[attr-defined] # a group


def test_every_scenario_is_on_the_page_and_no_other() -> None:
    table = PAGE.split("| name | what happens to the region |")[1].split("\n\n")[0]

    assert re.findall(r"^\| `([\w-]+)` \|", table, re.MULTILINE) == [one.name for one in ALL]


def test_every_option_is_on_the_page_and_no_other() -> None:
    there = {name for parameter in COMMAND.params for name in parameter.opts if name.startswith("--")}

    assert set(re.findall(r"^\| `(--[a-z-]+)", PAGE, re.MULTILINE)) == there - {"--help"}


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    rate = next(one.default for one in COMMAND.params if one.name == "rate")

    assert f"`--rate {rate:g}`" in PAGE
    assert f"`--clock-factor {deploying.DEFAULT_FACTOR:g}`" in PAGE
    assert f"answers {faults.DELAY_MS / 1000:g} s late" in PAGE
    assert (findings.INTERVALS, findings.SLACK_S) == (3, 0.5)
    assert "within three intervals" in PAGE
    assert "half a second" in PAGE
    assert f"through {2 * NETWORKS} resolvers" in PAGE
    assert f"reads every {Watching().every_s:.0f} seconds" in PAGE
