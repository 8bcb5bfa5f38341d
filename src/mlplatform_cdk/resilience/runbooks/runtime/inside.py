"""Whether another region would take the callers, where names are private: a script runs outside of every network.

So it reads how many others the region's own probe, which stands inside, has just seen in service.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

_SEEN_WITHIN = timedelta(minutes=5)  # metrics of a minute come some minutes late


def look(events: Mapping[str, str], _context: object) -> dict[str, str]:
    """How many other regions are in service, and the time in milliseconds.

    :param events: ``Region``, ``Domain`` (the one name) and ``EvenTheLast``.
    :raises RuntimeError: when there is none, or the probe is silent, unless ``EvenTheLast`` is ``yes``.
    """
    here = events["Region"]
    seen = _seen(events["Domain"], here)
    if not seen and events["EvenTheLast"] != "yes":
        raise RuntimeError(
            f"another region must be in service, and the probe of {here} has just seen none; EvenTheLast=yes drains it"
        )
    return {"Serving": f"{seen} of the others" if seen else "none", "At": str(int(time.time() * 1000))}


def _seen(domain: str, region: str) -> int:
    """The fewest of the newest minute; 0 where the probe has been silent."""
    dimensions = [{"Name": "Domain", "Value": domain}, {"Name": "Region", "Value": region}]
    metric = {"Namespace": "MLPlatform/Regions", "MetricName": "OthersInService", "Dimensions": dimensions}
    now = datetime.now(UTC)
    answer = client("cloudwatch").get_metric_data(
        MetricDataQueries=[{"Id": "others", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Minimum"}}],
        StartTime=now - _SEEN_WITHIN,
        EndTime=now,
        ScanBy="TimestampDescending",
    )
    return int(next(iter(answer["MetricDataResults"][0]["Values"]), 0))


def client(service: str) -> Any:
    """boto3's client of ``service``."""
    import boto3

    return boto3.client(service)
