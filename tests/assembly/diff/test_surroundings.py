"""What is compared beside single resources: sections of the template, loops, nested stacks, stages, whole stacks."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly import Assembly, AssemblyError, read
from mlplatform_cdk.assembly.diff import compare, report_of
from tests.assembly.diff.stacks import Template, difference, resource, template, write


def test_loops_that_aws_expands_are_compared_as_they_stand() -> None:
    def loop(*names: str) -> Template:
        return {"Resources": {"Fn::ForEach::Topics": ["Name", list(names), {"T${Name}": resource("AWS::SNS::Topic")}]}}

    assert difference(loop("a"), loop("a")).is_empty
    assert {one.section for one in difference(loop("a"), loop("a", "b")).sections} == {"Loops"}


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"Fn::GetAtt": ["X"]}, id="GetAtt"),
        pytest.param({"Fn::Sub": [1, 2, 3]}, id="Sub"),
        pytest.param({"Fn::Join": "x"}, id="Join"),
        pytest.param({"Fn::If": ["C"]}, id="If"),
        pytest.param({"Fn::Select": []}, id="Select"),
        pytest.param({"Ref": 1}, id="Ref"),
    ],
)
def test_what_cloudformation_would_refuse_is_compared_as_it_stands(broken: dict[str, Any]) -> None:
    one, other = (template(X=resource("AWS::SNS::Topic", {"DisplayName": value})) for value in (broken, "a"))

    assert difference(one, one).is_empty
    assert not difference(one, other).is_empty


def test_outputs_parameters_and_settings_are_compared() -> None:
    before = template({"Outputs": {"O": {"Value": "a"}}, "Parameters": {"P": {"Type": "String", "Default": "x"}}})
    after = template({"Outputs": {"O": {"Value": "b"}, "N": {"Value": "c"}}, "Parameters": {}})

    found = {(one.section, one.name) for one in difference(before, after).sections}

    assert found == {("Outputs", "O.Value"), ("Outputs", "N"), ("Parameters", "P")}


def test_every_stage_and_nested_stack_is_compared(tmp_path: Path) -> None:
    def app(folder: Path, size: int) -> Path:
        asset = {"aws:asset:path": "Inner.nested.template.json"}
        outer = template(
            Inner=resource("AWS::CloudFormation::Stack", {"TemplateURL": f"https://x/{size}"}, Metadata=asset)
        )
        made = write(folder, Outer=outer)
        inner = template(X=resource("AWS::Lambda::Function", {"MemorySize": size}))
        (made / "assembly-Try" / "Inner.nested.template.json").write_text(json.dumps(inner))
        return made

    found = compare(read(app(tmp_path / "a", 128)), read(app(tmp_path / "b", 256)))

    assert [(stack.key, [change.resource.logical_id for change in stack.changes]) for stack in found.stacks] == [
        ("Try/Outer/Inner", ["X"])
    ]


OF_DEPLOYMENT = {"Fn::GetAtt": ["Other", "Size"]}


def nesting(folder: Path, stack: str, given: Any, parameter: Any, inner: dict[str, Any]) -> Assembly:
    """An app whose stack holds another with the resource ``inner``, and gives this to its parameter ``Size``."""
    asset = {"aws:asset:path": "Inner.nested.template.json"}
    outer = resource("AWS::CloudFormation::Stack", {"TemplateURL": "u", "Parameters": given}, Metadata=asset)
    write(folder, **{stack: template(Inner=outer)})
    content = template({"Parameters": {"Size": parameter}}, X=inner)
    (folder / "assembly-Try" / "Inner.nested.template.json").write_text(json.dumps(content))
    return read(folder)


@pytest.mark.parametrize(
    ("before", "after", "dangers"),
    [
        pytest.param(({}, 1), ({"Size": "20"}, 1), {"capacity-jump", "replaced"}, id="a value in place of the default"),
        pytest.param(({"Size": 1}, 1), ({"Size": 20}, 1), {"capacity-jump", "replaced"}, id="another value"),
        pytest.param(({}, 1), ({}, 20), {"capacity-jump", "replaced"}, id="another default, which holds"),
        pytest.param(({"Size": 1}, 1), ({"Size": 1}, 20), set(), id="another default, which does not"),
        pytest.param(({"Size": OF_DEPLOYMENT}, 1), ({"Size": OF_DEPLOYMENT}, 20), set(), id="a value of deployment"),
        pytest.param(({}, 1), ({"Size": "1"}, 1), set(), id="the default itself"),
    ],
)
def test_a_nested_stack_is_judged_by_what_its_parent_gives(
    tmp_path: Path, before: tuple[Any, int], after: tuple[Any, int], dangers: set[str]
) -> None:
    variant = {"VariantName": "a", "ModelName": "m", "InitialInstanceCount": {"Ref": "Size"}}
    config = resource("AWS::SageMaker::EndpointConfig", {"ProductionVariants": [variant]})
    base, head = (
        nesting(tmp_path / name, "Outer", given, {"Type": "Number", "Default": default}, config)
        for name, (given, default) in (("base", before), ("head", after))
    )

    found = report_of(compare(base, head), today=dt.date(2026, 11, 22)).findings

    assert {one.rule for one in found} == dangers


def test_words_are_read_in_what_a_parent_gives_as_well(tmp_path: Path) -> None:
    inner = resource("AWS::SSM::Parameter", {"Name": {"Fn::Sub": "/p/${Size}/x"}})
    base, head = (
        nesting(tmp_path / size, stack, {"Size": size}, {"Type": "String"}, inner)
        for stack, size in (("Dev", "dev"), ("Prod", "prod"))
    )

    assert compare(base, head, pairs={"Try/Dev": "Try/Prod"}, words={"dev": "prod"}).is_empty


def test_stacks_come_and_go(tmp_path: Path) -> None:
    topic = template(X=resource("AWS::SNS::Topic"))
    found = compare(
        read(write(tmp_path / "a", Old=topic, Same=topic)), read(write(tmp_path / "b", New=topic, Same=topic))
    )

    assert {stack.key: [change.action.value for change in stack.changes] for stack in found.stacks} == {
        "Try/New": ["added"],
        "Try/Old": ["removed"],
    }


def test_stages_of_two_names_are_compared_where_that_is_asked_for(tmp_path: Path) -> None:
    before = write(tmp_path / "a", Dev=template(X=resource("AWS::SSM::Parameter", {"Name": "/p/dev/x"})))
    after = write(tmp_path / "b", Prod=template(X=resource("AWS::SSM::Parameter", {"Name": "/p/prod/x"})))

    pairs = {"Try/Dev": "Try/Prod"}

    assert len(compare(read(before), read(after)).stacks) == 2
    assert [one.key for one in compare(read(before), read(after), pairs=pairs).stacks] == ["Try/Prod"]
    assert compare(read(before), read(after), pairs=pairs, words={"dev": "prod"}).is_empty


def test_an_unknown_pair_is_refused(tmp_path: Path) -> None:
    assembly = read(write(tmp_path, A=template()))

    with pytest.raises(AssemblyError, match="no stage or stack 'B'; it has: Try/A"):
        compare(assembly, assembly, pairs={"B": "A"})
