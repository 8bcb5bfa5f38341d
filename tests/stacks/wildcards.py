"""Every permission that names no single resource, reviewed: why it cannot, and where AWS says so.

A test compares this list with every statement of every environment, both ways; another asks AWS's reference, as data,
whether the actions on ``*`` take a resource. ``{account}``, ``{region}`` and ``{environment}`` differ; ``<…>`` is known
at deployment.
"""

from dataclasses import dataclass

REFERENCE = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_"
KEY_POLICIES = "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html"
NO_RESOURCE = "its actions take no resource"
RUNS = "jobs are named after the model, the run that starts them and the step; a role cannot name a run to come"
MODELS = "each release makes a model and a configuration named after the version; the endpoint's name comes first"
STUDIO = "people make and name their spaces and apps; the domain comes first, conditions say whose they are"
OBJECTS = "objects come with the data; the bucket and the folder are named"
TARGETS = "AWS names targets by an id of its own; conditions hold them to SageMaker's and to one owner's tag"
STREAMS = "SageMaker names log streams after jobs and instances; the group is named"


@dataclass(frozen=True, kw_only=True)
class Wildcard:
    """Actions of one service on one pattern.

    :param within: the type of resource that holds the policy; default: what a role is granted.
    """

    actions: tuple[str, ...]
    resource: str
    reason: str
    reference: str
    within: str = "AWS::IAM::ManagedPolicy"


def _on_nothing(service: str, page: str, *names: str) -> Wildcard:
    actions = tuple(f"{service}:{name}" for name in names)
    return Wildcard(actions=actions, resource="*", reason=NO_RESOURCE, reference=f"{REFERENCE}{page}.html")


def _pattern(arn: str, page: str, reason: str, *names: str) -> Wildcard:
    service = arn.split(":")[2]
    resource = arn if service == "s3" else arn.replace("::", ":{region}:{account}:", 1)
    actions = tuple(f"{service}:{name}" for name in names)
    return Wildcard(actions=actions, resource=resource, reason=reason, reference=f"{REFERENCE}{page}.html")


_LOGS, _S3, _SAGEMAKER = "amazoncloudwatchlogs", "amazons3", "amazonsagemaker"
_ARTIFACTS = "arn:aws:s3:::<artifacts-bucket>"
_GET, _PUT = ("GetObject", "GetObjectVersion"), ("AbortMultipartUpload", "PutObject")
_STREAM = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")
_MANAGE = ("AddTags", "ListTags")
_SEE = ("DescribeApp", "DescribeDomain", "DescribeSpace", "DescribeUserProfile")

NOTHING = (
    _on_nothing(
        "application-autoscaling",
        "awsapplicationautoscaling",
        "DescribeScalableTargets",
        "DescribeScalingPolicies",
    ),
    _on_nothing("cloudwatch", "amazoncloudwatch", "GetMetricData", "PutMetricData"),
    _on_nothing(
        "ec2",
        "amazonec2",
        "DescribeDhcpOptions",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeVpcs",
    ),
    _on_nothing("ecr", "amazonelasticcontainerregistry", "GetAuthorizationToken"),
    _on_nothing(
        "logs",
        _LOGS,
        "CreateLogDelivery",
        "DeleteLogDelivery",
        "DescribeLogGroups",
        "DescribeResourcePolicies",
        "GetLogDelivery",
        "ListLogDeliveries",
        "PutResourcePolicy",
        "UpdateLogDelivery",
    ),
    _on_nothing(
        "sagemaker",
        _SAGEMAKER,
        "ListApps",
        "ListDomains",
        "ListEndpointConfigs",
        "ListModels",
        "ListSpaces",
        "ListUserProfiles",
    ),
    _on_nothing("servicequotas", "servicequotas", "ListAWSDefaultServiceQuotas", "ListServiceQuotas"),
    _on_nothing(
        "xray",
        "awsx-ray",
        "GetSamplingRules",
        "GetSamplingTargets",
        "PutTelemetryRecords",
        "PutTraceSegments",
    ),
)

