"""Does docs/releases.md say what is?"""

import ast
import json
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.main import get_command

from mlplatform_cdk.assembly.cost import packaged
from mlplatform_cdk.assembly.cost.money import rate, told
from mlplatform_cdk.assembly.cost.releases import release_cost
from mlplatform_cdk.cli.main import app
from mlplatform_cdk.runtimekit import release_facts
from mlplatform_cdk.runtimekit.release_records import DETAIL_TYPE, SOURCE, Record
from mlplatform_cdk.runtimekit.release_strategy import Strategy

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "releases.md").read_text()
COMMANDS = get_command(app).commands["release"].commands  # type: ignore[attr-defined]


def fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


SHOWN = [line.split()[2:] for fence in fences("sh") for line in fence.splitlines()]


def options(verb: str) -> set[str]:
    return {one for parameter in COMMANDS[verb].params for one in parameter.opts if one.startswith("--")}


@pytest.mark.parametrize("words", SHOWN, ids=" ".join)
def test_a_command_that_is_shown_takes_what_is_shown(words: list[str]) -> None:
    assert {one for one in words if one.startswith("--")} <= options(words[0])


def test_every_verb_is_shown_and_every_option_is_one() -> None:
    assert {words[0] for words in SHOWN} == {*COMMANDS}
    known = {one for verb in COMMANDS for one in options(verb)}
    assert {*re.findall(r"`(--[a-z-]+)", PAGE)} <= known


def test_the_strategy_of_the_page_runs() -> None:
    program = fences("python")[0]

    exec(compile(program, "releases.md", "exec"), {})


def test_the_gates_of_the_page_are_those_of_the_example() -> None:
    shown = fences("python")[1]

    ast.parse(shown)
    assert shown in (ROOT / "examples" / "release_gates.py").read_text()


def test_the_cost_of_the_page_is_what_start_says() -> None:
    names: dict[str, Strategy] = {}
    exec(compile(fences("python")[0], "releases.md", "exec"), names)
    cost = release_cost(
        names["careful"], instance_type="ml.m5.large", instances=2, region="us-east-1", prices=packaged()
    )
    (shown,) = fences("text")

    hours = cost.hours
    assert cost.price is not None
    assert f"for {release_facts.since((hours.shift + hours.bake).total_seconds())}, at most" in shown
    assert f"at most {release_facts.since((hours.longest_shift + hours.bake).total_seconds())};" in shown
    assert f"It costs about {told(cost.expected)}, at most {told(cost.most)}" in shown
    assert f"({rate(cost.price.amount)} an hour in us-east-1, as of {cost.price.date})" in shown


def test_the_fields_of_a_record_are_those_of_the_code() -> None:
    listed = PAGE.split("<!-- fields:begin -->")[1].split("<!-- fields:end -->")[0]

    assert re.findall(r"`(\w+)`", listed) == [one.name for one in fields(Record)]


def test_a_rule_with_the_pages_pattern_would_match_a_record() -> None:
    (pattern,) = map(json.loads, fences("json"))
    record = Record(
        endpoint="churn",
        at=datetime.now(UTC).isoformat(timespec="microseconds"),
        release="r",
        version="v",
        step="WayBack",
        who="w",
        decision="d",
    )

    assert (pattern["source"], pattern["detail-type"]) == ([SOURCE], [DETAIL_TYPE])
    assert all(record.to_mapping()[name] in wanted for name, wanted in pattern["detail"].items())
