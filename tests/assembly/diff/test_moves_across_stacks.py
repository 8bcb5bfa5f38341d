"""A resource that an author moved to another stack: is it told as a move, with what CloudFormation makes of it?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.diff import AssemblyDiff, Gate, closed, compare, render_diff
from mlplatform_cdk.assembly.diff.dangers import dangers
from mlplatform_cdk.assembly.findings import Finding
from tests.assembly.diff.stacks import Template, resource, template, write
from tests.assembly.diff.test_report import SCHEMA, report

LAKE = {"VersioningConfiguration": {"Status": "Enabled"}, "OwnershipControls": {"Rules": [{"ObjectOwnership": "x"}]}}


def bucket(path: str = "", properties: dict[str, Any] | None = None, policy: str = "Delete") -> dict[str, Any]:
    metadata = {"aws:cdk:path": path} if path else {}
    return resource("AWS::S3::Bucket", properties or LAKE, Metadata=metadata, DeletionPolicy=policy)


def compared(folder: Path, base: dict[str, Template], head: dict[str, Template]) -> AssemblyDiff:
    return compare(read(write(folder / "base", **base)), read(write(folder / "head", **head)))


def moves(diff: AssemblyDiff) -> list[tuple[str, str, str]]:
    return [
        (stack.key, change.resource.logical_id, change.because) for stack, change in diff.changes() if change.because
    ]


def rules(diff: AssemblyDiff) -> dict[str, Finding]:
    return {one.rule: one for one in dangers(diff)}


def test_a_move_stops_where_nothing_may_be_made_anew(tmp_path: Path) -> None:
    topic = resource("AWS::SNS::Topic", {"DisplayName": "a", "FifoTopic": True, "KmsMasterKeyId": "k"})
    found = compared(tmp_path, {"A": template(T=topic), "B": template()}, {"A": template(), "B": template(T=topic)})

    assert closed([Gate.DANGER, Gate.REPLACE], found, report(found)) == (Gate.REPLACE,)


def test_both_sides_say_where_it_is(tmp_path: Path) -> None:
    found = compared(
        tmp_path, {"A": template(Lake=bucket()), "B": template()}, {"A": template(), "B": template(Other=bucket())}
    )

    assert sorted(moves(found)) == [
        ("Try/A", "Lake", "it moves to Try/B, Other"),
        ("Try/B", "Other", "it moves from Try/A, Lake"),
    ]
    jsonschema.validate(json.loads(render_diff(found, report(found))), SCHEMA)


@pytest.mark.parametrize(
    ("policy", "rule", "severity", "reason"),
    [
        ("Delete", "data-lost", "error", "its policy is Delete; lost: objects"),
        ("Retain", "data-orphaned", "warning", "and the new one begins empty"),
    ],
)
def test_its_data_stays_behind_and_the_way_out_keeps_it(
    tmp_path: Path, policy: str, rule: str, severity: str, reason: str
) -> None:
    base = {"A": template(Lake=bucket(policy=policy)), "B": template()}
    found = rules(compared(tmp_path, base, {"A": template(), "B": template(Lake=bucket(policy=policy))}))

    assert found[rule].severity.value == severity
    assert found[rule].message == "AWS::S3::Bucket is removed, and made anew in Try/B as Lake"
    assert reason in found[rule].reason
    assert "it begins empty, without the objects of the old one" in found["moved-across-stacks"].reason
    for one in (found[rule], found["moved-across-stacks"]):
        assert "cdk refactor" in one.way_out
        assert "cdk import" in one.way_out


def test_a_name_that_both_would_have_is_a_warning(tmp_path: Path) -> None:
    topic = resource("AWS::SNS::Topic", {"TopicName": "t", "DisplayName": "d"})
    found = rules(compared(tmp_path, {"A": template(T=topic), "B": template()}, {"B": template(T=topic)}))

    assert found["moved-across-stacks"].severity.value == "warning"
    assert "both would be called t" in found["moved-across-stacks"].reason
    assert "the old one stays with its stack, which is no longer in the app" in found["moved-across-stacks"].reason


def test_the_path_inside_the_stack_tells_where_properties_changed_as_well(tmp_path: Path) -> None:
    changed = {**LAKE, "VersioningConfiguration": {"Status": "Suspended"}, "BucketName": "b"}
    before = bucket("Try/A/Lake/Resource", {**LAKE, "BucketName": "b"})
    found = compared(
        tmp_path,
        {"A": template(X1=before), "B": template()},
        {"A": template(), "B": template(Y1=bucket("Try/B/Lake/Resource", changed))},
    )

    assert sorted(one[1] for one in moves(found)) == ["X1", "Y1"]


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(resource("AWS::S3::Bucket", {"Tags": [], "BucketName": "c"}), id="other"),
        pytest.param(resource("AWS::SNS::Topic", LAKE), id="another type"),
    ],
)
def test_what_is_not_alike_did_not_move(tmp_path: Path, head: dict[str, Any]) -> None:
    assert moves(compared(tmp_path, {"A": template(X=bucket()), "B": template()}, {"B": template(X=head)})) == []


def test_two_resources_that_say_next_to_nothing_are_no_move(tmp_path: Path) -> None:
    logs = resource("AWS::Logs::LogGroup", {"RetentionInDays": 30})

    assert moves(compared(tmp_path, {"A": template(X=logs), "B": template()}, {"B": template(Y=logs)})) == []
