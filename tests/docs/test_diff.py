"""Does docs/diff.md say what is?"""

import re
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly.acknowledgements import read_acknowledgements
from mlplatform_cdk.assembly.diff import RULES, Action, Gate
from tests.assembly.diff.stacks import resource, template, write

PAGE = (Path(__file__).parents[2] / "docs" / "diff.md").read_text()


def fence(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return str(found)


def rows(heading: str) -> set[str]:
    table = PAGE.partition(f"## {heading}")[2].partition("\n## ")[0]
    return {
        name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`([\w-]+)`", row)
    }


def test_every_rule_action_and_gate_is_on_the_page() -> None:
    assert rows("What to stop at") == set(RULES)
    assert rows("What happens to a resource") == set(Action)
    assert all(f"`{gate}`" in PAGE.partition("## When it fails")[2] for gate in Gate)


def test_the_acknowledgements_are_read(tmp_path: Path) -> None:
    (tmp_path / "accepted.yaml").write_text(fence("yaml"))

    assert [entry.rule for entry in read_acknowledgements(tmp_path / "accepted.yaml").entries] == ["data-lost"]


def test_the_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "base.out", Data=template(X=resource("AWS::S3::Bucket")))
    write(tmp_path / "head.out", Data=template())
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}

    exec(fence("python"), names)

    assert names["stopped"] == (Gate.DANGER,)
    assert "error Try/Data/X AWS::S3::Bucket is removed" in capsys.readouterr().out
