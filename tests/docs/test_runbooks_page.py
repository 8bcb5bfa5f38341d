"""Does docs/runbooks.md name every alarm, the runbook that it leads to, and what the runbooks take?"""

import ast
import re
from pathlib import Path

from mlplatform_cdk.runtimekit.runbook_names import PAGE, Runbook

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / PAGE).read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `([^`]+)` \| [^|]+ \| \[([\w-]+)\]\(#\2\) \|$", TEXT, re.MULTILINE))


def test_every_runbook_has_its_section_and_an_example() -> None:
    for runbook in Runbook:
        section = TEXT.partition(f"\n### {runbook.value}\n")[2].partition("\n### ")[0]
        assert f"--document-name {runbook.document('churn')} --parameters" in section
    assert set(ROWS.values()) <= {one.value for one in Runbook}


def test_the_programs_of_the_page_are_python() -> None:
    programs = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)

    assert [bool(ast.parse(one).body) for one in programs] == [True]


def test_no_alarm_of_the_library_says_nothing_of_what_to_do() -> None:
    made = {"Alarm", "CompositeAlarm"}
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "stacks").rglob("*.py"), *(ROOT / "examples").rglob("*.py")]
    found = 0
    for file in files:
        text = file.read_text(encoding="utf-8")
        if "Alarm(" not in text or "aws_cloudwatch" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in made:
                given = {one.arg for one in node.keywords}
                if given & {"metric", "alarm_rule"}:
                    found += 1
                    assert "alarm_description" in given, f"{file.name}:{node.lineno} has no alarm_description"
    assert found > 5
