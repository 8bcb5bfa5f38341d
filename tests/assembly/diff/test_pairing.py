"""Which stack of base is which of head, where several stages, accounts and regions share one assembly?"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mlplatform_cdk.assembly import AssemblyError, read
from mlplatform_cdk.assembly.check.templates import templates
from mlplatform_cdk.assembly.diff import AssemblyDiff, compare
from tests.assembly.diff.stacks import Template, resource, template

ONE, TWO = "111122223333", "444455556666"


def topic(text: str) -> Template:
    return template(X=resource("AWS::SNS::Topic", {"DisplayName": text}))


@dataclass(frozen=True)
class Entry:
    """One stack of a handmade assembly."""

    path: str
    name: str
    content: Template
    account: str = ONE
    region: str = "eu-west-1"
    stage: str = "Dev"
    nested: dict[str, Template] = field(default_factory=dict)


def write(folder: Path, *entries: Entry) -> Path:
    """An assembly with a folder for each stage, and the stacks in them."""
    stages = list(dict.fromkeys(entry.stage for entry in entries))
    folder.mkdir()
    (folder / "manifest.json").write_text(
        json.dumps(
            {
                "artifacts": {
                    f"assembly-{stage}": {
                        "type": "cdk:cloud-assembly",
                        "properties": {"directoryName": f"assembly-{stage}", "displayName": stage},
                    }
                    for stage in stages
                }
            }
        )
    )
    for stage in stages:
        inside = folder / f"assembly-{stage}"
        inside.mkdir()
        artifacts = {}
        for number, entry in enumerate(one for one in entries if one.stage == stage):
            file = f"Stack{number}.template.json"
            (inside / file).write_text(json.dumps(entry.content))
            for name, content in entry.nested.items():
                (inside / name).write_text(json.dumps(content))
            artifacts[f"Stack{number}"] = {
                "type": "aws:cloudformation:stack",
                "environment": f"aws://{entry.account}/{entry.region}",
                "properties": {"templateFile": file, "stackName": entry.name},
                "displayName": entry.path,
            }
        (inside / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return folder


def told(diff: AssemblyDiff) -> dict[str, list[tuple[str, str]]]:
    """Path of each stack that differs, to what its resources were and are."""
    return {
        stack.key: [
            (
                str(change.before.properties.get("DisplayName")) if change.before else "",
                str(change.after.properties.get("DisplayName")) if change.after else "",
            )
            for change in stack.changes
        ]
        for stack in diff.stacks
    }


def compared(tmp_path: Path, base: list[Entry], head: list[Entry], **options: dict[str, str]) -> AssemblyDiff:
    return compare(read(write(tmp_path / "base", *base)), read(write(tmp_path / "head", *head)), **options)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({"account": ONE}, {"account": TWO}, id="two accounts"),
        pytest.param({"region": "eu-west-1"}, {"region": "us-east-1"}, id="two regions"),
        pytest.param({"stage": "A"}, {"stage": "B"}, id="two stages of one merged assembly"),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_stacks_of_one_path_are_each_compared_with_their_own(
    tmp_path: Path, first: dict[str, str], second: dict[str, str], *, backwards: bool
) -> None:
    def app(one: str, two: str) -> list[Entry]:
        return [Entry("App/Data", "App-Data", topic(one), **first), Entry("App/Data", "App-Data", topic(two), **second)]

    head = app("one", "changed")
    found = told(compared(tmp_path, app("one", "two"), head[::-1] if backwards and "stage" not in first else head))

    assert list(found.values()) == [[("two", "changed")]]


def test_a_stack_is_followed_by_its_name_account_and_region_wherever_it_is_in_the_app(tmp_path: Path) -> None:
    found = compared(
        tmp_path, [Entry("Old/Data", "data", topic("a"))], [Entry("New/Stage/Data (data)", "data", topic("b"))]
    )

    assert told(found) == {"New/Stage/Data": [("a", "b")]}


def test_two_stacks_that_swap_their_places_in_the_app_are_told_apart(tmp_path: Path) -> None:
    base = [Entry("A", "one", topic("1")), Entry("B", "two", topic("2"))]
    head = [Entry("B", "one", topic("1")), Entry("A", "two", topic("2"))]

    assert compared(tmp_path, base, head).is_empty


def test_a_path_that_another_stack_takes_leaves_the_first_one_behind(tmp_path: Path) -> None:
    base = [Entry("A", "one", topic("1")), Entry("B", "two", topic("2"))]
    head = [Entry("A", "two", topic("2"))]

    assert told(compared(tmp_path, base, head)) == {"A (one)": [("1", "")]}


def test_a_stack_under_a_new_name_is_still_compared_with_that_of_its_path(tmp_path: Path) -> None:
    (stack,) = compared(tmp_path, [Entry("A (x)", "x", topic("1"))], [Entry("A (y)", "y", topic("1"))]).stacks

    assert [(one.name, one.before, one.after) for one in stack.sections] == [("StackName", "x", "y")]


def test_nested_stacks_go_with_their_parents(tmp_path: Path) -> None:
    def app(path: str, size: str) -> list[Entry]:
        inner = resource("AWS::CloudFormation::Stack", {"TemplateURL": size}, Metadata={"aws:asset:path": "inner.json"})
        return [Entry(path, "data", template(Inner=inner), nested={"inner.json": topic(size)})]

    assert told(compared(tmp_path, app("Old/Data", "a"), app("New/Data", "b"))) == {"New/Data/Inner": [("a", "b")]}


def test_stages_that_both_assemblies_hold_can_be_compared_with_one_another(tmp_path: Path) -> None:
    app = [
        Entry("Dev/Data", "dev-data", topic("dev"), stage="Dev"),
        Entry("Prod/Data", "prod-data", topic("prod"), stage="Prod"),
    ]

    assert told(compared(tmp_path, app, app, pairs={"Dev": "Prod"})) == {"Prod/Data": [("dev", "prod")]}


def test_a_pair_with_a_name_that_head_has_not_is_refused(tmp_path: Path) -> None:
    app = [Entry("Dev/Data", "data", topic("dev"))]

    with pytest.raises(AssemblyError, match="head has no stage or stack 'Prd'; it has: Dev/Data"):
        compared(tmp_path, app, app, pairs={"Dev": "Prd"})


def test_what_is_nested_in_a_stack_below_another_goes_with_the_nearest(tmp_path: Path) -> None:
    def app(path: str, size: str) -> list[Entry]:
        inner = resource("AWS::CloudFormation::Stack", {"TemplateURL": size}, Metadata={"aws:asset:path": "inner.json"})
        return [
            Entry("App", "app", topic("a")),
            Entry(f"App/{path}", "data", template(Inner=inner), nested={"inner.json": topic(size)}),
        ]

    assert told(compared(tmp_path, app("Old", "a"), app("New", "b"))) == {"App/New/Inner": [("a", "b")]}


def test_check_tells_stacks_of_one_path_apart_as_well(tmp_path: Path) -> None:
    app = [Entry("App/Data", "d", topic("a"), account=ONE), Entry("App/Data", "d", topic("b"), account=TWO)]

    found = templates(read(write(tmp_path / "app", *app)))

    assert [one.stack for one in found] == [f"App/Data @ {ONE}/eu-west-1", f"App/Data @ {TWO}/eu-west-1"]
