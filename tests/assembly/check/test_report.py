"""One report over an app in another style than ours: plain L2 constructs and a nested stack."""

import datetime as dt
import json
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import cdk_nag
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks

from mlplatform_cdk.assembly import AssemblyError
from mlplatform_cdk.assembly.acknowledgements import Acknowledgement, Acknowledgements
from mlplatform_cdk.assembly.check import check
from mlplatform_cdk.assembly.check.tools import nag, run
from mlplatform_cdk.assembly.findings import Finding, Report, Severity
from mlplatform_cdk.assembly.renderings import render_sarif
from tests.assembly.sarif import problems

CODE = """
import boto3

def handler(event, context):
    return boto3.client("dynamodb").get_item(TableName="t", Key={})
"""
ARN = "arn:aws:iam::111111111111:role/r"
FOREVER = dt.date(2999, 1, 1)
FILE = Acknowledgements(
    (
        Acknowledgement(rule="AwsSolutions-L1", where="Shop/Handler/**", reason="moves in May", expires=FOREVER),
        Acknowledgement(rule="no-such-rule", where="**", reason="stale", expires=FOREVER),
    ),
    "accepted.yaml",
)


def shop(folder: Path) -> Path:
    app = cdk.App(outdir=str(folder), context={"aws:cdk:enable-path-metadata": True})
    stack = cdk.Stack(app, "Shop", env=cdk.Environment(account="111111111111", region="eu-west-1"))
    handler = lambda_.Function(
        stack,
        "Handler",
        runtime=lambda_.Runtime.PYTHON_3_9,
        handler="index.handler",
        code=lambda_.Code.from_inline(CODE),
    )
    read = tasks.CallAwsService(
        stack, "Read", service="sagemaker", action="describeEndpoint", iam_resources=["*"], parameters={"Endpoint": "e"}
    )
    call = tasks.LambdaInvoke(stack, "Call", lambda_function=handler)
    flow = sfn.StateMachine(stack, "Flow", definition_body=sfn.DefinitionBody.from_chainable(read.next(call)))
    cdk.Validations.of(flow).acknowledge(cdk.Acknowledgment(id="asl-timeout", reason="short by itself"))
    nested = cdk.NestedStack(stack, "Storage")
    bucket = s3.Bucket(nested, "Bucket")
    cdk.Validations.of(bucket).acknowledge(cdk.Acknowledgment(id="AwsSolutions-S1", reason="it is the log itself"))
    cdk.Annotations.of(bucket).add_warning("think of the costs")
    quiet = iam.CfnRole(stack, "Quiet", assume_role_policy_document={}, max_session_duration=1)
    quiet.add_metadata("cfn-lint", {"config": {"ignore_checks": ["E3", "W"]}, "reasons": {"E3": "on purpose"}})
    lambda_.CfnFunction(
        stack,
        "Odd",
        code=lambda_.CfnFunction.CodeProperty(zip_file="x"),
        role=ARN,
        runtime="python3.1",
        handler="index.x",
    )
    app.synth()
    return folder


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("shop") / "cdk.out")


@pytest.fixture(scope="module")
def report(assembly: Path) -> Report:
    return check(assembly, acknowledgements=FILE, today=dt.date(2026, 11, 22))


def by_rule(report: Report, rule: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.rule == rule]


def test_what_several_packs_say_of_one_bucket_is_one_finding_that_names_them(report: Report) -> None:
    (finding,) = by_rule(report, "HIPAA.Security-S3BucketVersioningEnabled")

    assert finding.construct_path == "Shop/Storage/Bucket/Resource"
    assert finding.aliases == ("NIST.800.53.R5-S3BucketVersioningEnabled", "PCI.DSS.321-S3BucketVersioningEnabled")
    assert finding.tools == ("cdk-nag HIPAA.Security", "cdk-nag NIST.800.53.R5", "cdk-nag PCI.DSS.321")


def test_what_the_app_acknowledges_is_accepted_with_its_reason_by_every_name_of_the_rule(report: Report) -> None:
    (accepted,) = [one for one in report.accepted if one.finding.rule == "AwsSolutions-S1"]

    assert (accepted.reason, accepted.source) == ("it is the log itself", "the app's acknowledgement")
    assert "PCI.DSS.321-S3BucketLoggingEnabled" in accepted.finding.aliases
    assert not [one for one in report.findings if "S3BucketLoggingEnabled" in one.rule]


