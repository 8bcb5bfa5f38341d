"""Is each resource type made, changed and deleted in the service that it belongs to?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlplatform_cdk.local.deploy import DeploymentReport, deploy, destroy
from mlplatform_cdk.local.settings import Settings
from tests.local.control.handmade import assembly_of

Client = Callable[[str], Any]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}],
}
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "helper", "AssumeRolePolicyDocument": TRUST}}
ROLE_ARN = {"Fn::GetAtt": ["Role", "Arn"]}
FUNCTION: dict[str, Any] = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "FunctionName": "helper",
        "Role": ROLE_ARN,
        "Runtime": "python3.12",
        "Handler": "index.handle",
        "Code": {"ZipFile": "def handle(event, context):\n    return event\n"},
    },
}
BALANCER = {
    "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
    "Properties": {
        "Type": "network",
        "Scheme": "internal",
        "Subnets": [{"Ref": "Subnet"}],
        "LoadBalancerAttributes": [{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}],
    },
}
MACHINE = '{"StartAt": "End", "States": {"End": {"Type": "Succeed", "Comment": "%s"}}}'


@dataclass(frozen=True)
class Case:
    """A type: its first and second properties, what else it needs, and what the service says of it."""

    type: str
    properties: dict[str, Any]
    ask: Callable[[Client, str], Any]
    said: Any
    changed: dict[str, Any] = field(default_factory=dict)
    said_then: Any = None
    needs: dict[str, Any] = field(default_factory=dict)
    stays_after_deletion: bool = False


CASES = [
    Case(
        "AWS::S3::Bucket",
        {"VersioningConfiguration": {"Status": "Enabled"}},
        lambda client, name: client("s3").get_bucket_versioning(Bucket=name)["Status"],
        "Enabled",
        {"VersioningConfiguration": {"Status": "Suspended"}},
        "Suspended",
    ),
    Case(
        "AWS::S3::Bucket",
        {
            "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
            "LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "ExpirationInDays": 3, "Id": "x"}]},
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}}
                ]
            },
        },
        lambda client, name: (
            "EventBridgeConfiguration" in client("s3").get_bucket_notification_configuration(Bucket=name),
            client("s3").get_bucket_lifecycle_configuration(Bucket=name)["Rules"][0]["Expiration"],
            client("s3").get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0][
                "ApplyServerSideEncryptionByDefault"
            ]["SSEAlgorithm"],
        ),
        (True, {"Days": 3}, "aws:kms"),
    ),
    Case(
        "AWS::SQS::QueuePolicy",
        {"Queues": [{"Ref": "Queue"}], "PolicyDocument": POLICY},
        lambda client, _name: (
            "Policy"
            in client("sqs").get_queue_attributes(
                QueueUrl=client("sqs").get_queue_url(QueueName="with-policy")["QueueUrl"], AttributeNames=["All"]
            )["Attributes"]
        ),
        True,
        needs={"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "with-policy"}}},
    ),
    Case(
        "AWS::SNS::Subscription",
        {"TopicArn": {"Ref": "Topic"}, "Protocol": "email", "Endpoint": "a@example.com"},
        lambda client, arn: client("sns").get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["Endpoint"],
        "a@example.com",
        needs={"Topic": {"Type": "AWS::SNS::Topic"}},
    ),
    Case(
        "AWS::SNS::Topic",
        {"DisplayName": "one"},
        lambda client, arn: client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"],
        "one",
        {"DisplayName": "two"},
        "two",
    ),
    Case(
        "AWS::IAM::ManagedPolicy",
        {"PolicyDocument": POLICY, "Roles": [{"Ref": "Role"}]},
        lambda client, _arn: len(client("iam").list_attached_role_policies(RoleName="helper")["AttachedPolicies"]),
        1,
        {"PolicyDocument": POLICY, "Roles": []},
        0,
        needs={"Role": ROLE},
    ),
    Case(
        "AWS::IAM::Role",
        {"AssumeRolePolicyDocument": TRUST, "MaxSessionDuration": 7200},
        lambda client, name: client("iam").get_role(RoleName=name)["Role"]["MaxSessionDuration"],
        7200,
        {"AssumeRolePolicyDocument": TRUST, "MaxSessionDuration": 3600},
        3600,
    ),
    Case(
        "AWS::KMS::Key",
        {"KeyPolicy": POLICY, "EnableKeyRotation": True},
        lambda client, key: client("kms").get_key_rotation_status(KeyId=key)["KeyRotationEnabled"],
        True,
        {"KeyPolicy": POLICY, "EnableKeyRotation": False},
        False,
        stays_after_deletion=True,
    ),
    Case(
        "AWS::SecretsManager::Secret",
        {"GenerateSecretString": {"PasswordLength": 20, "ExcludePunctuation": True}},
        lambda client, arn: len(client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]),
        20,
    ),
    Case(
        "AWS::Lambda::Function",
        FUNCTION["Properties"] | {"FunctionName": "changing", "Environment": {"Variables": {"A": "1"}}},
        lambda client, name: client("lambda").get_function_configuration(FunctionName=name)["Environment"],
        {"Variables": {"A": "1"}},
        FUNCTION["Properties"] | {"FunctionName": "changing", "Environment": {"Variables": {"A": "2"}}},
        {"Variables": {"A": "2"}},
        needs={"Role": ROLE},
    ),
    Case(
        "AWS::Lambda::Alias",
        {"FunctionName": {"Ref": "Function"}, "FunctionVersion": "$LATEST", "Name": "live"},
        lambda client, _arn: client("lambda").get_alias(FunctionName="helper", Name="live")["Name"],
        "live",
        needs={"Role": ROLE, "Function": FUNCTION},
    ),
    Case(
        "AWS::Events::Rule",
        {"EventPattern": {"source": ["a"]}, "Targets": [{"Id": "T", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}]},
        lambda client, name: client("events").list_targets_by_rule(Rule=name)["Targets"][0]["Id"],
        "T",
        {"EventPattern": {"source": ["b"]}, "Targets": [{"Id": "U", "Arn": {"Fn::GetAtt": ["Queue", "Arn"]}}]},
        "U",
        needs={"Queue": {"Type": "AWS::SQS::Queue"}},
    ),
    Case(
        "AWS::StepFunctions::StateMachine",
        {"RoleArn": ROLE_ARN, "DefinitionString": MACHINE % "${word}", "DefinitionSubstitutions": {"word": "one"}},
        lambda client, arn: client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"],
        MACHINE % "one",
        {"RoleArn": ROLE_ARN, "DefinitionString": MACHINE % "two"},
        MACHINE % "two",
        needs={"Role": ROLE},
    ),
    Case(
        "AWS::Scheduler::Schedule",
        {
            "ScheduleExpression": "rate(1 hour)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}, "RoleArn": ROLE_ARN},
        },
        lambda client, name: client("scheduler").get_schedule(Name=name)["ScheduleExpression"],
        "rate(1 hour)",
        {
            "ScheduleExpression": "rate(2 hours)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "Target": {"Arn": {"Fn::GetAtt": ["Queue", "Arn"]}, "RoleArn": ROLE_ARN},
        },
        "rate(2 hours)",
        needs={"Role": ROLE, "Queue": {"Type": "AWS::SQS::Queue"}},
    ),
    Case(
        "AWS::CloudWatch::Alarm",
        {
            "AlarmName": "watched",
            "MetricName": "m",
            "Namespace": "n",
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": "2",
            "ComparisonOperator": "GreaterThanThreshold",
        },
        lambda client, name: [
            alarm["Threshold"] for alarm in client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        ],
        [2.0],
    ),
    Case(
        "AWS::Logs::LogGroup",
        {"RetentionInDays": 7},
        lambda client, name: (
            client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"][0].get("retentionInDays")
        ),
        7,
        {},
        None,
    ),
    Case(
        "AWS::DynamoDB::GlobalTable",
        {
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
            "Replicas": [
                {"Region": "us-east-1", "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True}}
            ],
        },
        lambda client, name: client("dynamodb").describe_continuous_backups(TableName=name)[
            "ContinuousBackupsDescription"
        ]["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        "ENABLED",
    ),
    Case(
        "AWS::ECR::Repository",
        {"ImageScanningConfiguration": {"ScanOnPush": True}},
        lambda client, name: (
            name == name.lower(),
            client("ecr").describe_repositories(repositoryNames=[name])["repositories"][0][
                "imageScanningConfiguration"
            ],
        ),
        (True, {"scanOnPush": True}),
    ),
    Case(
        "AWS::EC2::VPC",
        {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": True},
        lambda client, vpc: client("ec2").describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")[
            "EnableDnsHostnames"
        ]["Value"],
        True,
        {"CidrBlock": "10.0.0.0/16", "EnableDnsHostnames": False},
        False,
    ),
    Case(
        "AWS::EC2::SecurityGroup",
        {
            "GroupDescription": "d",
            "VpcId": {"Ref": "Vpc"},
            "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "10.0.0.0/16"}],
        },
        lambda client, group: [
            rule["FromPort"]
            for rule in client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
        ],
        [443],
        {"GroupDescription": "d", "VpcId": {"Ref": "Vpc"}},
        [],
        needs={"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}},
    ),
    Case(
        "AWS::EC2::VPCEndpoint",
        {"VpcId": {"Ref": "Vpc"}, "ServiceName": "com.amazonaws.us-east-1.s3", "VpcEndpointType": "Gateway"},
        lambda client, endpoint: [
            found["VpcEndpointType"]
            for found in client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
            if found["State"] != "deleted"
        ],
        ["Gateway"],
        needs={"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}},
    ),
    Case(
        "AWS::SageMaker::ModelPackageGroup",
        {"ModelPackageGroupName": "group", "ModelPackageGroupDescription": "d"},
        lambda client, _arn: client("sagemaker").describe_model_package_group(ModelPackageGroupName="group")[
            "ModelPackageGroupDescription"
        ],
        "d",
    ),
    Case(
        "AWS::SageMaker::Domain",
        {
            "DomainName": "studio",
            "AuthMode": "IAM",
            "VpcId": "vpc-1",
            "SubnetIds": ["subnet-1"],
            "DefaultUserSettings": {"ExecutionRole": "arn:aws:iam::123456789012:role/one"},
        },
        lambda client, domain: client("sagemaker").describe_domain(DomainId=domain)["DefaultUserSettings"][
            "ExecutionRole"
        ],
        "arn:aws:iam::123456789012:role/one",
        {
            "DomainName": "studio",
            "AuthMode": "IAM",
            "VpcId": "vpc-1",
            "SubnetIds": ["subnet-1"],
            "DefaultUserSettings": {"ExecutionRole": "arn:aws:iam::123456789012:role/two"},
        },
        "arn:aws:iam::123456789012:role/two",
    ),
    Case(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        {
            "MaxCapacity": 4,
            "MinCapacity": "1",
            "ResourceId": "table/t",
            "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
            "ServiceNamespace": "dynamodb",
            "RoleARN": ROLE_ARN,
        },
        lambda client, _id: [
            target["MaxCapacity"]
            for target in client("application-autoscaling").describe_scalable_targets(ServiceNamespace="dynamodb")[
                "ScalableTargets"
            ]
        ],
        [4],
        needs={"Role": ROLE},
    ),
    Case(
        "AWS::EC2::VPCEndpointService",
        {"NetworkLoadBalancerArns": [{"Ref": "Front"}], "AcceptanceRequired": True},
        lambda client, id_: [
            one["AcceptanceRequired"]
            for one in client("ec2").describe_vpc_endpoint_service_configurations(ServiceIds=[id_])[
                "ServiceConfigurations"
            ]
        ],
        [True],
        needs={
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
            "Subnet": {
                "Type": "AWS::EC2::Subnet",
                "Properties": {"VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.0.0/20"},
            },
            "Front": BALANCER,
            "Target": {
                "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
                "Properties": {"VpcId": {"Ref": "Vpc"}, "Port": 443, "Protocol": "TCP"},
            },
            "Listener": {
                "Type": "AWS::ElasticLoadBalancingV2::Listener",
                "Properties": {
                    "LoadBalancerArn": {"Ref": "Front"},
                    "Port": 443,
                    "Protocol": "TCP",
                    "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Target"}}],
                },
            },
        },
    ),
]


def _deploy(case: Case, properties: dict[str, Any], folder: Path, aws: Settings) -> tuple[DeploymentReport, str]:
    template = {
        "Resources": {**case.needs, "Tried": {"Type": case.type, "Properties": properties}},
        "Outputs": {"Id": {"Value": {"Ref": "Tried"}}},
    }
    report = deploy(assembly_of(folder, "Tried", template), aws)
    return report, report.stacks[0].outputs["Id"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.type)
def test_a_type_is_what_its_service_says_through_its_life(
    case: Case, aws: Settings, client: Client, tmp_path: Path
) -> None:
    report, physical_id = _deploy(case, case.properties, tmp_path, aws)
    assert case.ask(client, physical_id) == case.said
    assert (report.stand_ins, report.not_honoured) == ({}, {})

    if case.said_then is not None or case.changed:
        _, changed_id = _deploy(case, case.changed, tmp_path, aws)
        assert changed_id == physical_id
        assert case.ask(client, physical_id) == case.said_then

    destroy(assembly_of(tmp_path, "Tried", {"Resources": {"Any": {"Type": "AWS::SNS::Topic"}}}), aws)
    if not case.stays_after_deletion:
        assert _is_gone(case, client, physical_id)


def _is_gone(case: Case, client: Client, physical_id: str) -> bool:
    try:
        answer = case.ask(client, physical_id)
    except (ClientError, IndexError):
        return True
    return answer in ([], None)
