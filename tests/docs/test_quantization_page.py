"""Do the commands that docs/quantization.md shows exist?"""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from mlplatform_cdk.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "quantization.md").read_text()
SHOWN = [line.split("#")[0].split() for line in re.findall(r"^mlplatform (.+)$", PAGE, re.MULTILINE)]
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


def options(verb: str) -> set[str]:
    return {one for parameter in COMMANDS[verb].params for one in parameter.opts if one.startswith("-")}


@pytest.mark.parametrize("words", SHOWN, ids=" ".join)
def test_a_command_that_is_shown_takes_what_is_shown(words: list[str]) -> None:
    assert {one for one in words if one.startswith("-")} <= options(words[0])


@pytest.mark.parametrize("verb", ["quantize", "tune"])
def test_every_option_in_the_verbs_section_is_one_of_it(verb: str) -> None:
    section = PAGE.split(f"## `mlplatform {verb}`")[1].split("\n## ")[0]
    named = set(re.findall(r"`(--[a-z-]+)", section))

    assert named
    assert named <= options(verb)
