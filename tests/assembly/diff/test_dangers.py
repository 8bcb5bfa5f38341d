"""What should a reviewer stop at, why, and what is the way out?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.assembly.diff.stacks import Template, changed, found, resource, template

ML_CONFIG = template(
    X=resource(
        "AWS::SageMaker::EndpointConfig",
        {
            "ProductionVariants": [{"InstanceType": "ml.m5.large", "InitialInstanceCount": 1, "VariantName": "a"}],
            "KmsKeyId": "k",
            "DataCaptureConfig": {"EnableCapture": "true"},
        },
    )
)
TABLE = template(
    X=resource(
        "AWS::DynamoDB::Table",
        {
            "TableName": "t",
            "DeletionProtectionEnabled": True,
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
        },
        DeletionPolicy="Retain",
        UpdateReplacePolicy="Retain",
    )
)
BUCKET = template(
    X=resource(
        "AWS::S3::Bucket",
        {
            "BucketName": "b",
            "VersioningConfiguration": {"Status": "Enabled"},
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}}
                ]
            },
            "LoggingConfiguration": {"DestinationBucketName": "l"},
            "PublicAccessBlockConfiguration": {"BlockPublicAcls": True},
        },
    )
)
LOGS = template(X=resource("AWS::Logs::LogGroup", {"RetentionInDays": 180, "KmsKeyId": "k"}))
DATABASE = template(
    X=resource(
        "AWS::RDS::DBInstance",
        {
            "StorageEncrypted": True,
            "BackupRetentionPeriod": 7,
            "AllocatedStorage": "100",
            "DBInstanceClass": "db.m5.large",
            "PubliclyAccessible": False,
            "DeletionProtection": True,
        },
    )
)
GROUP = template(
    X=resource(
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": "g",
            "SecurityGroupIngress": [{"CidrIp": "10.0.0.0/16", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}],
        },
    )
)
BALANCER = template(
    X=resource(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        {
            "LoadBalancerAttributes": [
                {"Key": "access_logs.s3.enabled", "Value": "true"},
                {"Key": "deletion_protection.enabled", "Value": "true"},
            ]
        },
    )
)
LISTENER = template(X=resource("AWS::ElasticLoadBalancingV2::Listener", {"Protocol": "HTTPS", "Port": 443}))
CDN = template(
    X=resource(
        "AWS::CloudFront::Distribution",
        {"DistributionConfig": {"WebACLId": "w", "DefaultCacheBehavior": {"ViewerProtocolPolicy": "https-only"}}},
    )
)
BROKERS = template(
    X=resource("AWS::MSK::Cluster", {"EncryptionInfo": {"EncryptionInTransit": {"ClientBroker": "TLS"}}})
)
USERS = template(X=resource("AWS::Cognito::UserPool", {"MfaConfiguration": "ON", "DeletionProtection": "ACTIVE"}))
IMAGES = template(X=resource("AWS::ECR::Repository", {"ImageTagMutability": "IMMUTABLE"}))
VAULT = template(
    X=resource("AWS::Backup::BackupVault", {"BackupVaultName": "v", "LockConfiguration": {"MinRetentionDays": 7}})
)
ALARM = template(X=resource("AWS::CloudWatch::Alarm", {"ActionsEnabled": True}))
API = template(X=resource("AWS::ApiGateway::RestApi", {"EndpointConfiguration": {"Types": ["PRIVATE"]}}))
SERVICE = template(
    X=resource("AWS::ECS::Service", {"NetworkConfiguration": {"AwsvpcConfiguration": {"AssignPublicIp": "DISABLED"}}})
)
MACHINES = template(
    X=resource("AWS::EC2::LaunchTemplate", {"LaunchTemplateData": {"MetadataOptions": {"HttpTokens": "required"}}})
)
NETWORK_LIST = template(
    X=resource(
        "AWS::EC2::NetworkAclEntry",
        {"NetworkAclId": "n", "RuleNumber": 1, "RuleAction": "allow", "Protocol": -1, "CidrBlock": "10.0.0.0/8"},
    )
)
ROUTE = template(
    X=resource("AWS::EC2::Route", {"RouteTableId": "r", "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "n"})
)
FIREWALL = template(X=resource("AWS::WAFv2::WebACL", {"Scope": "REGIONAL", "DefaultAction": {"Block": {}}}))
OLD_FIREWALL = template(X=resource("AWS::WAFRegional::WebACL", {"DefaultAction": {"Type": "BLOCK"}}))
COPIED = template(
    X=resource(
        "AWS::S3::Bucket",
        {
            "ReplicationConfiguration": {
                "Role": "r",
                "Rules": [{"Id": "all", "Status": "Enabled", "Destination": {"Bucket": "b"}, "Prefix": "runs/"}],
            }
        },
    )
)
QUEUE = template(X=resource("AWS::SQS::Queue", {"RedrivePolicy": {"deadLetterTargetArn": "d", "maxReceiveCount": 3}}))
SUBSCRIPTION = template(
    X=resource("AWS::SNS::Subscription", {"TopicArn": "t", "RedrivePolicy": {"deadLetterTargetArn": "d"}})
)
TASK = template(
    X=resource("AWS::ECS::TaskDefinition", {"ContainerDefinitions": [{"Name": "c", "Image": "i", "Privileged": False}]})
)
BUILD = template(X=resource("AWS::CodeBuild::Project", {"Environment": {"Type": "LINUX_CONTAINER", "Image": "i"}}))
VOLUMES = template(
    X=resource(
        "AWS::EC2::LaunchTemplate",
        {"LaunchTemplateData": {"BlockDeviceMappings": [{"DeviceName": "d", "Ebs": {"Encrypted": True}}]}},
    )
)
ANYBODY = {"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
EMPTY = template()


def in_prod(value: Any, otherwise: Any = None) -> dict[str, Any]:
    return {"Fn::If": ["Prod", value, otherwise or {"Ref": "AWS::NoValue"}]}


def rules(before: Template | None, after: Template | None, **settings: Any) -> set[tuple[str, str]]:
    return {(finding.rule, finding.severity.value) for finding in found(before, after, **settings)}


@pytest.mark.parametrize(
    ("before", "path", "value", "rule", "severity"),
    [
        pytest.param(TABLE, "Properties.TableName", "u", "data-orphaned", "warning", id="a retained table replaced"),
        pytest.param(
            changed(TABLE, "UpdateReplacePolicy", None),
            "Properties.TableName",
            "u",
            "data-lost",
            "error",
            id="a table replaced",
        ),
        pytest.param(BUCKET, "Properties.BucketName", "c", "data-lost", "error", id="a bucket replaced"),
        pytest.param(LOGS, "Properties.LogGroupName", "c", "data-lost", "warning", id="a log group replaced"),
        pytest.param(
            TABLE, "DeletionPolicy", "Delete", "protection-weakened", "error", id="a deletion policy weakened"
        ),
        pytest.param(
            TABLE, "UpdateReplacePolicy", None, "protection-weakened", "error", id="a replace policy taken away"
        ),
        pytest.param(
            TABLE,
            "Properties.DeletionProtectionEnabled",
            False,
            "protection-weakened",
            "warning",
            id="deletion protection off",
        ),
        pytest.param(
            TABLE,
            "Properties.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
            False,
            "protection-weakened",
            "warning",
            id="recovery off",
        ),
        pytest.param(
            BUCKET,
            "Properties.VersioningConfiguration.Status",
            "Suspended",
            "protection-weakened",
            "warning",
            id="versions no longer kept",
        ),
        pytest.param(LOGS, "Properties.RetentionInDays", 30, "retention-weakened", "warning", id="logs kept shorter"),
        pytest.param(
            changed(LOGS, "Properties.RetentionInDays", None),
            "Properties.RetentionInDays",
            30,
            "retention-weakened",
            "warning",
            id="logs no longer kept for ever",
        ),
        pytest.param(
            DATABASE, "Properties.BackupRetentionPeriod", 1, "retention-weakened", "warning", id="backups kept shorter"
        ),
        pytest.param(
            DATABASE,
            "Properties.StorageEncrypted",
            False,
            "encryption-removed",
            "error",
            id="storage no longer encrypted",
        ),
        pytest.param(LOGS, "Properties.KmsKeyId", None, "encryption-removed", "error", id="a key taken away"),
        pytest.param(
            BUCKET,
            "Properties.BucketEncryption",
            None,
            "encryption-removed",
            "error",
            id="a bucket's encryption taken away",
        ),
        pytest.param(
            BUCKET,
            "Properties.BucketEncryption.ServerSideEncryptionConfiguration.0.ServerSideEncryptionByDefault.SSEAlgorithm",
            "AES256",
            "encryption-removed",
            "warning",
            id="a key of one's own given up",
        ),
        pytest.param(
            BUCKET, "Properties.LoggingConfiguration", None, "logging-removed", "warning", id="access logs taken away"
        ),
        pytest.param(
            ML_CONFIG,
            "Properties.DataCaptureConfig.EnableCapture",
            False,
            "logging-removed",
            "warning",
            id="data capture off",
        ),
        pytest.param(
            BUCKET,
            "Properties.PublicAccessBlockConfiguration.BlockPublicAcls",
            False,
            "network-exposed",
            "error",
            id="public access no longer blocked",
        ),
        pytest.param(
            DATABASE, "Properties.PubliclyAccessible", True, "network-exposed", "error", id="a database in public"
        ),
        pytest.param(
            GROUP,
            "Properties.SecurityGroupIngress.0.CidrIp",
            "0.0.0.0/0",
            "network-exposed",
            "error",
            id="everybody comes in",
        ),
        pytest.param(
            GROUP,
            "Properties.SecurityGroupIngress.0.CidrIp",
            "10.0.0.0/8",
            "network-exposed",
            "warning",
            id="a wider range comes in",
        ),
        pytest.param(
            GROUP, "Properties.SecurityGroupIngress.0.FromPort", 22, "network-exposed", "warning", id="more ports"
        ),
        pytest.param(
            ML_CONFIG,
            "Properties.ProductionVariants.0.InitialInstanceCount",
            2,
            "capacity-jump",
            "warning",
            id="twice the instances",
        ),
        pytest.param(
            ML_CONFIG,
            "Properties.ProductionVariants.0.InstanceType",
            "ml.m5.4xlarge",
            "capacity-jump",
            "warning",
            id="a larger instance",
        ),
        pytest.param(
            ML_CONFIG,
            "Properties.ProductionVariants.0.InstanceType",
            "ml.g5.large",
            "capacity-jump",
            "warning",
            id="an accelerator",
        ),
        pytest.param(
            DATABASE, "Properties.AllocatedStorage", "200", "capacity-jump", "warning", id="twice the storage"
        ),
        pytest.param(
            BALANCER,
            "Properties.LoadBalancerAttributes.0.Value",
            "false",
            "logging-removed",
            "warning",
            id="the logs of a load balancer off",
        ),
        pytest.param(
            BALANCER,
            "Properties.LoadBalancerAttributes.1.Value",
            "false",
            "protection-weakened",
            "warning",
            id="a load balancer unprotected",
        ),
        pytest.param(
            BALANCER,
            "Properties.LoadBalancerAttributes",
            None,
            "logging-removed",
            "warning",
            id="a load balancer without attributes",
        ),
        pytest.param(
            LISTENER, "Properties.Protocol", "HTTP", "encryption-removed", "error", id="a listener in plain text"
        ),
        pytest.param(
            CDN,
            "Properties.DistributionConfig.DefaultCacheBehavior.ViewerProtocolPolicy",
            "allow-all",
            "encryption-removed",
            "error",
            id="viewers in plain text",
        ),
        pytest.param(
            CDN, "Properties.DistributionConfig.WebACLId", None, "network-exposed", "error", id="a web ACL taken away"
        ),
        pytest.param(
            BROKERS,
            "Properties.EncryptionInfo.EncryptionInTransit.ClientBroker",
            "TLS_PLAINTEXT",
            "encryption-removed",
            "error",
            id="brokers in plain text",
        ),
        pytest.param(
            USERS, "Properties.MfaConfiguration", "OPTIONAL", "network-exposed", "error", id="one factor is enough"
        ),
        pytest.param(
            USERS,
            "Properties.DeletionProtection",
            "INACTIVE",
            "protection-weakened",
            "warning",
            id="a user pool unprotected",
        ),
        pytest.param(
            IMAGES,
            "Properties.ImageTagMutability",
            "MUTABLE",
            "protection-weakened",
            "warning",
            id="tags can be overwritten",
        ),
        pytest.param(
            VAULT, "Properties.LockConfiguration", None, "protection-weakened", "warning", id="a vault unlocked"
        ),
        pytest.param(
            ALARM, "Properties.ActionsEnabled", False, "logging-removed", "warning", id="an alarm without actions"
        ),
        pytest.param(
            API,
            "Properties.EndpointConfiguration.Types",
            ["REGIONAL"],
            "network-exposed",
            "error",
            id="a private API made public",
        ),
        pytest.param(
            SERVICE,
            "Properties.NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp",
            "ENABLED",
            "network-exposed",
            "error",
            id="public tasks",
        ),
        pytest.param(
            MACHINES,
            "Properties.LaunchTemplateData.MetadataOptions.HttpTokens",
            "optional",
            "network-exposed",
            "error",
            id="metadata without a token",
        ),
        pytest.param(
            NETWORK_LIST, "Properties.CidrBlock", "0.0.0.0/0", "network-exposed", "error", id="a network list opened"
        ),
        pytest.param(
            TABLE,
            "Properties.PointInTimeRecoverySpecification",
            None,
            "protection-weakened",
            "warning",
            id="a block that protects goes as a whole",
        ),
        pytest.param(
            BROKERS, "Properties.EncryptionInfo", None, "encryption-removed", "error", id="a block that encrypts goes"
        ),
        pytest.param(
            MACHINES,
            "Properties.LaunchTemplateData.MetadataOptions",
            None,
            "network-exposed",
            "error",
            id="a block that shuts goes",
        ),
        pytest.param(
            FIREWALL, "Properties.DefaultAction", {"Allow": {}}, "network-exposed", "error", id="a firewall that allows"
        ),
        pytest.param(
            OLD_FIREWALL,
            "Properties.DefaultAction.Type",
            "ALLOW",
            "network-exposed",
            "error",
            id="an old firewall that allows",
        ),
        pytest.param(
            COPIED, "Properties.ReplicationConfiguration", None, "protection-weakened", "warning", id="no copy"
        ),
        pytest.param(
            COPIED,
            "Properties.ReplicationConfiguration.Rules.0.Status",
            "Disabled",
            "protection-weakened",
            "warning",
            id="a copy that rests",
        ),
        pytest.param(
            QUEUE, "Properties.RedrivePolicy", None, "protection-weakened", "warning", id="a queue without dead letters"
        ),
        pytest.param(
            SUBSCRIPTION,
            "Properties.RedrivePolicy",
            None,
            "protection-weakened",
            "warning",
            id="a subscription without dead letters",
        ),
        pytest.param(
            TASK,
            "Properties.ContainerDefinitions.0.Privileged",
            True,
            "protection-weakened",
            "warning",
            id="a privileged container",
        ),
        pytest.param(
            TASK,
            "Properties.ContainerDefinitions",
            [{"Name": "c", "Image": "i"}, {"Name": "d", "Image": "i", "Privileged": True}],
            "protection-weakened",
            "warning",
            id="a second container, privileged",
        ),
        pytest.param(
            BUILD,
            "Properties.Environment.PrivilegedMode",
            True,
            "protection-weakened",
            "warning",
            id="a privileged build",
        ),
        pytest.param(
            changed(DATABASE, "Properties.EnableIAMDatabaseAuthentication", True),
            "Properties.EnableIAMDatabaseAuthentication",
            False,
            "network-exposed",
            "error",
            id="a database without IAM's authentication",
        ),
        pytest.param(
            ROUTE, "Properties.GatewayId", "igw", "network-exposed", "error", id="a route past the NAT gateway"
        ),
        pytest.param(
            GROUP,
            "Properties.SecurityGroupIngress",
            in_prod([ANYBODY], GROUP["Resources"]["X"]["Properties"]["SecurityGroupIngress"]),
            "network-exposed",
            "error",
            id="everybody comes in, in one case",
        ),
        pytest.param(
            changed(GROUP, "Properties.SecurityGroupIngress", [in_prod({**ANYBODY, "CidrIp": "10.0.0.0/8"})]),
            "Properties.SecurityGroupIngress",
            [in_prod(ANYBODY)],
            "network-exposed",
            "error",
            id="everybody comes in by a rule of one case",
        ),
        pytest.param(
            DATABASE,
            "Properties.PubliclyAccessible",
            in_prod("true", "false"),
            "network-exposed",
            "error",
            id="a database in public, in one case",
        ),
        pytest.param(
            LOGS,
            "Properties.RetentionInDays",
            in_prod(7, 180),
            "retention-weakened",
            "warning",
            id="logs kept shorter in one case",
        ),
        pytest.param(
            changed(LOGS, "Properties.RetentionInDays", in_prod(180, 30)),
            "Properties.RetentionInDays",
            in_prod(7, 30),
            "retention-weakened",
            "warning",
            id="logs kept shorter in the case that there was",
        ),
        pytest.param(
            LOGS, "Properties.KmsKeyId", in_prod("k"), "encryption-removed", "error", id="a key left to one case"
        ),
    ],
)
def test_a_danger_is_named(before: Template, path: str, value: Any, rule: str, severity: str) -> None:
    after = changed(before, path, value)

    assert (rule, severity) in rules(before, after)
    one = next(finding for finding in found(before, after) if finding.rule == rule)
    assert one.reason
    assert one.way_out
    assert (one.logical_id, one.stack, one.file) == ("X", "Try/Stack", "Stack.template.json")


@pytest.mark.parametrize(
    ("before", "path", "value"),
    [
        pytest.param(LOGS, "Properties.RetentionInDays", 365, id="logs kept longer"),
        pytest.param(LOGS, "Properties.RetentionInDays", None, id="logs kept for ever"),
        pytest.param(LOGS, "Properties.KmsKeyId", "another", id="another key"),
        pytest.param(changed(TABLE, "DeletionPolicy", None), "DeletionPolicy", "Retain", id="a stronger policy"),
        pytest.param(GROUP, "Properties.SecurityGroupIngress.0.CidrIp", "10.0.1.0/24", id="a smaller range"),
        pytest.param(DATABASE, "Properties.AllocatedStorage", "120", id="a little more storage"),
        pytest.param(VOLUMES, "Properties.LaunchTemplateData.BlockDeviceMappings", [], id="an encrypted volume goes"),
        pytest.param(LISTENER, "Properties.Port", 8443, id="another port"),
        pytest.param(
            changed(FIREWALL, "Properties.DefaultAction", {"Allow": {}}),
            "Properties.DefaultAction",
            {"Block": {}},
            id="a firewall that blocks",
        ),
        pytest.param(COPIED, "Properties.ReplicationConfiguration.Rules.0.Prefix", "", id="a copy of more"),
        pytest.param(QUEUE, "Properties.RedrivePolicy.maxReceiveCount", 5, id="more tries before the dead letters"),
        pytest.param(BUCKET, "Properties.Tags", [{"Key": "a", "Value": "b"}], id="a tag"),
        pytest.param(LOGS, "Properties.RetentionInDays", in_prod(365, 180), id="logs kept longer in one case"),
        pytest.param(
            changed(LOGS, "Properties.RetentionInDays", in_prod(7, 30)),
            "Properties.RetentionInDays",
            {"Fn::If": ["Prod", 7, {"Fn::If": ["Test", 60, 30]}]},
            id="a case inside a case",
        ),
    ],
)
def test_what_is_no_danger_is_none(before: Template, path: str, value: Any) -> None:
    assert found(before, changed(before, path, value)) == ()


def test_a_way_to_the_internet_is_named() -> None:
    route = resource("AWS::EC2::Route", {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "g", "RouteTableId": "r"})

    assert ("network-exposed", "warning") in rules(EMPTY, template(X=route))


def test_a_rule_that_moves_into_its_group_opens_nothing() -> None:
    rule = {"CidrIp": "10.0.0.0/16", "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    wide = changed(GROUP, "Properties.SecurityGroupIngress", [{**rule, "IpProtocol": "-1"}])

    assert found(wide, GROUP) == ()


def test_recorders_that_go_are_named() -> None:
    assert ("logging-removed", "warning") in rules(template(X=resource("AWS::EC2::FlowLog")), EMPTY)
