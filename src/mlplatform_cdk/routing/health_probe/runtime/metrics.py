"""A round as metrics in the log, which CloudWatch reads (embedded metric format): no call, and no permission.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Sequence
from typing import Any

from mlplatform_cdk.runtimekit.region_health import IN_SERVICE, Golden, Verdict

NAMESPACE = "MLPlatform/Regions"
# Metrics of minutes, since Route 53 follows no alarm on finer ones; only the version's is of seconds.
_METRICS = (
    {"Name": "InService", "Unit": "None"},
    {"Name": "Right", "Unit": "None"},
    {"Name": "Latency", "Unit": "Milliseconds"},
    {"Name": "OthersInService", "Unit": "Count"},
    {"Name": "VersionsDiffer", "Unit": "Seconds"},
    {"Name": "WrongEverywhere", "Unit": "None", "StorageResolution": 1},
)


def line(
    verdict: Verdict,
    latencies_ms: Sequence[float],
    *,
    domain: str,
    region: str,
    now_ms: int,
    others_in_service: int | None = None,
) -> str:
    """The line of one round, with its newline.

    :param verdict: of the round.
    :param latencies_ms: of its answers; the metric ``Latency`` has them one by one, for its percentiles.
    :param domain: the one name, a dimension.
    :param region: the other dimension.
    :param now_ms: when it was.
    :param others_in_service: how many other regions said that they serve; default: there are no others.
    """
    values: dict[str, Any] = {
        "InService": int(verdict.status == IN_SERVICE),
        "Right": int(verdict.golden is Golden.RIGHT),
        "WrongEverywhere": int(bool(verdict.bad_version)),
        "VersionsDiffer": verdict.differs_ms // 1000,
    }
    if latencies_ms:
        values["Latency"] = [round(one, 2) for one in latencies_ms]
    if others_in_service is not None:
        values["OthersInService"] = others_in_service
    metrics = [one for one in _METRICS if one["Name"] in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["Domain", "Region"]], "Metrics": metrics}
    head = {"Timestamp": now_ms, "CloudWatchMetrics": [directive]}
    told = {"status": verdict.status, "golden": verdict.golden, "version": verdict.version, "reason": verdict.reason}
    return json.dumps({"_aws": head, "Domain": domain, "Region": region, **values, **told}) + "\n"
