"""What is left in an account and region that could cost money, by the type in CloudFormation and the name."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from mlplatform_cdk.assembly.teardown import Kept

Leftover = tuple[str, str]
# How Kept calls what no template holds.
_IN_WORDS = {"log group": "AWS::Logs::LogGroup", "bucket of assets": "AWS::S3::Bucket"}
_IN_WORDS["repository of assets"] = "AWS::ECR::Repository"
UNNAMED = "the one of "
# type: service, operation, the list of the answer, and the name in it
_LISTS = (
    ("AWS::ApiGateway::RestApi", "apigateway", "get_rest_apis", "items", "name"),
    ("AWS::Backup::BackupVault", "backup", "list_backup_vaults", "BackupVaultList", "BackupVaultName"),
    ("AWS::CertificateManager::Certificate", "acm", "list_certificates", "CertificateSummaryList", "DomainName"),
    ("AWS::CloudWatch::Alarm", "cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("AWS::CloudWatch::Dashboard", "cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("AWS::DynamoDB::Table", "dynamodb", "list_tables", "TableNames", ""),
    ("AWS::EC2::NatGateway", "ec2", "describe_nat_gateways", "NatGateways", "NatGatewayId"),
    ("AWS::EC2::NetworkInterface", "ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    ("AWS::ECR::Repository", "ecr", "describe_repositories", "repositories", "repositoryName"),
    ("AWS::Events::Rule", "events", "list_rules", "Rules", "Name"),
    ("AWS::Lambda::Function", "lambda", "list_functions", "Functions", "FunctionName"),
    ("AWS::Logs::LogGroup", "logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("AWS::Route53::HealthCheck", "route53", "list_health_checks", "HealthChecks", "Id"),
    ("AWS::SNS::Topic", "sns", "list_topics", "Topics", "TopicArn"),
    ("AWS::SageMaker::App", "sagemaker", "list_apps", "Apps", "AppName"),
    ("AWS::SageMaker::Domain", "sagemaker", "list_domains", "Domains", "DomainName"),
    ("AWS::SageMaker::Endpoint", "sagemaker", "list_endpoints", "Endpoints", "EndpointName"),
    ("AWS::SageMaker::EndpointConfig", "sagemaker", "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
    ("AWS::SageMaker::Model", "sagemaker", "list_models", "Models", "ModelName"),
    (
        "AWS::SageMaker::ModelPackageGroup",
        "sagemaker",
        "list_model_package_groups",
        "ModelPackageGroupSummaryList",
        "ModelPackageGroupName",
    ),
    ("AWS::SageMaker::Space", "sagemaker", "list_spaces", "Spaces", "SpaceName"),
    ("AWS::SageMaker::UserProfile", "sagemaker", "list_user_profiles", "UserProfiles", "UserProfileName"),
    ("AWS::Scheduler::Schedule", "scheduler", "list_schedules", "Schedules", "Name"),
    ("AWS::StepFunctions::StateMachine", "stepfunctions", "list_state_machines", "stateMachines", "name"),
)
_BY_OTHER_CALLS = (
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::EC2::VPCEndpoint",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
    "AWS::WAFv2::WebACL",
)
_LOOKED_FOR = {kind for kind, *_ in _LISTS} | {*_BY_OTHER_CALLS}
# What costs nothing by itself: it says who may do what, or is a part of what is looked for.
_FREE = (
    "AWS::ApiGateway::*",  # calls are charged; the API is looked for
    "AWS::EC2::FlowLog",  # what it writes is charged, in a log group
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup*",
    "AWS::EC2::Subnet*",
    "AWS::EC2::VPC",
    "AWS::IAM::*",
    "AWS::KMS::Alias",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Permission",
    "AWS::Route53::RecordSet",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SSM::Document",
    "AWS::SSM::Parameter",
    "AWS::WAFv2::LoggingConfiguration",
    "AWS::WAFv2::WebACLAssociation",
    "Custom::*",
)


def leftovers(client: Callable[[str], Any], *, besides: Container[str] = ()) -> set[Leftover]:
    """Everything that is there; keys whose deletion is scheduled cost nothing, and neither do ended jobs.

    :param client: makes the client of a service.
    :param besides: names and ids of what is left out; default: nothing.
    """
    found = {
        (kind, one[name] if name else one)
        for kind, service, call, member, name in _LISTS
        for one in getattr(client(service), call)()[member]
    }
    found |= set(_by_other_calls(client, besides))
    return {one for one in found if one[1] not in besides}


def of_standing_stacks(client: Callable[[str], Any]) -> set[str]:
    """The names of what stacks that still stand hold: another test's, which share the account."""
    cloudformation = client("cloudformation")
    held = {
        resource["PhysicalResourceId"]
        for stack in cloudformation.describe_stacks()["Stacks"]
        for resource in cloudformation.describe_stack_resources(StackName=stack["StackId"])["StackResources"]
    }
    return held | {name.rpartition(mark)[2] for name in held for mark in "/:|"}


