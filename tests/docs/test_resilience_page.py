"""Does docs/resilience.md say what is?"""

import re
from pathlib import Path

from mlplatform_cdk import resilience
from mlplatform_cdk.resilience import chaos
from mlplatform_cdk.resilience.backups import access, rules
from mlplatform_cdk.resilience.chaos import Fault

PAGE = (Path(__file__).parents[2] / "docs" / "resilience.md").read_text(encoding="utf-8")


def test_the_programs_of_the_page_run() -> None:
    names: dict[str, object] = {}
    for program in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(program, names)

    assert [rule.name for rule in names["rules"]] == ["daily", "monthly", "point-in-time"]  # type: ignore[attr-defined]
    assert names["vaults"].regions == ("eu-west-1", "us-east-1")  # type: ignore[attr-defined]


def test_every_construct_of_the_room_is_on_the_page() -> None:
    assert [name for name in resilience.__all__ if name not in PAGE] == []


def test_the_bounds_are_those_of_the_code() -> None:
    assert f"before {rules.COLD_AT_LEAST.days} days" in PAGE
    assert f"more than {rules.LONGEST_CONTINUOUS.days} days" in PAGE
    assert access.RESTORED.rstrip("*") in PAGE


def test_no_fault_is_missing_from_the_table() -> None:
    made = {name: getattr(chaos, name) for name in chaos.__all__}
    faults = {name for name, one in made.items() if issubclass(one, Fault)}

    assert faults - {"Fault"} == set(re.findall(r"^\| `(\w+)\([^|]*` \| (?:`aws:|a document)", PAGE, re.MULTILINE))
