"""Metrics that a function writes into its log, as CloudWatch reads them there: in embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudwatch.store import STORE, Metric
from mlplatform_cdk.local.adapters.lambda_functions import logs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from moto.awslambda.models import LambdaFunction

LOG = logging.getLogger(__name__)
_MARK = '"_aws"'


def read(function: LambdaFunction, stream: str, line: str) -> None:
    """Keep the metrics of a line as soon as it is written; a function that may write no log has none.

    :param function: who wrote it.
    :param stream: its log stream.
    :param line: as it was written.
    """
    if not line.startswith("{") or _MARK not in line or not logs.may_write(function, stream):
        return
    try:
        for metric, value, at, unit in measured(function.account_id, function.region, json.loads(line)):
            STORE.add(metric, value, at=at, unit=unit)
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        LOG.warning("%s wrote metrics that CloudWatch does not read: %r", function.function_name, problem)


def measured(account: str, region: str, line: Mapping[str, Any]) -> Iterator[tuple[Metric, float, float, str]]:
    """The metrics of a line: each, with each set of dimensions, its values, when, and their unit.

    :param account: the account.
    :param region: the region.
    :param line: the line's JSON.
    """
    at = line["_aws"]["Timestamp"] / 1000
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = [{"Name": name, "Value": line[name]} for name in names]
            for one in directive["Metrics"]:
                metric = Metric.of(account, region, directive["Namespace"], one["Name"], dimensions)
                values = line[one["Name"]]
                for value in values if isinstance(values, list) else [values]:
                    yield metric, float(value), at, one.get("Unit", "None")
