"""The same review of an endpoint of the template and of a release train."""

from tests.stacks.wildcards import KEY_POLICIES, NO_RESOURCE, OBJECTS, REFERENCE, STREAMS, TARGETS, Wildcard

_ROLE, _KEY, _BUCKET = "AWS::IAM::ManagedPolicy", "AWS::KMS::Key", "AWS::S3::BucketPolicy"
_ARTIFACTS = "<Artifacts82DD59A1.Arn>"
_S3, _LOGS = f"{REFERENCE}amazons3.html", f"{REFERENCE}amazoncloudwatchlogs.html"


def _of(within: str, resource: str, reason: str, reference: str, *actions: str) -> Wildcard:
    return Wildcard(within=within, resource=resource, reason=reason, reference=reference, actions=actions)


def _on(service: str, place: str) -> str:
    return f"arn:aws:{service}:{{region}}:{{account}}:{place}"


OWNED = _of(_KEY, "*", "the account owns its key: see wildcards.py", KEY_POLICIES, "kms:*")
TRACES = _of(_ROLE, "*", NO_RESOURCE, f"{REFERENCE}awsx-ray.html", "xray:PutTelemetryRecords", "xray:PutTraceSegments")
GROUND = (
    OWNED,
    TRACES,
    _of(
        _KEY,
        "*",
        "a key's policy names its own key so",
        KEY_POLICIES,
        *(f"kms:{name}" for name in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey")),
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ),
    _of(
        _BUCKET,
        "<AccessLogs8B620ECA.Arn>/*",
        "S3 names the logs that it delivers; a condition holds it to this account's buckets",
        _S3,
        "s3:PutObject",
    ),
    _of(_ROLE, f"{_ARTIFACTS}/runs/*", OBJECTS, _S3, "s3:GetObject", "s3:GetObjectVersion"),
    _of(_ROLE, "*", NO_RESOURCE, f"{REFERENCE}amazonelasticcontainerregistry.html", "ecr:GetAuthorizationToken"),
)

REALTIME = (
    *GROUND,
    _of(
        _ROLE,
        _on("application-autoscaling", "scalable-target/*"),
        TARGETS,
        f"{REFERENCE}awsapplicationautoscaling.html",
        *(f"application-autoscaling:{name}ScalableTarget" for name in ("Deregister", "Register")),
        *(f"application-autoscaling:{name}" for name in ("ListTagsForResource", "PutScalingPolicy", "TagResource")),
    ),
    _of(
        _ROLE,
        "*",
        NO_RESOURCE,
        f"{REFERENCE}awsapplicationautoscaling.html",
        "application-autoscaling:DescribeScalableTargets",
    ),
    _of(_ROLE, "*", NO_RESOURCE, f"{REFERENCE}amazoncloudwatch.html", "cloudwatch:PutMetricData"),
    _of(
        _ROLE,
        _on("cloudwatch", "alarm:TargetTracking-endpoint/churn/variant/*"),
        "Application Auto Scaling names its alarms after the target and an id of its own",
        f"{REFERENCE}amazoncloudwatch.html",
        *(f"cloudwatch:{name}" for name in ("DescribeAlarms", "PutMetricAlarm")),
    ),
    _of(
        _ROLE,
        _on("cloudwatch", "alarm:TargetTracking-endpoint/*"),
        "an endpoint that got another name leaves its alarms under the former one, which no template knows",
        f"{REFERENCE}amazoncloudwatch.html",
        "cloudwatch:DeleteAlarms",
    ),
    _of(
        _ROLE,
        _on("logs", "log-group:/aws/sagemaker/Endpoints/churn:*"),
        STREAMS,
        _LOGS,
        *(f"logs:{name}" for name in ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")),
    ),
    _of(_ROLE, f"{_ARTIFACTS}/capture/churn/*", OBJECTS, _S3, "s3:AbortMultipartUpload", "s3:PutObject"),
    _of(
        _ROLE,
        _on("sagemaker", "endpoint-config/*"),
        "CloudFormation names the configurations of a template, which are only read",
        f"{REFERENCE}amazonsagemaker.html",
        "sagemaker:DescribeEndpointConfig",
    ),
)

TRAIN = (
    *GROUND,
    _of(
        _ROLE,
        "*",
        NO_RESOURCE,
        _LOGS,
        *(f"logs:{verb}LogDelivery" for verb in ("Create", "Delete", "Get", "Update")),
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
    ),
    _of(
        _ROLE,
        "*",
        NO_RESOURCE,
        f"{REFERENCE}awsx-ray.html",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
    ),
    _of(
        _ROLE,
        _on("sagemaker", "model-package/churn/*"),
        "SageMaker numbers the versions of a group; the group is named",
        f"{REFERENCE}amazonsagemaker.html",
        "sagemaker:DescribeModelPackage",
        "sagemaker:ListModelPackages",
    ),
)
