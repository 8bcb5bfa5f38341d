"""Does the account's quota hold the instances of a release? The sum is pure; quotas and usage are read beside it.

SageMaker brings an update up on new instances and lets the old ones go after it: for a while the quota holds what runs
now and the whole next fleet. Whether AWS has the instances, nobody says beforehand: the update itself finds out, and
ends where it began.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mlplatform_cdk.runtimekit import aws

_SERVICE = "sagemaker"
_USAGE_OF = timedelta(hours=1)  # AWS/Usage is written every few minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """How many instances of one type the endpoints of the account may have.

    :param name: of the quota.
    :param most: its value.
    :param used: what all endpoints of the account use; None: it is not known.
    """

    name: str
    most: float
    used: float | None


def fleet_of(variants: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The instances of ``variants``, as an endpoint configuration holds them, by type. Pure."""
    fleet: Counter[str] = Counter()
    for one in variants:
        fleet[one["InstanceType"]] += one["InitialInstanceCount"]
    return dict(fleet)


def shortages(now: Mapping[str, int], then: Mapping[str, int], quotas: Mapping[str, Quota]) -> list[str]:
    """Which quotas do not hold the next fleet beside the present one, a clause each. Pure.

    :param now: the instances of the endpoint now, by type.
    :param then: the instances of the configuration that comes.
    :param quotas: by type; a type that is not there is not judged.
    """
    problems = []
    for kind, count in then.items():
        quota = quotas.get(kind)
        if quota is None:
            continue
        used = quota.used if quota.used is not None else now.get(kind, 0)
        if used + count > quota.most:
            problems.append(
                f"the quota {quota.name!r} must hold {used + count:g} instances ({used:g} that run now and {count} of "
                f"the next fleet), got {quota.most:g}; ask for more in Service Quotas"
            )
    return problems


def read_quotas(kinds: Sequence[str]) -> dict[str, Quota]:
    """The quotas of the instance types ``kinds``, where Service Quotas knows them."""
    wanted = {f"{kind} for endpoint usage": kind for kind in kinds}
    found: dict[str, Quota] = {}
    # What an account was granted is in the first list, and only what AWS grants everybody in the second one.
    for listing in ("list_service_quotas", "list_aws_default_service_quotas"):
        for quota in _listed(listing) if len(found) < len(wanted) else ():
            kind = wanted.get(quota["QuotaName"])
            if kind is not None and kind not in found:
                found[kind] = Quota(name=quota["QuotaName"], most=quota["Value"], used=_usage(quota.get("UsageMetric")))
    return found


def _listed(listing: str) -> Iterator[dict[str, Any]]:
    pages = aws.client("service-quotas").get_paginator(listing).paginate(ServiceCode=_SERVICE)
    for page in pages:
        yield from page["Quotas"]


def _usage(metric: Mapping[str, Any] | None) -> float | None:
    """What is used of a quota, by the metric that the quota itself names."""
    if not metric:
        return None
    now = datetime.now(tz=UTC)
    dimensions = [{"Name": name, "Value": value} for name, value in metric["MetricDimensions"].items()]
    answer = aws.client("cloudwatch").get_metric_data(
        StartTime=now - _USAGE_OF,
        EndTime=now,
        ScanBy="TimestampDescending",
        MetricDataQueries=[
            {
                "Id": "usage",
                "MetricStat": {
                    "Metric": {
                        "Namespace": metric["MetricNamespace"],
                        "MetricName": metric["MetricName"],
                        "Dimensions": dimensions,
                    },
                    "Period": 300,
                    "Stat": metric.get("MetricStatisticRecommendation", "Maximum"),
                },
            }
        ],
    )
    values = answer["MetricDataResults"][0]["Values"]
    return float(values[0]) if values else None
