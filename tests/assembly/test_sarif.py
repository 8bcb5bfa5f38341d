"""Is what we call SARIF 2.1.0 what OASIS calls it?"""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.diff import compare, report_of
from mlplatform_cdk.assembly.findings import Accepted, Finding, Report, Severity
from mlplatform_cdk.assembly.renderings import render_sarif
from tests.assembly.diff.stacks import resource, template, write
from tests.assembly.sarif import problems

BARE = Finding(rule="R1", severity=Severity.INFO, message="m")
FULL = Finding(
    rule="R2[Resource::*]",
    severity=Severity.ERROR,
    message='a {0} with "quotes" and ümlauts',
    stack="Dev/Data",
    logical_id="Role",
    construct_path="Dev/Data/Role/Resource",
    property_path="Properties.Policies",
    reason="too much is allowed",
    way_out="name the action",
    url="https://example.com/r2",
    tools=("cdk-nag", "cfn-lint"),
    aliases=("R3",),
    file="assembly Dev/Dev Data.template.json",
)


@pytest.mark.parametrize("verb", ["check", "diff"])
@pytest.mark.parametrize(
    "told",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"findings": (BARE,)}, id="a finding that says the least"),
        pytest.param({"findings": (BARE, FULL)}, id="one that says all"),
        pytest.param(
            {"accepted": (Accepted(finding=FULL, reason="reviewed", source="f.yaml", expires="2027-01-31"),)},
            id="one that is accepted",
        ),
    ],
)
def test_a_report_keeps_the_standards_schema(verb: str, told: dict[str, Any]) -> None:
    assert problems(json.loads(render_sarif(Report(verb=verb, subject="s", **told)))) == []


def test_the_dangers_of_a_difference_keep_the_standards_schema(tmp_path: Path) -> None:
    bucket = resource("AWS::S3::Bucket", {"BucketName": "b"}, Metadata={"aws:cdk:path": "Try/Data/Lake/Resource"})
    before = write(tmp_path / "a", Data=template(Lake=bucket))
    after = write(tmp_path / "b", Data=template(Role=resource("AWS::IAM::Role", {"Policies": []})))
    log = json.loads(render_sarif(report_of(compare(read(before), read(after)), today=dt.date(2026, 11, 22))))

    assert [one["ruleId"] for one in log["runs"][0]["results"]] == ["data-lost"]
    assert problems(log) == []


def test_the_schema_would_tell() -> None:
    log = json.loads(render_sarif(Report(verb="check", subject="s", findings=(FULL,))))
    log["runs"][0]["results"][0]["level"] = "fatal"

    assert [one.split(":")[0] for one in problems(log)] == ["$.runs[0].results[0].level"]
