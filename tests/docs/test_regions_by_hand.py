"""Does docs/region-health.md say what `mlplatform region` takes and writes?"""

import re
import shlex
from pathlib import Path

import click
import pytest
from typer.main import get_command

from mlplatform_cdk.cli.main import app
from mlplatform_cdk.cli.region.view import Seen
from mlplatform_cdk.routing import GlobalNames, HealthProbe, RegionSwitches

PAGE = (Path(__file__).parents[2] / "docs" / "region-health.md").read_text(encoding="utf-8")
SECTION = PAGE[PAGE.index("## By hand") :]
COMMANDS = [
    shlex.split(line.split(" > ")[0]) for line in re.findall(r"^mlplatform (region .+)$", SECTION, re.MULTILINE)
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_each_command_of_the_page_is_one(arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("switches.json").touch()
    command = get_command(app)
    context = click.Context(command)
    while isinstance(command, click.Group):
        found = command.get_command(context, arguments[0])
        assert found is not None
        command, arguments = found, arguments[1:]

    command.make_context("verb", arguments, parent=context)  # or it ends with a usage error


def test_the_page_has_each_verb_and_each_field() -> None:
    assert {one[1] for one in COMMANDS} == {"status", "drain", "restore", "switches"}
    for field in Seen(region="eu-west-1").to_mapping():
        assert f"`{field}`" in SECTION


def test_the_grants_of_the_page_are_there() -> None:
    for owner, grants in (
        (HealthProbe, ("status", "drain")),
        (GlobalNames, ("status",)),
        (RegionSwitches, ("switch",)),
    ):
        for grant in grants:
            assert callable(getattr(owner, f"grant_{grant}"))
            assert f"grant_{grant}(role)" in SECTION