PATTERNS = (
    _pattern(
        "arn:aws:application-autoscaling::scalable-target/*",
        "awsapplicationautoscaling",
        TARGETS,
        *("DeregisterScalableTarget", "ListTagsForResource", "PutScalingPolicy", "RegisterScalableTarget"),
        "TagResource",
    ),
    _pattern(
        "arn:aws:cloudwatch::alarm:TargetTracking-endpoint/{environment}-breast-cancer/variant/*",
        "amazoncloudwatch",
        "Application Auto Scaling names its alarms after the target and an id of its own",
        "DeleteAlarms",
        "DescribeAlarms",
        "PutMetricAlarm",
    ),
    _pattern(
        "arn:aws:ec2::network-interface/*",
        "amazonec2",
        "EC2 names interfaces when SageMaker makes them; subnets and security groups are named",
        "CreateNetworkInterface",
        "CreateNetworkInterfacePermission",
        "DeleteNetworkInterface",
        "DeleteNetworkInterfacePermission",
    ),
    _pattern(
        "arn:aws:logs::log-group:/aws/sagemaker/Endpoints/{environment}-breast-cancer:*", _LOGS, STREAMS, *_STREAM
    ),
    _pattern("arn:aws:logs::log-group:/aws/sagemaker/ProcessingJobs:*", _LOGS, STREAMS, *_STREAM),
    _pattern("arn:aws:logs::log-group:/aws/sagemaker/TrainingJobs:*", _LOGS, STREAMS, *_STREAM),
    _pattern("arn:aws:s3:::<lake-bucket>/raw/breast-cancer/*", _S3, OBJECTS, *_GET),
    _pattern(f"{_ARTIFACTS}/*", _S3, "people read what runs left, of any run", *_GET),
    _pattern(f"{_ARTIFACTS}/runs/*", _S3, OBJECTS, *_GET, *_PUT),
    _pattern(
        f"{_ARTIFACTS}/releases/{{environment}}-breast-cancer/*",
        _S3,
        "each release has a report of its own; the endpoint is named",
        *_PUT,
    ),
    _pattern(
        "arn:aws:states::execution:<ReleaseMachine78B4E86C.Name>:*",
        "awsstepfunctions",
        "an execution is named when it is started; the machine is named",
        "DescribeExecution",
        "StopExecution",
    ),
    _pattern(
        "arn:aws:sagemaker::app/<Studio43727D10.DomainId>/*",
        _SAGEMAKER,
        STUDIO,
        "AddTags",
        "CreateApp",
        "DeleteApp",
        *_SEE,
    ),
    _pattern(
        "arn:aws:sagemaker::space/<Studio43727D10.DomainId>/*",
        _SAGEMAKER,
        STUDIO,
        "AddTags",
        "CreateSpace",
        "DeleteSpace",
        "UpdateSpace",
        *_SEE,
    ),
    _pattern("arn:aws:sagemaker::user-profile/<Studio43727D10.DomainId>/*", _SAGEMAKER, STUDIO, *_SEE),
    _pattern(
        "arn:aws:sagemaker::endpoint-config/{environment}-breast-cancer--*",
        _SAGEMAKER,
        MODELS,
        "CreateEndpoint",
        "CreateEndpointConfig",
        "DeleteEndpointConfig",
        "DescribeEndpointConfig",
        "UpdateEndpoint",
    ),
    _pattern(
        "arn:aws:sagemaker::model/{environment}-breast-cancer--*",
        _SAGEMAKER,
        MODELS,
        "CreateEndpointConfig",
        "CreateModel",
        "DeleteModel",
        "DescribeModel",
    ),
    _pattern(
        "arn:aws:sagemaker::model-package/{environment}-breast-cancer/*",
        _SAGEMAKER,
        "SageMaker numbers the versions of a group; the group is named",
        "AddTags",
        "CreateModelPackage",
        "DescribeModelPackage",
        "ListModelPackages",
        "UpdateModelPackage",
    ),
    *(
        _pattern(
            f"arn:aws:sagemaker::{kind.lower()}-job/breast-cancer-*-{step}",
            _SAGEMAKER,
            RUNS,
            f"Create{kind.title()}Job",
            f"Describe{kind.title()}Job",
            f"Stop{kind.title()}Job",
            *_MANAGE,
        )
        for kind, step in (("processing", "evaluate"), ("processing", "preprocess"), ("training", "train"))
    ),
)

# In the policy of a key, ``*`` is that key; in the policy of a bucket, the bucket is named.
OWN_POLICIES = (
    Wildcard(
        within="AWS::KMS::Key",
        actions=("kms:*",),
        resource="*",
        reason="the account owns its key and IAM says who of it; a list would bound nobody who may change the policy",
        reference="https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html",
    ),
    Wildcard(
        within="AWS::KMS::Key",
        actions=(
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        ),
        resource="*",
        reason="a key's policy names its own key so; conditions hold CloudWatch Logs and SNS to this account",
        reference=KEY_POLICIES,
    ),
    Wildcard(
        within="AWS::S3::BucketPolicy",
        actions=("s3:PutObject",),
        resource="<AccessLogs8B620ECA.Arn>/*",
        reason="S3 names the logs that it delivers; a condition holds it to this account's buckets",
        reference=f"{REFERENCE}amazons3.html",
    ),
)

WILDCARDS = (*NOTHING, *PATTERNS, *OWN_POLICIES)
