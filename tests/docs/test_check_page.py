"""Does docs/check.md say what check does?"""

import datetime as dt
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from mlplatform_cdk.assembly import check as room
from mlplatform_cdk.assembly.acknowledgements import read_acknowledgements
from mlplatform_cdk.assembly.check import traps
from mlplatform_cdk.assembly.check.policy import read_policy
from mlplatform_cdk.assembly.check.templates import Template
from mlplatform_cdk.assembly.findings import Finding, Report, Severity
from mlplatform_cdk.cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "check.md").read_text()


def fences(language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def test_the_policy_is_one(tmp_path: Path) -> None:
    (tmp_path / "rules.py").write_text(next(text for text in fences("python") if "@rule" in text))
    resources = {
        "Data": {"Type": "AWS::S3::Bucket"},
        "Large": {"Type": "AWS::Lambda::Function", "Properties": {"MemorySize": 8192}},
        "Kept": {"Type": "AWS::S3::Bucket", "Properties": {"Tags": [{"Key": "owner", "Value": "us"}]}},
    }
    template = Template(stack="App", file="t.json", path=tmp_path / "t.json", document={"Resources": resources})
    found = [finding for rule in read_policy(tmp_path / "rules.py") for finding in rule.findings(template)]

    assert [(one.logical_id, one.rule, one.severity.value) for one in found] == [
        ("Data", "acme-owner", "warning"),
        ("Large", "acme-small-functions", "error"),
    ]


def test_the_program_prints_what_is_found_and_does_nothing_where_a_process_imports_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = Finding(rule="R", severity=Severity.ERROR, message="so it is")
    monkeypatch.setattr(room, "check", lambda path: Report(verb="check", subject=str(path), findings=(finding,)))
    program = next(text for text in fences("python") if "__main__" in text)

    for name, printed in (("__main__", "error R so it is\n"), ("__mp_main__", "")):
        exec(program, {"__name__": name})
        assert capsys.readouterr().out == printed


def test_the_acknowledgements_are_read(tmp_path: Path) -> None:
    (tmp_path / "accepted.yaml").write_text(fences("yaml")[0])
    (entry,) = read_acknowledgements(tmp_path / "accepted.yaml").entries

    assert entry.expires == dt.date(2027, 6, 30)


def test_the_directive_for_cfn_lint_is_yaml() -> None:
    (directive,) = re.findall(r"`(cfn-lint: \{config: \{ignore_checks: .*?\})`", PAGE)

    assert yaml.safe_load(directive) == {"cfn-lint": {"config": {"ignore_checks": ["W3005"]}}}


def test_every_trap_that_is_looked_for_is_on_the_page_and_no_other() -> None:
    source = "".join(path.read_text() for path in Path(traps.__file__).parent.glob("*.py"))
    coded = {f"trap-{int(number):02}-{name}" for number, name in re.findall(r'trap\((\d+), "([\w-]+)"\)', source)}

    assert set(re.findall(r"`(trap-\d\d-[\w-]+)`", PAGE)) == coded


def test_every_trap_of_the_field_has_its_row() -> None:
    numbers = re.findall(r"^\| (\d+(?:, \d+)*) \|", PAGE, re.MULTILINE)

    assert [int(one) for row in numbers for one in row.split(", ")] == [*range(1, 32)]


def test_every_option_on_the_page_exists() -> None:
    shown = CliRunner().invoke(app, ["check", "--help"], env={"COLUMNS": "200", "TERM": "dumb"}).stdout
    commands = [line for fence in fences("sh") for line in fence.splitlines() if line.startswith("mlplatform check")]

    assert commands
    for option in sorted(set(re.findall(r"(?<![\w-])--[a-z][\w-]+", PAGE)) - {"--quiet"}):
        assert option in shown, option