def unlisted(found: Iterable[Leftover], kept: Iterable[Kept]) -> list[Leftover]:
    """What is there, and in no list of what is kept; one of a type is allowed for each whose name nobody can know."""
    listed = _listed(kept)
    rest = sorted(
        one for one in found if not any(one[0] == kind and fnmatchcase(one[1], name) for kind, name in listed)
    )
    for kind in (kind for kind, name in listed if name.startswith(UNNAMED)):
        rest = [one for one in rest if one is not next((each for each in rest if each[0] == kind), None)]
    return rest


def missing(found: Iterable[Leftover], kept: Iterable[Kept]) -> set[str]:
    """The names of what the list keeps, and is not there; whatever has no listed name stands for an unknown one."""
    there, listed = list(found), _listed(kept)
    names = [one for one in listed if not one[1].startswith(UNNAMED)]
    nameless = Counter(k for k, n in there if not any(k == kind and fnmatchcase(n, name) for kind, name in names))
    unknown = [one for one in listed if one[1].startswith(UNNAMED)]
    lost = {name for kind, name in names if not any(k == kind and fnmatchcase(n, name) for k, n in there)}
    return lost | {name for kind, name in unknown if nameless[kind] < sum(one[0] == kind for one in unknown)}


def unseen(templates: Iterable[Mapping[str, Any]]) -> set[str]:
    """Types of the templates that ``leftovers`` does not look for, and of which nobody has said that they are free."""
    found = {one["Type"] for template in templates for one in template["Resources"].values()}
    return {one for one in found - _LOOKED_FOR if not any(fnmatchcase(one, free) for free in _FREE)}


def _listed(kept: Iterable[Kept]) -> list[Leftover]:
    return [(_IN_WORDS.get(one.type, one.type), one.name) for one in kept]


def _by_other_calls(client: Callable[[str], Any], besides: Container[str]) -> Iterator[Leftover]:
    kms, sagemaker, s3 = client("kms"), client("sagemaker"), client("s3")
    scaling = client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")
    processing = sagemaker.list_processing_jobs(StatusEquals="InProgress")["ProcessingJobSummaries"]
    training = sagemaker.list_training_jobs(StatusEquals="InProgress")["TrainingJobSummaries"]
    endpoints = client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    ids = [one["KeyId"] for one in kms.list_keys()["Keys"] if one["KeyId"] not in besides]
    keys = (kms.describe_key(KeyId=one)["KeyMetadata"] for one in ids)
    alarms = client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    lists = client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]
    yield from (("AWS::CloudWatch::CompositeAlarm", one["AlarmName"]) for one in alarms)
    yield from (("AWS::WAFv2::WebACL", one["Name"]) for one in lists)
    for bucket in (one["Name"] for one in s3.list_buckets()["Buckets"]):  # those of all regions
        if (s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] or "us-east-1") == s3.meta.region_name:
            yield "AWS::S3::Bucket", bucket
    yield from (("AWS::SQS::Queue", url.rpartition("/")[2]) for url in client("sqs").list_queues().get("QueueUrls", []))
    yield from (("AWS::EC2::VPCEndpoint", one["ServiceName"]) for one in endpoints if one["State"] != "deleted")
    yield from (
        ("AWS::ApplicationAutoScaling::ScalableTarget", one["ResourceId"]) for one in scaling["ScalableTargets"]
    )
    yield from (("processing job", one["ProcessingJobName"]) for one in processing)
    yield from (("training job", one["TrainingJobName"]) for one in training)
    for key in keys:
        if key["KeyState"] != "PendingDeletion" and key["KeyManager"] == "CUSTOMER":
            yield "AWS::KMS::Key", f"{key['KeyId']}: {key['Description']}"
