"""Do metrics that a function writes into its log reach CloudWatch?"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.local.exec.account import Account, allow, eventually

LOGS = allow(["logs:CreateLogStream", "logs:PutLogEvents"])
SOURCE = """
import json, time
def handle(event, context):
    print("a plain line")
    print(json.dumps(event["line"]))
    time.sleep(event["sleep"])
"""


def line(domain: str, **values: Any) -> dict[str, Any]:
    metrics = [{"Name": name, "Unit": "Milliseconds"} for name in values]
    directive = {"Namespace": "Tests", "Dimensions": [["Domain", "Region"], ["Domain"]], "Metrics": metrics}
    head = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}
    return {"_aws": head, "Domain": domain, "Region": "here", "told": "no metric", **values}


def statistics(account: Account, name: str, **dimensions: str) -> dict[str, Any]:
    now = datetime.now(tz=UTC)
    found = account.client("cloudwatch").get_metric_statistics(
        Namespace="Tests",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["SampleCount", "Sum", "Maximum"],
    )["Datapoints"]
    return {key: found[0][key] for key in ("SampleCount", "Sum", "Maximum", "Unit")} if found else {}


def test_a_line_is_measured_with_all_its_values_and_dimensions(account: Account) -> None:
    function = account.function(SOURCE, LOGS)

    account.invoke(function, {"line": line("lines", Latency=[1.0, 2.0, 6.0]), "sleep": 0})

    expected = {"SampleCount": 3.0, "Sum": 9.0, "Maximum": 6.0, "Unit": "Milliseconds"}
    assert eventually(lambda: statistics(account, "Latency", Domain="lines", Region="here")) == expected
    assert statistics(account, "Latency", Domain="lines") == expected
    assert not statistics(account, "Latency", Domain="other")


def test_a_line_counts_while_its_function_still_runs(account: Account) -> None:
    function = account.function(SOURCE, LOGS)

    account.client("lambda").invoke(
        FunctionName=function,
        InvocationType="Event",
        Payload=json.dumps({"line": line("running", InService=1), "sleep": 60}),
    )

    assert eventually(lambda: statistics(account, "InService", Domain="running"))["Sum"] == 1.0
    account.client("lambda").delete_function(FunctionName=function)


def test_a_function_without_a_log_has_no_metrics_and_a_broken_line_stops_nothing(account: Account) -> None:
    silent, broken = account.function(SOURCE), account.function(SOURCE, LOGS)

    account.invoke(silent, {"line": line("silent", InService=1), "sleep": 0})
    response = account.invoke(broken, {"line": {"_aws": {"CloudWatchMetrics": 1}}, "sleep": 0})
    account.invoke(broken, {"line": line("mended", InService=1), "sleep": 0})

    assert "FunctionError" not in response
    assert eventually(lambda: statistics(account, "InService", Domain="mended"))["Sum"] == 1.0
    assert not statistics(account, "InService", Domain="silent")
