"""What AWS takes where a template says nothing, and what stands inside a list: is it missed?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlplatform_cdk.assembly.diff import RULES
from tests.assembly.diff.stacks import Template, found, resource, template

RULE = {"Id": "a", "Status": "Enabled", "Prefix": "tmp/", "ExpirationInDays": 1}
WHOLE = {name: value for name, value in RULE.items() if name != "Prefix"}
OLDER = {"Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}
VARIANT = {"VariantName": "a", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
PROVISIONED = {"ReadCapacityUnits": 10000, "WriteCapacityUnits": 10000}
EGRESS = {"CidrIp": "10.0.0.0/8", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


def of(kind: str, **properties: Any) -> Template:
    return template(X=resource(kind, properties))


def expiring(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": list(rules)}} if rules else {}


def backups(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"BackupPlan": {"BackupPlanName": "p", "BackupPlanRule": list(rules)}}


def images(count: int) -> dict[str, Any]:
    rule = {"rulePriority": 1, "selection": {"countType": "imageCountMoreThan", "countNumber": count}}
    return {"LifecyclePolicy": {"LifecyclePolicyText": json.dumps({"rules": [rule]})}}


def locked(mode: str, **period: int) -> dict[str, Any]:
    return {"ObjectLockConfiguration": {"Rule": {"DefaultRetention": {"Mode": mode, **period}}}}


def volume(**disk: Any) -> dict[str, Any]:
    return {"LaunchTemplateData": {"BlockDeviceMappings": [{"DeviceName": "d", "Ebs": disk}]}}


def cluster(**config: Any) -> dict[str, Any]:
    return {"ResourcesVpcConfig": {"SubnetIds": ["s"], **config}}


def replica(**more: Any) -> dict[str, Any]:
    return {"Replicas": [{"Region": "eu-west-1", **more}]}


S3, EXPOSED, SHORTER = "AWS::S3::Bucket", "network-exposed error", "retention-weakened warning"
LISTENER, ALARM = "AWS::ElasticLoadBalancingV2::Listener", "AWS::CloudWatch::Alarm"
JUMP, PLAIN, OLD = "capacity-jump warning", "encryption-removed error", "encryption-removed warning"
LOGS, WEAKER = "logging-removed warning", "protection-weakened warning"
PLAN, EKS, VERSIONS = "AWS::Backup::BackupPlan", "AWS::EKS::Cluster", "DistributionConfig"
RECOVERY = {"PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
DANGERS: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "objects expire": (S3, {}, expiring(WHOLE), SHORTER),
    "more objects expire": (S3, expiring(RULE), expiring(RULE, {**WHOLE, "Id": "b"}), SHORTER),
    "objects expire under every prefix": (S3, expiring(RULE), expiring(WHOLE), SHORTER),
    "objects expire at last": (S3, expiring({**WHOLE, "Status": "Disabled"}), expiring(WHOLE), SHORTER),
    "objects expire sooner": (S3, expiring({**RULE, "ExpirationInDays": 9}), expiring(RULE), SHORTER),
    "old versions expire": (S3, expiring(RULE), expiring(RULE, OLDER), SHORTER),
    "an object lock for a day": (S3, locked("COMPLIANCE", Years=1), locked("COMPLIANCE", Days=1), SHORTER),
    "an object lock to open": (S3, locked("COMPLIANCE", Days=9), locked("GOVERNANCE", Days=9), WEAKER),
    "one image stays": ("AWS::ECR::Repository", {}, images(1), SHORTER),
    "backups that end": (
        PLAN,
        backups({"RuleName": "a"}),
        backups({"RuleName": "a", "Lifecycle": {"DeleteAfterDays": 1}}),
        SHORTER,
    ),
    "a replica without recovery": ("AWS::DynamoDB::GlobalTable", replica(**RECOVERY), replica(), WEAKER),
    "a disk in plain": ("AWS::EC2::LaunchTemplate", volume(Encrypted=True, KmsKeyId="k"), volume(VolumeSize=3), PLAIN),
    "a group that says nothing": (
        "AWS::EC2::SecurityGroup",
        {"SecurityGroupEgress": [EGRESS]},
        {},
        "network-exposed warning",
    ),
    "a route without its authorizer": ("AWS::ApiGatewayV2::Route", {"AuthorizationType": "JWT"}, {}, EXPOSED),
    "a cluster that says nothing": (EKS, cluster(EndpointPublicAccess=False), cluster(), EXPOSED),
    "a cluster for everybody": (
        EKS,
        cluster(PublicAccessCidrs=["10.0.0.0/8"]),
        cluster(PublicAccessCidrs=["0.0.0.0/0"]),
        EXPOSED,
    ),
    "a cluster for whom it does not say": (EKS, cluster(PublicAccessCidrs=["10.0.0.0/8"]), cluster(), EXPOSED),
    "a notebook that says nothing": (
        "AWS::SageMaker::NotebookInstance",
        {"DirectInternetAccess": "Disabled"},
        {},
        EXPOSED,
    ),
    "a domain that says nothing": ("AWS::SageMaker::Domain", {"AppNetworkAccessType": "VpcOnly"}, {}, EXPOSED),
    "a balancer that says nothing": ("AWS::ElasticLoadBalancingV2::LoadBalancer", {"Scheme": "internal"}, {}, EXPOSED),
    "a bucket for everybody": (S3, {}, {"AccessControl": "PublicRead"}, EXPOSED),
    "a new interface in public": (
        "AWS::EC2::LaunchTemplate",
        {"LaunchTemplateData": {"NetworkInterfaces": []}},
        {"LaunchTemplateData": {"NetworkInterfaces": [{"AssociatePublicIpAddress": True}]}},
        EXPOSED,
    ),
    "a search domain at rest": (
        "AWS::OpenSearchService::Domain",
        {"EncryptionAtRestOptions": {"Enabled": True}},
        {"EncryptionAtRestOptions": {"Enabled": False}},
        PLAIN,
    ),
    "an old TLS for viewers": (
        "AWS::CloudFront::Distribution",
        {VERSIONS: {"ViewerCertificate": {"MinimumProtocolVersion": "TLSv1.2_2021"}}},
        {VERSIONS: {"ViewerCertificate": {"MinimumProtocolVersion": "TLSv1_2016"}}},
        OLD,
    ),
    "old ciphers for viewers": (
        "AWS::CloudFront::Distribution",
        {VERSIONS: {"ViewerCertificate": {"MinimumProtocolVersion": "TLSv1.2_2021"}}},
        {VERSIONS: {"ViewerCertificate": {"MinimumProtocolVersion": "TLSv1.2_2018"}}},
        OLD,
    ),
    "an old TLS": (
        LISTENER,
        {"SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
        {"SslPolicy": "ELBSecurityPolicy-2016-08"},
        OLD,
    ),
    "the oldest TLS by default": (LISTENER, {"SslPolicy": "ELBSecurityPolicy-FS-1-2-2019-08"}, {}, OLD),
    "larger tasks": (
        "AWS::ECS::TaskDefinition",
        {"Cpu": "256", "Memory": "512"},
        {"Cpu": "4 vCPU", "Memory": "30720"},
        JUMP,
    ),
    "more memory than by default": ("AWS::Lambda::Function", {}, {"MemorySize": 1024}, JUMP),
    "functions kept warm": (
        "AWS::Lambda::Alias",
        {"Name": "a"},
        {"Name": "a", "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": 500}},
        JUMP,
    ),
    "a table with a capacity": (
        "AWS::DynamoDB::Table",
        {"BillingMode": "PAY_PER_REQUEST"},
        {"BillingMode": "PROVISIONED", "ProvisionedThroughput": PROVISIONED},
        JUMP,
    ),
    "a second variant on an accelerator": (
        "AWS::SageMaker::EndpointConfig",
        {"ProductionVariants": [VARIANT]},
        {"ProductionVariants": [VARIANT, {**VARIANT, "VariantName": "b", "InstanceType": "ml.p4d.24xlarge"}]},
        JUMP,
    ),
    "an alarm that tells nobody": (ALARM, {"AlarmActions": ["a"]}, {}, LOGS),
    "an alarm whose last action goes": (ALARM, {"AlarmActions": ["a", "b"]}, {"AlarmActions": []}, LOGS),
}
NONE: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "a rule of another name": (S3, expiring(RULE, OLDER), expiring(OLDER, {**RULE, "Id": "b"})),
    "a rule that another covers": (S3, expiring(WHOLE), expiring(WHOLE, {**RULE, "Id": "b", "ExpirationInDays": 3})),
    "fewer objects expire": (S3, expiring(WHOLE), expiring({**RULE, "TagFilters": [{"Key": "k", "Value": "v"}]})),
    "more images stay": ("AWS::ECR::Repository", images(3), images(5)),
    "a stronger lock": (S3, locked("GOVERNANCE", Days=9), locked("COMPLIANCE", Years=1)),
    "more backups, with an end of their own": (
        PLAN,
        backups({"RuleName": "a"}),
        backups({"RuleName": "a"}, {"RuleName": "b", "Lifecycle": {"DeleteAfterDays": 7}}),
    ),
    "a replica that goes": ("AWS::DynamoDB::GlobalTable", replica(**RECOVERY), {"Replicas": []}),
    "fewer ranges of a cluster": (
        EKS,
        cluster(PublicAccessCidrs=["10.0.0.0/8", "11.0.0.0/8"]),
        cluster(PublicAccessCidrs=["10.0.0.0/8"]),
    ),
    "the default in words": (EKS, cluster(), cluster(EndpointPublicAccess=True)),
    "every way out, in words": (
        "AWS::EC2::SecurityGroup",
        {},
        {"SecurityGroupEgress": [{"CidrIp": "0.0.0.0/0", "IpProtocol": "-1"}]},
    ),
    "a newer TLS": (
        LISTENER,
        {"SslPolicy": "ELBSecurityPolicy-2016-08"},
        {"SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
    ),
    "an alarm with one action less": (ALARM, {"AlarmActions": ["a", "b"]}, {"AlarmActions": ["b"]}),
    "a little memory": ("AWS::Lambda::Function", {}, {"MemorySize": 192}),
}


@pytest.mark.parametrize("name", DANGERS)
def test_what_a_default_or_a_list_hides_is_named(name: str) -> None:
    kind, before, after, told = DANGERS[name]

    findings = found(of(kind, **before), of(kind, **after))

    assert told in {f"{one.rule} {one.severity.value}" for one in findings}
    assert {one.rule for one in findings} <= set(RULES)


@pytest.mark.parametrize("name", NONE)
def test_what_a_default_or_a_list_says_already_is_no_danger(name: str) -> None:
    kind, before, after = NONE[name]

    assert found(of(kind, **before), of(kind, **after)) == ()


def test_a_rule_beside_a_group_takes_its_default_away() -> None:
    beside = {"R": resource("AWS::EC2::SecurityGroupEgress", {"GroupId": {"Ref": "X"}, **EGRESS})}
    before, after = (
        {**of("AWS::EC2::SecurityGroup", **one)["Resources"], **beside}
        for one in ({"SecurityGroupEgress": [EGRESS]}, {})
    )

    assert found(template(**before), template(**after)) == ()


def test_what_expires_is_said_in_words() -> None:
    messages = {one.message for one in found(of(S3), of(S3, **expiring(RULE, OLDER)))}

    assert messages == {
        "AWS::S3::Bucket: objects under tmp/ are now deleted after 1 day",
        "AWS::S3::Bucket: earlier versions of objects are now deleted after 30 days",
    }
