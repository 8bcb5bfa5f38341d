"""Is a difference told truly in every form, and does it stop what it should?"""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.acknowledgements import Acknowledgement, Acknowledgements
from mlplatform_cdk.assembly.diff import AssemblyDiff, Gate, closed, compare, render_diff, report_of
from mlplatform_cdk.assembly.diff.terminal import print_diff
from mlplatform_cdk.assembly.findings import Report
from mlplatform_cdk.assembly.renderings import render_markdown
from mlplatform_cdk.assembly.renderings.jsonform import SCHEMA as REPORT_SCHEMA
from tests.assembly.diff.stacks import difference, resource, template, write

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "diff.schema.json").read_text())
TODAY = dt.date(2026, 11, 22)
HASHES = ("a" * 64, "b" * 64)
BUCKET = resource("AWS::S3::Bucket", {"BucketName": "b"}, Metadata={"aws:cdk:path": "Try/Data/Lake/Resource"})
ROLE = resource("AWS::IAM::Role", {"Policies": []})


def report(diff: AssemblyDiff, acknowledgements: Acknowledgements | None = None) -> Report:
    return report_of(diff, today=TODAY, acknowledgements=acknowledgements)


@pytest.fixture
def diff(tmp_path: Path) -> AssemblyDiff:
    """A bucket goes, a topic moves, a function changes, an output comes."""
    topic = resource("AWS::SNS::Topic", {"DisplayName": "d"})
    function = resource("AWS::Lambda::Function", {"MemorySize": 128})
    larger = resource("AWS::Lambda::Function", {"MemorySize": 192})
    before = write(tmp_path / "a", Data=template(Lake=BUCKET, Old=topic, F=function))
    after = write(tmp_path / "b", Data=template({"Outputs": {"O": {"Value": "a"}}}, New=topic, F=larger))
    return compare(read(before), read(after), names=("main", "HEAD"))


def test_the_json_is_what_the_documented_schema_says(diff: AssemblyDiff) -> None:
    document = json.loads(render_diff(diff, report(diff)))

    jsonschema.validate(document, SCHEMA)
    (stack,) = document["stacks"]
    assert {one["logical_id"]: one["action"] for one in stack["resources"]} == {
        "Lake": "removed",
        "New": "moved",
        "F": "changed",
    }
    assert stack["resources"][-1]["properties"] == [
        {"path": ["Properties", "MemorySize"], "before": "128", "after": "192", "effect": "update", "asset": False}
    ]


def test_the_json_of_a_whole_platform_is_what_the_documented_schema_says(dev_assembly: Path, tmp_path: Path) -> None:
    whole = compare(read(write(tmp_path)), read(dev_assembly))

    jsonschema.validate(json.loads(render_diff(whole, report(whole))), SCHEMA)


def test_the_documented_schema_includes_that_of_reports() -> None:
    shared = json.loads(REPORT_SCHEMA.read_text())

    for name in ("counts", "findings", "accepted", "summary", "version", "subject"):
        assert SCHEMA["properties"][name] == shared["properties"][name]
    for name in ("count", "finding", "accepted"):
        assert SCHEMA["$defs"][name] == shared["$defs"][name]


def test_the_first_screen_counts_and_the_details_are_folded(diff: AssemblyDiff) -> None:
    first, _, details = render_markdown(report(diff)).partition("<details>")

    assert "1 of 1 stack differ: 1 removed, 1 moved, 1 changed" in first
    assert "| 🔴 | data-lost | 1 | Try/Data/Lake/Resource: AWS::S3::Bucket is removed |" in first
    assert "| changed | F | AWS::Lambda::Function | Properties.MemorySize | 128 | 192 |" in details


def test_the_terminal_shows_every_change_on_demand(diff: AssemblyDiff) -> None:
    def printed(*, details: bool) -> str:
        console = Console(file=io.StringIO(), width=200)
        print_diff(diff, report(diff), console, details=details)
        return str(console.file.getvalue())  # type: ignore[attr-defined] -- it is ours

    assert "Properties.MemorySize" not in printed(details=False)
    assert "Properties.MemorySize: 128 → 192" in printed(details=True)
    assert "removed Try/Data/Lake/Resource (AWS::S3::Bucket)" in printed(details=True)


