"""The same review of a region's front, and of what environments with several regions have besides."""

from tests.stacks.wildcards import NO_RESOURCE, OBJECTS, REFERENCE, Wildcard
from tests.stacks.wildcards_releases import TRACES

_S3 = f"{REFERENCE}amazons3.html"
_BUCKET = "arn:aws:s3:::mlplatform-{environment}-{account}"
_REPLICATION = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html"

_LOGS = f"{REFERENCE}amazoncloudwatchlogs.html"
_NAMED = "API Gateway names the execution logs of its stages, and CloudWatch Logs its streams"


def _logs(place: str, *names: str) -> Wildcard:
    resource = f"arn:aws:logs:{{region}}:{{account}}:{place}"
    return Wildcard(actions=tuple(f"logs:{one}" for one in names), resource=resource, reason=_NAMED, reference=_LOGS)


def _objects(place: str, *names: str) -> Wildcard:
    actions = tuple(f"s3:{one}" for one in names)
    return Wildcard(actions=actions, resource=f"{place}/*", reason=OBJECTS, reference=_S3)


_API = (
    _logs("log-group:*", "CreateLogGroup", "DescribeLogStreams", "FilterLogEvents"),
    _logs("log-group:*:log-stream:*", "CreateLogStream", "GetLogEvents", "PutLogEvents"),
)

REGION = (
    TRACES,
    *_API,
    Wildcard(actions=("logs:DescribeLogGroups",), resource="*", reason=NO_RESOURCE, reference=_LOGS),
)

# In an environment of several regions: the front of each, its station, and the home's replication.
BETWEEN = (
    *_API,
    Wildcard(
        actions=("cloudwatch:DescribeAlarms",),
        resource="*",
        reason="CloudWatch tells of a composite alarm only those who may look at all alarms, and callers may give some",
        reference=f"{REFERENCE}amazoncloudwatch.html",
    ),
    Wildcard(
        actions=("kms:Decrypt", "kms:Encrypt"),
        resource="arn:aws:kms:eu-central-1:{account}:key/*",
        reason="the id of another region's key is known there only; a condition holds it to the key behind one alias",
        reference=_REPLICATION,
    ),
    _objects("arn:aws:s3:::<artifacts-bucket>/runs/promoted", "AbortMultipartUpload", "PutObject"),
    _objects(
        f"{_BUCKET}-{{region}}/runs",
        "GetObjectVersionAcl",
        "GetObjectVersionForReplication",
        "GetObjectVersionTagging",
    ),
    _objects(f"{_BUCKET}-eu-central-1/runs", "ReplicateObject", "ReplicateTags"),
)
