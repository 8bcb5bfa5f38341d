"""Does the README say what is?"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlplatform_cdk.assembly import read
from mlplatform_cdk.cli.main import app
from stacks.environments import BY_NAME

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def fences(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def section(name: str) -> str:
    return README.split(f"<!-- {name}:begin -->")[1].split(f"<!-- {name}:end -->")[0]


def test_the_example_is_the_program_in_examples_and_about_ten_lines() -> None:
    (example,) = fences("python")

    assert example in (ROOT / "examples" / "released_endpoint.py").read_text()
    assert len([line for line in example.splitlines() if line and not line.startswith("from ")]) <= 10


@pytest.mark.parametrize("program", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.stem)
def test_every_example_synthesizes(program: Path, tmp_path: Path) -> None:
    environment = os.environ | {"CDK_OUTDIR": str(tmp_path / "cdk.out"), "PYTHONPATH": str(ROOT)}

    result = subprocess.run(
        [sys.executable, str(program)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stderr
    assert (tmp_path / "cdk.out" / "manifest.json").exists()


def test_the_first_two_commands_are_the_demo_and_the_tests() -> None:
    commands = [line for fence in fences("sh") for line in fence.splitlines()]

    assert commands[:2] == ["make demo", "make test"]
    assert "exec make test" in (ROOT / ".ci" / "run").read_text()  # which is how we come to be run


def test_make_demo_walks_the_whole_path() -> None:
    result = subprocess.run(
        ["make", "--silent", "demo", "ARGS=--json"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["succeeded"]
    assert report["refused"]["error"] == "ModelRefused"
    assert report["seconds"] < 120
    assert report["peak_memory_mib"] < 3 * 1024


def test_the_cdk_cli_that_is_shown_is_the_one_that_is_tested() -> None:
    pinned = json.loads((ROOT / "package.json").read_text())["devDependencies"]["aws-cdk"]

    assert set(re.findall(r"npx aws-cdk@(\S+)", README)) == {pinned}


def test_what_pip_is_told_to_install_can_be_installed(wheel: Path) -> None:
    lines = [line for fence in fences("sh") for line in fence.splitlines() if line.startswith("pip install ")]

    assert len(lines) > 1
    for line in lines:
        wanted = line.removeprefix("pip install ").strip("'").replace("mlplatform-cdk", str(wheel))
        command = [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--python", sys.executable, wanted]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        assert "does not have an extra" not in result.stderr


@pytest.mark.parametrize(
    "line",
    [
        line
        for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
        for fence in fences("sh", page.read_text())
        for line in fence.splitlines()
        if line.startswith("mlplatform ")
    ],
)
def test_every_command_of_ours_exists_with_the_options_shown(line: str) -> None:
    _, *words = shlex.split(line.split(" > ", maxsplit=1)[0], comments=True)

    result = CliRunner().invoke(app, [*words, "--help"])

    assert result.exit_code == 0, result.output


def test_the_rooms_are_the_folders_that_there_are() -> None:
    named = set(re.findall(r"^\| `(\w+)/`", README, re.MULTILINE)) - {"stacks"}
    rooms = {path.name for path in (ROOT / "src" / "mlplatform_cdk").iterdir() if path.is_dir()} - {"__pycache__"}

    assert named == rooms


def test_the_table_of_environments_is_that_of_the_code() -> None:
    rows = {row[0]: row[1:] for row in re.findall(r"^\| `(\w+)` \|(.*)\|$", section("environments"), re.MULTILINE)}

    assert {name: [cell.strip() for cell in cells[0].split("|")] for name, cells in rows.items()} == {
        name: [
            environment.account,
            environment.region,
            str(environment.zones),
            f"`{environment.training_instance}`",
            f"`{environment.endpoint_instance}`",
            "deleted" if environment.removal_policy.name == "DESTROY" else "retained",
        ]
        for name, environment in BY_NAME.items()
    }


def test_links_lead_to_files() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_resources_in_the_table_of_figures_are_those_of_the_dev_environment(dev_assembly: Path) -> None:
    stacks = read(dev_assembly).all_stacks()
    resources = sum(len(set(stack.template["Resources"])) for stack in stacks)

    assert f"| {len(stacks)} stacks, {resources} resources," in section("figures")
