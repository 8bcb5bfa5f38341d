"""The same review of what stands beside the stacks: the delivery pipeline, a function in a VPC, the image pipeline.

What CDK Pipelines makes and fills by itself, and takes no other policy for, has its reason here and in cdk-nag's
acknowledgements (``delivery/findings.py``).
"""

from tests.stacks.wildcards import KEY_POLICIES, NO_RESOURCE, OBJECTS, REFERENCE, Wildcard
from tests.stacks.wildcards_people import GATES, STATION, TESTS
from tests.stacks.wildcards_regions import REGION
from tests.stacks.wildcards_releases import REALTIME, TRAIN

PIPELINES = "https://docs.aws.amazon.com/cdk/v2/guide/cdk-pipeline.html"
FILLED = "CDK Pipelines writes it so on what it makes itself, and takes no other policy"
ABROAD = "arn:aws:s3:::delivery-support-eu-west-eplicationbucket635986f6484398f7196a"
_ROLE, _OURS, _KEY, _BUCKET = "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::KMS::Key", "AWS::S3::BucketPolicy"
_ARTIFACTS, _REPLICAS = "<PipelineArtifactsEB21E7E8.Arn>/*", "<CrossRegionCodePipelineReplicationBucketFC3227F2.Arn>/*"
_LOGS, _REPORTS = (
    "arn:aws:logs:{region}:{account}:log-group:/aws/codebuild/",
    "arn:aws:codebuild:{region}:{account}:report-group/",
)
_SYNTH, _UPDATE = "<PipelineBuildSynthCdkBuildProject04AFB32A>", "<PipelineUpdatePipelineSelfMutationA57FA3CD>"
_READ = ("s3:GetObject", "s3:GetObjectVersion")
_BUILD_LOGS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_BUILD_REPORTS = tuple(
    f"codebuild:{name}"
    for name in ("BatchPutCodeCoverages", "BatchPutTestCases", "CreateReport", "CreateReportGroup", "UpdateReport")
)
_ON_ALL_OBJECTS_OF_CDK = ("s3:GetBucket*", "s3:GetObject*", "s3:List*")

# The only actions that are patterns, beside ``kms:*`` for the account over its key.
ACTIONS = (
    {(_KEY, action, "*"): FILLED for action in ("kms:GenerateDataKey*", "kms:ReEncrypt*")}
    | {(_OURS, action, "*"): FILLED for action in ("kms:GenerateDataKey*", "kms:ReEncrypt*")}
    | {
        (_OURS, action, resource): FILLED
        for action in ("s3:Abort*", "s3:DeleteObject*", *_ON_ALL_OBJECTS_OF_CDK)
        for resource in (ABROAD, f"{ABROAD}/*")
    }
    | {
        (_BUCKET, action, resource): FILLED
        for action in _ON_ALL_OBJECTS_OF_CDK
        for resource in (_REPLICAS, _REPLICAS.removesuffix("/*"))
    }
)


def _of(within: str, resource: str, reason: str, reference: str, *actions: str) -> Wildcard:
    return Wildcard(within=within, resource=resource, reason=reason, reference=reference, actions=actions)


_ITSELF = "a key's policy names its own key so"
_USE = tuple(
    f"kms:{name}" for name in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")
)
_OWNED = _of(_KEY, "*", "the account owns its key: see wildcards.py", KEY_POLICIES, "kms:*")
_TRACES = _of(_OURS, "*", NO_RESOURCE, f"{REFERENCE}awsx-ray.html", "xray:PutTelemetryRecords", "xray:PutTraceSegments")

