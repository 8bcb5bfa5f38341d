"""Whatever stands where something else was expected, the check goes on."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.check.accepted import split_by_app
from mlplatform_cdk.assembly.check.own import own_findings
from mlplatform_cdk.assembly.check.permissions.check import Permissions
from mlplatform_cdk.assembly.check.quotas import quotas
from mlplatform_cdk.assembly.check.templates import templates
from mlplatform_cdk.assembly.check.tools import lint
from mlplatform_cdk.assembly.findings import Severity
from tests.assembly.check.conftest import Make, function, machine, role
from tests.assembly.cost.conftest import write_assembly

ODD: tuple[Any, ...] = (None, 1, "x", [], {}, [None, "x"], {"Ref": "Nobody"}, {"Fn::If": ["c", {"a": 1}, "b"]})
TRAIN = {
    "Resource": "arn:aws:states:::sagemaker:createTrainingJob.sync",
    "Parameters": {"ResourceConfig": {"InstanceType": "ml.g5.xlarge", "InstanceCount": 1, "VolumeKmsKeyId": "k"}},
    "Retry": [{"ErrorEquals": ["States.ALL"]}],
    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "S1"}],
}
CALL = {"service": "S3", "action": "putObject", "parameters": {"Bucket": "b"}}
VARIANTS = [{"InstanceType": "ml.g5.xlarge", "InitialInstanceCount": 1}]
WATCHED = {"MetricName": "m", "AlarmActions": ["a"]}
RULE = {"EventPattern": {"source": ["aws.s3"], "detail-type": ["Object Created"]}, "Targets": [{"Arn": {"Ref": "M"}}]}
TARGET = {"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/e/variant/v", "MinCapacity": 0}
METRIC = {"PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}}
STATEMENT = {"Effect": "Allow", "Action": ["s3:*"], "Principal": {"AWS": ["a", "a"]}, "Resource": "*"}


def resources() -> dict[str, Any]:
    steps = machine(TRAIN)
    text = steps["Properties"].pop("DefinitionString")
    steps["Properties"]["Definition"] = json.loads(text)
    return {
        "Role": role("s3:GetObject"),
        "F": function("def handle(e, c): pass", Role={"Fn::GetAtt": ["Role", "Arn"]}),
        "M": steps,
        "C": {"Type": "Custom::AWS", "Properties": {"Create": json.dumps(CALL), "ServiceToken": {"Ref": "F"}}},
        "E": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {"ProductionVariants": VARIANTS, "KmsKeyId": "k"},
        },
        "A": {"Type": "AWS::CloudWatch::Alarm", "Properties": WATCHED},
        "R": {"Type": "AWS::Events::Rule", "Properties": RULE},
        "T": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": TARGET, "DependsOn": ["E"]},
        "P": {
            "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
            "Properties": {"TargetTrackingScalingPolicyConfiguration": METRIC, "ScalingTargetId": {"Ref": "T"}},
        },
        "B": {"Type": "AWS::S3::BucketPolicy", "Properties": {"PolicyDocument": {"Statement": [STATEMENT]}}},
        "N": {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": "u"}, "Metadata": {"a": "b"}},
    }


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*path, key)
        yield from places(item, (*path, key))


def test_no_value_anywhere_in_a_template_stops_the_check(template: Make) -> None:
    whole = resources()
    for path in places(whole):
        for odd in ODD:
            changed = copy.deepcopy(whole)
            holder: Any = changed
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = copy.deepcopy(odd)
            made = template(changed)
            assert isinstance([*own_findings([made], Permissions())], list), path
            assert quotas([made]).columns


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_metadata_of_any_shape_are_read_past(tmp_path: Path, odd: Any) -> None:
    kept = [
        odd,
        {"cdk_nag": odd, "cfn-lint": odd},
        {"cdk_nag": {"rules_to_suppress": odd}, "cfn-lint": {"config": odd, "reasons": odd}},
        {"cfn-lint": {"config": {"ignore_checks": odd}}},
    ]
    inner = {f"R{n}": {"Type": "AWS::CloudFormation::Stack", "Metadata": one} for n, one in enumerate(kept)}
    (made,) = templates(read(write_assembly(tmp_path, {"App": {"Resources": inner}})))
    findings = tuple(made.finding("R", Severity.ERROR, "m", name) for name in inner)

    assert split_by_app([made], findings) == (findings, ())
    assert "R" not in str(lint._without_directives({"Resources": inner}).values())


def test_a_template_that_cfn_lint_cannot_read_is_an_error(template: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise AttributeError("a text has no attribute get")

    monkeypatch.setattr(lint, "import_module", lambda _: SimpleNamespace(lint=fails))
    monkeypatch.setattr(lint, "_rules", list)
    (match,) = lint.lint(template({}).path, None)

    assert (match["rule"], match["severity"]) == ("cfn-lint-unreadable", "error")
    assert match["message"].endswith("so it did not look: a text has no attribute get")