def test_a_finding_of_our_own_is_acknowledged_beside_the_construct_as_well(report: Report) -> None:
    assert {one.reason for one in report.accepted if one.finding.rule == "asl-timeout"} == {"short by itself"}
    assert by_rule(report, "asl-timeout") == []


def test_what_the_file_accepts_is_accepted_and_its_stale_entry_is_a_finding(report: Report) -> None:
    (accepted,) = [one for one in report.accepted if one.source == "accepted.yaml"]

    assert accepted.finding.construct_path == "Shop/Handler/Resource"
    assert [one.message for one in by_rule(report, "acknowledgement-unused")] == [
        "the acknowledgement of no-such-rule at ** covers nothing"
    ]


def test_cfn_lint_speaks_of_constructs_and_properties(report: Report) -> None:
    (finding,) = [one for one in report.findings if one.tools == ("cfn-lint",) and one.construct_path == "Shop/Odd"]

    assert (finding.severity, finding.property_path) == (Severity.ERROR, "Properties.Runtime")
    assert finding.url


def test_what_a_templates_metadata_ignores_is_told_with_its_reason(report: Report) -> None:
    reasons = {one.reason for one in report.accepted if one.finding.construct_path == "Shop/Quiet"}

    assert reasons == {"on purpose"}


def test_our_own_checks_are_in_the_report(report: Report) -> None:
    rules = {finding.rule: finding.construct_path for finding in report.findings}

    assert rules["asl-call"] == "Shop/Flow/Resource"
    assert rules["permission-missing[dynamodb:GetItem]"] == "Shop/Handler/ServiceRole/Resource"
    assert rules["cdk-annotation"] == "Shop/Storage/Bucket"


def test_the_worst_comes_first_and_nothing_is_told_twice(report: Report) -> None:
    ranks = [finding.severity.rank for finding in report.findings]

    assert ranks == sorted(ranks)
    assert len(set(report.findings)) == len(report.findings)


def test_the_whole_report_keeps_sarifs_schema(report: Report) -> None:
    log = json.loads(render_sarif(report))

    assert len(log["runs"][0]["results"]) == len(report.findings) + len(report.accepted)
    assert problems(log) == []


def test_a_template_that_cdk_nag_cannot_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(
        json.dumps({"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Nobody"}}}}})
    )
    (answer,) = nag.look([nag.request(path, None, None)])

    assert "error" in answer


def test_the_shared_names_of_rules_are_those_of_the_installed_packs() -> None:
    (archive,) = (Path(cdk_nag.__file__).parent / "_jsii").glob("*.tgz")
    with tarfile.open(archive) as files:
        packs = {
            name: _text(files, name) for name in ("aws-solutions", "hipaa-security", "nist-800-53-r5", "pci-dss-321")
        }
    numbered = re.findall(
        r"ruleSuffixOverride: '(\w+)',.*?rule: [\w.]*?\.(\w+),\s*\n", packs.pop("aws-solutions"), re.DOTALL
    )
    named = {name for text in packs.values() for name in re.findall(r"rule: [\w.]*?\.(\w+),", text)}

    assert {number: name for number, name in numbered if name in named} == nag._SHARED


def _text(files: tarfile.TarFile, pack: str) -> str:
    member = files.extractfile(f"package/lib/packs/{pack}.js")
    assert member
    return member.read().decode()


def test_without_the_tools_one_sentence_says_what_to_install(assembly: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: None if name == "cdk_nag" else object())

    with pytest.raises(AssemblyError, match=r"which are not installed; install mlplatform-cdk\[check\]"):
        check(assembly)


def test_cdk_nag_2_suppressions_in_a_template_count(tmp_path: Path) -> None:
    entries = [{"id": "AwsSolutions-S10", "reason": "internal"}]
    folder = _written(
        tmp_path, {"B": {"Type": "AWS::S3::Bucket", "Metadata": {"cdk_nag": {"rules_to_suppress": entries}}}}
    )
    report = check(folder, workers=1)

    assert [(one.finding.rule, one.reason) for one in report.accepted] == [("AwsSolutions-S10", "internal")]
    assert report.findings[0].where == "Plain/B"


def _written(folder: Path, resources: Mapping[str, Any]) -> Path:
    """An assembly that says nothing of constructs, as another tool might write it."""
    (folder / "t.json").write_text(json.dumps({"Resources": resources}))
    artifact = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://unknown-account/unknown-region",
        "properties": {"templateFile": "t.json"},
    }
    (folder / "manifest.json").write_text(json.dumps({"version": "48.0.0", "artifacts": {"Plain": artifact}}))
    return folder
