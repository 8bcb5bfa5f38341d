"""The same review of a region's front."""

from tests.stacks.wildcards import NO_RESOURCE, REFERENCE, Wildcard
from tests.stacks.wildcards_releases import TRACES

_LOGS = f"{REFERENCE}amazoncloudwatchlogs.html"
_NAMED = "API Gateway names the execution logs of its stages, and CloudWatch Logs its streams"


def _logs(place: str, *names: str) -> Wildcard:
    resource = f"arn:aws:logs:{{region}}:{{account}}:{place}"
    return Wildcard(actions=tuple(f"logs:{one}" for one in names), resource=resource, reason=_NAMED, reference=_LOGS)


REGION = (
    TRACES,
    _logs("log-group:*", "CreateLogGroup", "DescribeLogStreams", "FilterLogEvents"),
    _logs("log-group:*:log-stream:*", "CreateLogStream", "GetLogEvents", "PutLogEvents"),
    Wildcard(actions=("logs:DescribeLogGroups",), resource="*", reason=NO_RESOURCE, reference=_LOGS),
)
