"""Does ``mlplatform diff`` compare folders and revisions, and end as it was asked to?"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlplatform_cdk.cli.console import CommandFailed
from mlplatform_cdk.cli.main import app
from tests.assembly.diff.stacks import resource, template, write

# An app that needs neither CDK nor node: it writes what CDK would.
APP = """
import json, os, pathlib
import sizes
out = pathlib.Path(os.environ["CDK_OUTDIR"])
out.mkdir(parents=True)
context = json.loads(os.environ["CDK_CONTEXT_JSON"])
properties = {"MemorySize": sizes.MEMORY, "Description": context.get("environment", "dev")}
function = {"Type": "AWS::Lambda::Function", "Properties": properties}
(out / "S.template.json").write_text(json.dumps({"Resources": {"F": function}}))
stack = {"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region",
         "properties": {"templateFile": "S.template.json"}, "displayName": "S"}
(out / "manifest.json").write_text(json.dumps({"artifacts": {"S": stack}}))
"""


def diff(*arguments: Path | str) -> Result:
    return CliRunner().invoke(app, ["diff", *map(str, arguments)])


def failure(result: Result) -> str:
    assert isinstance(result.exception, CommandFailed), result.output
    return str(result.exception)


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits of an app in a subfolder, whose library is installed from the checkout itself."""
    folder = tmp_path / "repository"
    (folder / "infra").mkdir(parents=True)
    (folder / "library").mkdir()
    git(tmp_path, "init", "--quiet", str(folder))
    (folder / "infra" / "cdk.json").write_text(json.dumps({"app": "python app.py"}))
    (folder / "infra" / "app.py").write_text(APP)
    for memory in (128, 256):
        (folder / "library" / "sizes.py").write_text(f"MEMORY = {memory}\n")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", f"{memory} MB")
    monkeypatch.syspath_prepend(str(folder / "library"))
    monkeypatch.chdir(folder / "infra")
    return folder


def pair(folder: Path, before: dict[str, Any], after: dict[str, Any]) -> tuple[Path, Path]:
    return write(folder / "a", Data=before), write(folder / "b", Data=after)


BUCKET = template(X=resource("AWS::S3::Bucket"))


def test_two_revisions_are_compared_each_with_its_own_library(repository: Path) -> None:
    result = diff("HEAD~1", "HEAD", "--format", "json")

    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    (change,) = document["stacks"][0]["resources"][0]["properties"]
    assert (change["before"], change["after"]) == ("128", "256")
    assert (document["base"], document["head"]) == ("HEAD~1", "HEAD")


def test_the_worktrees_are_gone_afterwards_even_when_the_app_fails(repository: Path) -> None:
    (repository / "infra" / "app.py").write_text('raise SystemExit("no environment of that name")')
    git(repository, "commit", "--quiet", "--all", "--message", "broken")

    assert failure(diff("HEAD~1", "HEAD")) == "HEAD does not synthesize: no environment of that name"

    assert len(git(repository, "worktree", "list").splitlines()) == 1
    assert git(repository, "status", "--porcelain", "--untracked-files=no") == ""


def test_context_reaches_both_revisions(repository: Path) -> None:
    result = diff("HEAD", "HEAD", "-c", "environment=prod")

    assert result.exit_code == 0
    assert "nothing differs in 1 stack" in result.stdout


def test_a_folder_and_a_revision_are_compared(repository: Path, tmp_path: Path) -> None:
    empty = write(tmp_path / "base")

    assert "1 added" in diff(empty, "HEAD").stdout


def test_what_is_neither_an_assembly_nor_a_revision_is_refused(repository: Path) -> None:
    assert "'nowhere' is neither a cloud assembly nor a revision that git knows" in failure(diff("nowhere", "HEAD"))
    assert "'--output=x' is neither" in failure(diff("HEAD", "--", "--output=x"))


def test_outside_of_a_repository_a_revision_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    said = failure(diff("main", "HEAD"))
    assert "'main' is no cloud assembly, as it has no manifest.json" in said
    assert "not a git repository" in said


def test_a_report_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    one, output = write(tmp_path / "one"), tmp_path / "absent" / "report.json"

    assert failure(diff(one, one, "--format", "json", "--output", output)).endswith(
        "report.json: No such file or directory"
    )


def test_it_fails_on_what_it_was_asked_to(tmp_path: Path) -> None:
    before, after = pair(tmp_path, BUCKET, template())

    assert diff(before, after).exit_code == 0
    assert diff(before, after, "--fail-on", "iam").exit_code == 0
    assert diff(before, after, "--fail-on", "iam", "--fail-on", "danger").exit_code == 1
    assert diff(before, before, "--fail-on", "any").exit_code == 0


def test_an_acknowledged_danger_passes(tmp_path: Path) -> None:
    before, after = pair(tmp_path, BUCKET, template())
    accepted = tmp_path / "accepted.yaml"
    accepted.write_text(
        "acknowledgements:\n  - {rule: data-lost, where: Try/Data/X, reason: it is empty, expires: 2999-01-31}\n"
    )

    assert diff(before, after, "--fail-on", "danger", "-a", accepted).exit_code == 0


@pytest.mark.parametrize(
    ("form", "sign"), [("markdown", "### mlplatform diff"), ("json", '"verb": "diff"'), ("sarif", '"version": "2.1.0"')]
)
def test_a_report_goes_to_a_file_and_the_terminal_keeps_its_own(tmp_path: Path, form: str, sign: str) -> None:
    before, after = pair(tmp_path, BUCKET, template())

    result = diff(before, after, "--format", form, "--output", tmp_path / "report")

    assert sign in (tmp_path / "report").read_text()
    assert "data-lost" in result.stdout
    assert sign not in result.stdout


def test_a_file_without_another_form_gets_that_of_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    before, after = pair(tmp_path, BUCKET, template())

    shown = diff(before, after, "--output", tmp_path / "report").stdout

    assert "data-lost" in shown
    assert (tmp_path / "report").read_text() == re.sub("\x1b[^m]*m", "", shown)


def test_environments_are_compared_by_pairs_and_words(tmp_path: Path) -> None:
    def parameter(name: str) -> dict[str, Any]:
        return template(X=resource("AWS::SSM::Parameter", {"Name": f"/{name}/x"}))

    before, after = write(tmp_path / "a", Dev=parameter("dev")), write(tmp_path / "b", Prod=parameter("prod"))

    assert "nothing differs" in diff(before, after, "--pair", "Try/Dev=Try/Prod", "--word", "dev=prod").stdout
    assert "--pair must be name=value, got 'Dev'" in failure(diff(before, after, "--pair", "Dev"))