def test_assets_with_new_content_are_one_line() -> None:
    def functions(content: str) -> dict[str, object]:
        return template(
            **{name: resource("AWS::Lambda::Function", {"Code": {"S3Key": f"{content}.zip"}}) for name in "ABC"}
        )

    stack = difference(functions(HASHES[0]), functions(HASHES[1]), assets=frozenset(HASHES))
    told = report(AssemblyDiff(base="a", head="b", stacks=(stack,), compared=1))

    assert "only new content of assets: 3 AWS::Lambda::Function (1 asset)" in told.summary
    assert told.tables == ()
    assert told.findings == ()


def test_equal_changes_in_many_places_are_one_line() -> None:
    def machine(seconds: int) -> dict[str, object]:
        states = {name: {"Retry": [{"MaxDelaySeconds": seconds}]} for name in "ABC"}
        return template(
            X=resource("AWS::StepFunctions::StateMachine", {"DefinitionString": json.dumps({"States": states})})
        )

    stack = difference(machine(30), machine(60))
    (table,) = report(AssemblyDiff(base="a", head="b", stacks=(stack,), compared=1)).tables

    assert [row[3:] for row in table.rows] == [
        (
            "MaxDelaySeconds in 3 places, such as Properties.DefinitionString.States.A.Retry.0.MaxDelaySeconds",
            "30",
            "60",
        )
    ]


def test_no_difference_is_said_in_one_sentence(tmp_path: Path) -> None:
    assembly = read(write(tmp_path, A=template(X=BUCKET)))

    assert report(compare(assembly, assembly)).summary == ("nothing differs in 1 stack",)


@pytest.mark.parametrize(
    ("before", "after", "stopping"),
    [
        pytest.param(template(X=BUCKET), template(), {Gate.DANGER, Gate.ANY}, id="data lost"),
        pytest.param(template(), template(X=BUCKET), {Gate.ANY}, id="something new"),
        pytest.param(
            template(X=resource("AWS::SSM::Parameter", {"Name": "a"})),
            template(X=resource("AWS::SSM::Parameter", {"Name": "b"})),
            {Gate.REPLACE, Gate.ANY},
            id="a replacement without danger",
        ),
        pytest.param(
            template(X=ROLE),
            template(X=resource("AWS::IAM::Role", {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"]})),
            {Gate.DANGER, Gate.IAM, Gate.ANY},
            id="a permission",
        ),
        pytest.param(template(X=BUCKET), template(X=BUCKET), set(), id="nothing"),
    ],
)
def test_gates_stop_what_they_name(before: dict[str, object], after: dict[str, object], stopping: set[Gate]) -> None:
    stack = difference(before, after)
    diff = AssemblyDiff(base="a", head="b", stacks=() if stack.is_empty else (stack,), compared=1)

    assert set(closed(Gate, diff, report(diff))) == stopping


def test_an_acknowledged_danger_stops_nothing_until_it_expires(diff: AssemblyDiff) -> None:
    def accepted(expires: dt.date) -> Report:
        entry = Acknowledgement(rule="data-lost", where="Try/Data/Lake/**", reason="it was empty", expires=expires)
        return report(diff, Acknowledgements((entry,), "accepted.yaml"))

    assert closed([Gate.DANGER], diff, accepted(TODAY)) == ()
    assert [one.reason for one in accepted(TODAY).accepted] == ["it was empty"]
    assert closed([Gate.DANGER], diff, accepted(TODAY - dt.timedelta(days=1))) == (Gate.DANGER,)


def test_an_acknowledgement_of_what_was_merged_is_left_alone(diff: AssemblyDiff) -> None:
    entry = Acknowledgement(rule="data-lost", where="Elsewhere/**", reason="merged last week", expires=TODAY)

    rules = {one.rule for one in report(diff, Acknowledgements((entry,), "accepted.yaml")).findings}

    assert rules == {"data-lost", "moved"}
