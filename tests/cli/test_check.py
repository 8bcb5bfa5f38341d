"""``mlplatform check``: options, forms, exit codes and the sentences of its failures."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mlplatform_cdk.assembly import AssemblyError
from mlplatform_cdk.assembly import check as checking
from mlplatform_cdk.assembly.findings import Finding, Report, Severity
from mlplatform_cdk.cli.console import CommandFailed
from mlplatform_cdk.cli.main import app

ENTRY = "acknowledgements:\n  - {rule: R, where: '**', reason: known, expires: 2999-01-01}\n"
POLICY = "from mlplatform_cdk.assembly.check.policy import rule\n@rule('acme')\ndef acme(resource): return []\n"


class Checked:
    """Stands in for the check itself, and remembers what it was asked."""

    def __init__(self) -> None:
        self.severity: Severity | None = Severity.WARNING
        self.asked: dict[str, Any] = {}

    def __call__(self, directory: Path, **asked: Any) -> Report:
        self.asked = {"directory": directory, **asked}
        found = () if self.severity is None else (Finding(rule="R", severity=self.severity, message="so it is"),)
        return Report(verb="check", subject=str(directory), findings=found)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Checked:
    stand_in = Checked()
    monkeypatch.setattr(checking, "check", stand_in)
    return stand_in


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


@pytest.mark.parametrize(
    ("severity", "fail_on", "code"),
    [
        (Severity.ERROR, "error", 1),
        (Severity.WARNING, "error", 0),
        (Severity.WARNING, "warning", 1),
        (Severity.INFO, "warning", 0),
        (Severity.ERROR, "never", 0),
        (None, "warning", 0),
    ],
)
def test_the_exit_code_follows_the_worst_finding(
    checked: Checked, severity: Severity | None, fail_on: str, code: int
) -> None:
    checked.severity = severity

    assert run("cdk.out", "--fail-on", fail_on).exit_code == code


def test_each_form_is_written_to_stdout(checked: Checked) -> None:
    assert "warning R (1) so it is" in run("cdk.out").stdout
    assert run("cdk.out", "--format", "markdown").stdout.startswith("### mlplatform check: 1 warning")
    assert json.loads(run("cdk.out", "--format", "json").stdout)["counts"]["warning"] == 1
    assert json.loads(run("cdk.out", "--format", "sarif").stdout)["version"] == "2.1.0"


def test_a_file_gets_its_form_and_the_terminal_keeps_its_own(checked: Checked, tmp_path: Path) -> None:
    result = run("cdk.out", "--format", "sarif", "--output", tmp_path / "report.sarif")

    assert "warning R (1) so it is" in result.stdout
    assert json.loads((tmp_path / "report.sarif").read_text())["version"] == "2.1.0"
    assert run("cdk.out", "--output", tmp_path / "report.txt").stdout == (tmp_path / "report.txt").read_text()


def test_acknowledgements_and_policies_are_read_and_handed_on(checked: Checked, tmp_path: Path) -> None:
    (tmp_path / "accepted.yaml").write_text(ENTRY)
    (tmp_path / "policy.py").write_text(POLICY)

    run("out", "--acknowledgements", tmp_path / "accepted.yaml", "--policy", tmp_path / "policy.py")

    assert checked.asked["directory"] == Path("out")
    assert [one.rule for one in checked.asked["acknowledgements"].entries] == ["R"]
    assert [one.id for one in checked.asked["policies"]] == ["acme"]


def test_without_an_assembly_it_is_cdk_out(checked: Checked) -> None:
    run()

    assert checked.asked["directory"] == Path("cdk.out")


@pytest.mark.parametrize("option", ["--acknowledgements", "--policy"])
def test_a_file_that_does_not_exist_is_one_sentence(checked: Checked, option: str) -> None:
    result = run("cdk.out", option, "nowhere")

    assert isinstance(result.exception, CommandFailed)
    assert isinstance(result.exception.__cause__, AssemblyError)
    assert str(result.exception).startswith("nowhere does not exist")


@pytest.mark.parametrize("option", ["--acknowledgements", "--policy"])
def test_a_folder_where_a_file_belongs_is_one_sentence(checked: Checked, tmp_path: Path, option: str) -> None:
    assert isinstance(run("cdk.out", option, tmp_path).exception, CommandFailed)


def test_a_file_where_an_assembly_belongs_is_one_sentence(tmp_path: Path) -> None:
    template = tmp_path / "S.template.json"
    template.write_text("{}")

    assert str(run(template).exception) == f"{template} is a file; name the folder of a cloud assembly, such as cdk.out"


def test_a_folder_that_is_no_assembly_is_one_sentence(tmp_path: Path) -> None:
    result = run(tmp_path)

    assert isinstance(result.exception, CommandFailed)
    assert "synthesize first, with cdk synth" in str(result.exception)
