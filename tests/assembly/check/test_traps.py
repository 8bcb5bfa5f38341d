"""Is each trap seen, and its mended form let be? The numbers are those of docs/check.md."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly.check import traps as rooms
from mlplatform_cdk.assembly.check.traps import traps
from mlplatform_cdk.assembly.check.traps.words import encrypts_itself
from mlplatform_cdk.core import instances
from tests.assembly.check.conftest import TRUST, Make, function, machine, role

Resources = dict[str, Any]


def made(kind: str, **properties: Any) -> dict[str, Any]:
    policies = {key: properties.pop(key) for key in ("DeletionPolicy", "UpdateReplacePolicy", "DependsOn")
                if key in properties}  # fmt: skip
    return {"Type": kind, "Properties": properties, **policies}


def config(instance_type: str = "ml.m5.large", **more: Any) -> dict[str, Any]:
    return made("AWS::SageMaker::EndpointConfig", ProductionVariants=[{"InstanceType": instance_type}], **more)


def target(**more: Any) -> dict[str, Any]:
    values = {"ServiceNamespace": "sagemaker", "ResourceId": {"Fn::Sub": "endpoint/${Endpoint}/variant/a"}}
    return made("AWS::ApplicationAutoScaling::ScalableTarget", **{**values, **more})


def scaling(metric: str) -> dict[str, Any]:
    specification = {"PredefinedMetricSpecification": {"PredefinedMetricType": metric}}
    return made(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        ScalingTargetId={"Ref": "Target"},
        TargetTrackingScalingPolicyConfiguration=specification,
    )


def by_own(metric: str, *, formula: bool = False) -> dict[str, Any]:
    named = {"Namespace": "AWS/SageMaker", "MetricName": metric}
    told = {"Metrics": [{"Id": "m", "MetricStat": {"Metric": named}}]} if formula else named
    return made(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        ScalingTargetId={"Ref": "Target"},
        TargetTrackingScalingPolicyConfiguration={"CustomizedMetricSpecification": told},
    )


def endpoint(**more: Any) -> dict[str, Any]:
    return made("AWS::SageMaker::Endpoint", RetainAllVariantProperties=True, **more)


def alarm(**more: Any) -> dict[str, Any]:
    return made("AWS::CloudWatch::Alarm", **{"AlarmActions": ["a"], "TreatMissingData": "breaching", **more})


def statement(**more: Any) -> dict[str, Any]:
    return {"PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", **more}]}}


def training(**cluster: Any) -> dict[str, Any]:
    resource = "arn:aws:states:::sagemaker:createTrainingJob.sync"
    return {"Resource": resource, "Parameters": {"ResourceConfig": {"InstanceCount": 1, **cluster}}}


UPDATE: dict[str, Any] = {
    "Resource": "arn:aws:states:::sagemaker:updateEndpoint",
    "Parameters": {"RetainAllVariantProperties": True},
}
OF_STACK, ELSEWHERE = {"Fn::Sub": "${AWS::StackName}-churn"}, {"Fn::ImportValue": "b"}
LEFT = {  # to a function, by its payload
    "Resource": "arn:aws:states:::lambda:invoke",
    "Parameters": {"Payload": {"call": "sagemaker:updateEndpoint", "parameters": UPDATE["Parameters"]}},
}
DESCRIBE = {"Resource": "arn:aws:states:::aws-sdk:sagemaker:describeEndpoint", "Parameters": {}}
REGISTER, DEREGISTER, DELETE = (
    {"Resource": f"arn:aws:states:::aws-sdk:{call}", "Parameters": {}}
    for call in (
        "applicationautoscaling:registerScalableTarget",
        "applicationautoscaling:deregisterScalableTarget",
        "sagemaker:deleteEndpoint",
    )
)
QUEUED = config(AsyncInferenceConfig={"a": 1})
WATCHED = made("AWS::SageMaker::Endpoint", EndpointName="e")
MODEL = made("AWS::SageMaker::Model", ExecutionRoleArn={"Fn::GetAtt": ["Role", "Arn"]})
POLICY = made("AWS::IAM::Policy", Roles=[{"Ref": "Role"}], **statement())
ARRIVAL = {"source": ["aws.s3"], "detail-type": ["Object Created"]}
RULE = made("AWS::Events::Rule", EventPattern=ARRIVAL, Targets=[{"Arn": {"Ref": "Machine"}}])
CUSTOM = made("Custom::Thing", ServiceToken={"Fn::GetAtt": ["Function", "Arn"]}, ServiceTimeout="60")
ACCOUNTS = {"AWS": ["arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root"]}
TWICE = {"AWS": ["arn:aws:iam::111111111111:root", "arn:aws:iam::111111111111:root"]}
KEPT = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
IMAGE = "763104351884.dkr.ecr.{}.amazonaws.com/pytorch:2"
LARGE = statement(Resource=[f"arn:aws:s3:::{'b' * 50}{number}" for number in range(90)])
LESS = statement(Resource=[f"arn:aws:s3:::{'b' * 50}{number}" for number in range(50)])


def updating(name: Any) -> dict[str, Any]:
    """A machine that updates the endpoint of that name, with its definition as an object."""
    steps = machine({**UPDATE, "Parameters": {**UPDATE["Parameters"], "EndpointName": name}}, DESCRIBE)
    steps["Properties"]["Definition"] = json.loads(steps["Properties"].pop("DefinitionString"))
    return steps


def schedule(endpoint: Any, **more: Any) -> dict[str, Any]:
    definition = {"MonitoringInputs": [{"EndpointInput": {"EndpointName": endpoint, "LocalPath": "/opt"}}]}
    config = {"MonitoringJobDefinition": definition}
    return made("AWS::SageMaker::MonitoringSchedule", MonitoringScheduleConfig=config, **more)


CASES: list[Any] = [
    ("trap-02-fixed-name", {"M": made("AWS::SageMaker::Model", ModelName="m")}, {"M": made("AWS::SageMaker::Model")}),
    ("trap-03-silent-rollback", {"M": machine(UPDATE)}, {"M": machine(UPDATE, DESCRIBE)}),
    ("trap-03-silent-rollback", {"M": machine(LEFT)}, {"M": machine(LEFT, DESCRIBE)}),
    (
        "trap-05-never-deregistered",
        {"M": machine(REGISTER, DELETE)},
        {"M": machine(REGISTER, DEREGISTER, DELETE)},
    ),
    (
        "trap-24-schedule-order",
        {"E": WATCHED, "S": schedule("e")},
        {"E": WATCHED, "S": schedule({"Fn::GetAtt": ["E", "EndpointName"]}), "T": schedule("e", DependsOn=["E"])},
    ),
    (
        "trap-04-capacity-reset",
        {"Endpoint": made("AWS::SageMaker::Endpoint"), "Target": target()},
        {"Endpoint": endpoint(), "Target": target()},
    ),
    (
        "trap-04-capacity-reset",
        {"M": machine({**UPDATE, "Parameters": {}}, DESCRIBE), "Target": target()},
        {"M": machine(UPDATE, DESCRIBE), "Target": target()},
    ),
    (
        "trap-05-target-before-variant",
        {"Endpoint": endpoint(), "Target": target(ResourceId="endpoint/e/variant/a")},
        {"Endpoint": endpoint(), "Target": target(ResourceId="endpoint/e/variant/a", DependsOn="Endpoint")},
    ),
    (
        "trap-06-wrong-metric",
        {"Target": target(), "P": scaling("ECSServiceAverageCPUUtilization")},
        {"Target": target(), "P": scaling("SageMakerVariantInvocationsPerInstance")},
    ),
    (
        "trap-06-wrong-metric",
        {"Target": target(), "C": QUEUED, "P": scaling("SageMakerVariantInvocationsPerInstance")},
        {"Target": target(), "C": config(), "P": scaling("SageMakerVariantInvocationsPerInstance")},
    ),
    (
        "trap-06-wrong-metric",
        {"Target": target(), "C": config(), "P": by_own("ApproximateBacklogSizePerInstance")},
        {"Target": target(), "C": QUEUED, "P": by_own("ApproximateBacklogSizePerInstance")},
    ),
    (
        "trap-06-wrong-metric",
        {"Target": target(), "C": QUEUED, "P": by_own("InvocationsPerInstance", formula=True)},
        {"Target": target(), "C": config(), "P": by_own("InvocationsPerInstance", formula=True)},
    ),
    (
        "trap-06-scale-to-zero",
        {"T": target(ScalableDimension="sagemaker:variant:DesiredInstanceCount", MinCapacity=0)},
        {"T": target(ScalableDimension="sagemaker:variant:DesiredInstanceCount", MinCapacity=1)},
    ),
    (
        "trap-07-model-before-policy",
        {"Role": role(), "Policy": POLICY, "Model": MODEL},
        {"Role": role(), "Policy": POLICY, "Model": {**MODEL, "DependsOn": ["Policy"]}},
    ),
    ("trap-08-key-on-nvme", {"C": config("ml.g5.xlarge", KmsKeyId="k")}, {"C": config("ml.m5.xlarge", KmsKeyId="k")}),
    (
        "trap-08-key-on-nvme",
        {"M": machine(training(InstanceType="ml.p4d.24xlarge", VolumeKmsKeyId="k"))},
        {"M": machine(training(InstanceType="ml.p4d.24xlarge"))},
    ),
    (
        "trap-09-duplicate-principal",
        {"B": made("AWS::S3::BucketPolicy", **statement(Principal=TWICE))},
        {"B": made("AWS::S3::BucketPolicy", **statement(Principal=ACCOUNTS))},
    ),
    (
        "trap-10-policy-size",
        {"P": made("AWS::IAM::ManagedPolicy", **LARGE)},
        {"P": made("AWS::IAM::ManagedPolicy", **LESS)},
    ),
    (
        "trap-10-policy-size",
        {"Role": role(), **{f"P{n}": made("AWS::IAM::Policy", Roles=[{"Ref": "Role"}], **LARGE) for n in range(2)}},
        {"Role": role(), "P": made("AWS::IAM::Policy", Roles=[{"Ref": "Role"}], **LARGE)},
    ),
    (
        "trap-11-stack-size",
        {f"T{n}": made("AWS::SNS::Topic") for n in range(401)},
        {f"T{n}": made("AWS::SNS::Topic") for n in range(400)},
    ),
    ("trap-14-unsaid-removal", {"B": made("AWS::S3::Bucket")}, {"B": made("AWS::S3::Bucket", DeletionPolicy="Delete")}),
    ("trap-15-custom-resource-hangs", {"C": made("Custom::Thing")}, {"C": CUSTOM}),
    (
        "trap-15-custom-resource-only-creates",
        {"C": CUSTOM, "Function": function("def handle(e, c): print(e)")},
        {"C": CUSTOM, "Function": function("def handle(e, c):\n  if e['RequestType'] == 'Delete': pass")},
    ),
    ("trap-18-retired-service", {"R": made("AWS::CodeCommit::Repository")}, {"R": made("AWS::CodeBuild::Project")}),
    (
        "trap-19-foreign-registry",
        {"M": made("AWS::SageMaker::Model", PrimaryContainer={"Image": IMAGE.format("us-east-1")})},
        {"M": made("AWS::SageMaker::Model", PrimaryContainer={"Image": IMAGE.format("eu-west-1")})},
    ),
    (
        "trap-25-feature-group-lost",
        {"F": made("AWS::SageMaker::FeatureGroup", DeletionPolicy="Retain")},
        {"F": made("AWS::SageMaker::FeatureGroup", **KEPT)},
    ),
    ("trap-26-mute-alarm", {"A": alarm(AlarmActions=[])}, {"A": alarm()}),
    (
        "trap-26-mute-alarm",
        {"A": alarm(AlarmActions=[])},
        {"A": alarm(AlarmActions=[]), "E": endpoint(DeploymentConfig={"AlarmName": {"Ref": "A"}})},
    ),
    ("trap-26-missing-data", {"A": made("AWS::CloudWatch::Alarm", AlarmActions=["a"])}, {"A": alarm()}),
    ("trap-30-run-per-object", {"Machine": machine(), "R": RULE}, {"Machine": machine(DESCRIBE)}),
    (
        "trap-31-two-owners",
        {"Endpoint": endpoint(), "M": machine(UPDATE, DESCRIBE, Tags=[{"Value": {"Ref": "Endpoint"}}])},
        {"Endpoint": endpoint(), "M": machine(UPDATE, DESCRIBE)},
    ),
    (
        "trap-31-two-owners",
        {"Endpoint": endpoint(EndpointName="e"), "M": updating("e")},
        {"Endpoint": endpoint(EndpointName="e"), "M": updating("other")},
    ),
    (
        "trap-31-two-owners",
        {"Endpoint": endpoint(EndpointName=OF_STACK), "M": updating(OF_STACK)},
        {"Endpoint": endpoint(EndpointName={"Fn::ImportValue": "a"}), "M": updating(ELSEWHERE)},
    ),
]


@pytest.mark.parametrize(
    ("rule", "caught", "mended"), [pytest.param(*case, id=f"{case[0]}-{n}") for n, case in enumerate(CASES)]
)
def test_a_trap_is_seen_and_its_mended_form_is_not(
    template: Make, rule: str, caught: Resources, mended: Resources
) -> None:
    found = [finding for finding in traps(template(caught)) if finding.rule == rule]

    assert found
    assert all(finding.reason and finding.way_out for finding in found)
    assert rule not in {finding.rule for finding in traps(template(mended))}


def test_a_function_that_looks_at_the_endpoint_ends_the_silence(template: Make) -> None:
    looks = "import boto3\ndef handle(e, c):\n  boto3.client('sagemaker').describe_endpoint()"
    call = {"Resource": "arn:aws:states:::lambda:invoke", "Parameters": {}}
    steps = machine(UPDATE, call, Tags=[{"Value": {"Ref": "F"}}])

    assert "trap-03-silent-rollback" not in {one.rule for one in traps(template({"M": steps, "F": function(looks)}))}


@pytest.mark.parametrize(("region", "found"), [("cn-north-1", True), ("us-gov-west-1", True), ("eu-west-1", False)])
def test_a_commercial_arn_is_found_where_it_cannot_exist(template: Make, region: str, *, found: bool) -> None:
    policy = made("AWS::IAM::ManagedPolicy", **statement(Resource="arn:aws:s3:::bucket"))
    rules = {one.rule for one in traps(template({"P": policy}, region=region))}

    assert ("trap-20-hard-partition" in rules) is found


def test_exports_are_named(template: Make) -> None:
    outputs = {"Arn": {"Value": "a", "Export": {"Name": "arn"}}, "Plain": {"Value": "b"}}
    (finding,) = traps(template({"T": made("AWS::SNS::Topic")}, outputs=outputs))

    assert finding.message == "the stack exports 1 values: Arn"


def test_a_trust_policy_near_its_limit_is_a_warning_and_over_it_an_error(template: Make) -> None:
    for count, severity in ((50, "warning"), (65, "error")):
        services = {"Service": [f"service-number-{n:03}.amazonaws.com" for n in range(count)]}
        trust = {"Statement": [{**TRUST["Statement"][0], "Principal": services}]}
        (finding,) = traps(template({"R": role(AssumeRolePolicyDocument=trust)}))
        assert finding.severity == severity


def test_the_families_with_nvme_disks_are_those_of_the_catalogue() -> None:
    names = [*instances._CATALOGUE, "ml.c6gd.large", "ml.trn1.2xlarge", "ml.inf2.xlarge", "m5.large", "x"]
    names += ["ml.p6-b200.48xlarge", "ml.p6e-gb200.36xlarge", "ml.g7.2xlarge", "ml.dl1.24xlarge"]

    assert [name for name in names if encrypts_itself(name) != instances.has_local_storage(name)] == []


def test_what_the_app_asked_of_aws_while_it_was_synthesized_is_told(template: Make) -> None:
    made_of = template({})
    missing = {"key": "vpc-provider:account=1", "provider": "vpc-provider", "props": {"region": "eu-west-1"}}
    elsewhere = {**missing, "props": {"region": "us-east-1"}}

    for those, rules in (([missing], ["trap-01-lookup"]), ([elsewhere], []), ([], [])):
        (made_of.path.parent / "manifest.json").write_text(json.dumps({"artifacts": {}, "missing": those}))
        assert [one.rule for one in traps(made_of)] == rules


def test_exports_are_told_and_other_outputs_are_not(template: Make) -> None:
    exported = {"O": {"Value": "v", "Export": {"Name": "n"}}}

    assert [one.rule for one in traps(template({}, outputs=exported))] == ["trap-11-exports"]
    assert [*traps(template({}, outputs={"O": {"Value": "v"}}))] == []


def test_every_trap_that_is_looked_for_has_a_bad_and_a_good_template_here() -> None:
    source = "".join(path.read_text() for path in Path(rooms.__file__).parent.glob("*.py"))
    coded = {f"trap-{int(number):02}-{name}" for number, name in re.findall(r'trap\((\d+), "([\w-]+)"\)', source)}

    assert {case[0] for case in CASES} | {"trap-01-lookup", "trap-11-exports", "trap-20-hard-partition"} >= coded