DELIVERY = (
    _of(_OURS, _ARTIFACTS, OBJECTS, f"{REFERENCE}amazons3.html", *_READ, "s3:AbortMultipartUpload", "s3:PutObject"),
    _of(
        _OURS,
        f"{_LOGS}{_SYNTH}:*",
        "CodeBuild names the streams",
        f"{REFERENCE}amazoncloudwatchlogs.html",
        *_BUILD_LOGS,
    ),
    _of(_OURS, f"{_REPORTS}{_SYNTH}-*", "a build names its reports", f"{REFERENCE}awscodebuild.html", *_BUILD_REPORTS),
    _of(
        _OURS,
        "*",
        "the key abroad is known by its alias only, which no resource names; CDK Pipelines grants on it",
        PIPELINES,
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey*",
        "kms:ReEncrypt*",
    ),
    _of(
        _OURS,
        f"{ABROAD}/*",
        FILLED,
        PIPELINES,
        "s3:Abort*",
        "s3:DeleteObject*",
        *_ON_ALL_OBJECTS_OF_CDK,
        "s3:PutObject",
        "s3:PutObjectLegalHold",
        "s3:PutObjectRetention",
        "s3:PutObjectTagging",
        "s3:PutObjectVersionTagging",
    ),
    _of(_ROLE, _ARTIFACTS, OBJECTS, f"{REFERENCE}amazons3.html", *_READ),
    _of(_ROLE, "*", FILLED, PIPELINES, "cloudformation:DescribeStacks", "s3:ListBucket"),
    _of(_ROLE, "*", FILLED, PIPELINES, "codebuild:BatchGetBuilds", "codebuild:StartBuild", "codebuild:StopBuild"),
    _of(
        _ROLE, "arn:*:iam::{account}:role/*", "a condition holds it to the bootstrap roles", PIPELINES, "sts:AssumeRole"
    ),
    _of(_ROLE, f"{_REPORTS}*", FILLED, PIPELINES, *_BUILD_REPORTS),
    _of(_ROLE, f"{_REPORTS}{_UPDATE}-*", "a build names its reports", f"{REFERENCE}awscodebuild.html", *_BUILD_REPORTS),
    _of(_ROLE, f"{_LOGS}*", FILLED, PIPELINES, *_BUILD_LOGS),
    _of(
        _ROLE,
        f"{_LOGS}{_UPDATE}:*",
        "CodeBuild names the streams",
        f"{REFERENCE}amazoncloudwatchlogs.html",
        *_BUILD_LOGS,
    ),
    _OWNED,
    _of(
        _KEY,
        "*",
        _ITSELF,
        KEY_POLICIES,
        *_USE,
        "kms:GenerateDataKey*",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncrypt*",
    ),
    _of(_BUCKET, _REPLICAS, FILLED, PIPELINES, *_ON_ALL_OBJECTS_OF_CDK),
    _of(_BUCKET, _ARTIFACTS, "artifacts have names that CodePipeline makes up", f"{REFERENCE}amazons3.html", *_READ),
    _of(
        _BUCKET,
        "<PipelineAccessLogs3A10AC0B.Arn>/*",
        "S3 names the logs that it delivers; a condition holds it to this account's buckets",
        f"{REFERENCE}amazons3.html",
        "s3:PutObject",
    ),
)

IN_A_VPC = (
    _of(
        _OURS,
        "arn:aws:ec2:{region}:{account}:*/*",
        "Lambda makes and names the interfaces, and asks for all of the account's and region's",
        "https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html",
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:UnassignPrivateIpAddresses",
    ),
    _of(_OURS, "*", NO_RESOURCE, f"{REFERENCE}amazonec2.html", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"),
    _TRACES,
)

IMAGES = (
    _of(_OURS, "*", NO_RESOURCE, f"{REFERENCE}amazonelasticcontainerregistry.html", "ecr:GetAuthorizationToken"),
    _of(
        _OURS,
        f"{_LOGS}<ServingBuildProjectC0B70EE9>:*",
        "CodeBuild names the streams",
        f"{REFERENCE}amazoncloudwatchlogs.html",
        *_BUILD_LOGS,
    ),
    _TRACES,
    _OWNED,
    _of(_KEY, "*", _ITSELF, KEY_POLICIES, *_USE),
)

BESIDE = {
    "delivery": DELIVERY,
    "function": IN_A_VPC,
    "images": IMAGES,
    "realtime": REALTIME,
    "train": TRAIN,
    "station": STATION,
    "gates": GATES,
    "tests": TESTS,
    "region": REGION,
}
