"""What the dashboard shows, as CloudWatch takes it: rows of graphs, in each of which all regions are lines.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlplatform_cdk.routing.health_probe.runtime.metrics import NAMESPACE
from mlplatform_cdk.routing.plan import MultiRegionEndpoint

# Route 53 tells CloudWatch of its health checks here and nowhere else:
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/monitoring-health-checks.html
NAMES_REGION = "us-east-1"

_WIDTH, _HEIGHT = 24, 6
_MINUTE_S = 60
_MOST_ABREAST = 4

Widget = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A region of the plan, with the account whose it is and what serves there.

    :param region: its name.
    :param account: the account's id.
    :param endpoint: the endpoint's name; default: not shown.
    :param health_check: the id of its health check, in the account of the names; default: not shown.
    """

    region: str
    account: str
    endpoint: str = ""
    health_check: str = ""


def board(plan: MultiRegionEndpoint, places: Sequence[Place], *, names_account: str, partition: str) -> dict[str, Any]:
    """The whole dashboard."""
    rows = [[_title(plan)], *_alarms(plan, places, partition), _judged(plan, places)]
    if any(place.health_check for place in places):
        rows[-1].append(_seen_by_route_53(places, names_account))
    if any(place.endpoint for place in places):
        rows.append(_served(places))
    return {"widgets": [*_laid_out(rows)]}


def _title(plan: MultiRegionEndpoint) -> Widget:
    return {"type": "text", "height": 1, "properties": {"markdown": f"# {plan.domain_name}"}}


def _alarms(plan: MultiRegionEndpoint, places: Sequence[Place], partition: str) -> list[list[Widget]]:
    """Each region's alarm, a few abreast."""
    shown: list[Widget] = [
        {
            "type": "metric",
            "properties": {
                "title": f"{place.region}: out of service",
                "region": place.region,
                "accountId": place.account,
                "view": "timeSeries",
                "annotations": {
                    "alarms": [
                        f"arn:{partition}:cloudwatch:{place.region}:{place.account}:alarm:{plan.alarm_name(place.region)}"
                    ]
                },
            },
        }
        for place in places
    ]
    return [shown[at : at + _MOST_ABREAST] for at in range(0, len(shown), _MOST_ABREAST)]


def _judged(plan: MultiRegionEndpoint, places: Sequence[Place]) -> list[Widget]:
    """What the probes say."""

    def of(name: str, statistic: str) -> list[Any]:
        return [
            [NAMESPACE, name, "Domain", plan.domain_name, "Region", place.region, _line(place, stat=statistic)]
            for place in places
        ]

    return [
        _graph("In service, as each region's probe says", of("InService", "Minimum"), places, low=0, high=1),
        _graph("Golden requests answered rightly", of("Right", "Minimum"), places, low=0, high=1),
        _graph("p99 of golden requests, ms", of("Latency", "p99"), places),
    ]


def _seen_by_route_53(places: Sequence[Place], account: str) -> Widget:
    lines = [
        [
            "AWS/Route53",
            "HealthCheckStatus",
            "HealthCheckId",
            place.health_check,
            {"stat": "Minimum", "region": NAMES_REGION, "accountId": account, "label": place.region},
        ]
        for place in places
        if place.health_check
    ]
    return _graph("In service, as Route 53 sees it", lines, places, low=0, high=1)


def _served(places: Sequence[Place]) -> list[Widget]:
    """What SageMaker says, over all variants of each endpoint: releases change their names."""

    def of(name: str, statistic: str) -> list[Any]:
        return [[_searched(place, name, statistic)] for place in places if place.endpoint]

    return [
        _graph("Requests a minute", of("Invocations", "Sum"), places),
        _graph("p99 of the model, µs", of("ModelLatency", "p99"), places),
        _graph("Requests that the model failed", of("Invocation5XXErrors", "Sum"), places),
    ]


def _searched(place: Place, name: str, statistic: str) -> dict[str, Any]:
    schema, wanted = "{AWS/SageMaker,EndpointName,VariantName}", f'EndpointName="{place.endpoint}" MetricName="{name}"'
    return {
        "expression": f"SEARCH('{schema} {wanted}', '{statistic}', {_MINUTE_S})",
        "label": f"{place.region} ${{PROP('Dim.VariantName')}}",
        "region": place.region,
        "accountId": place.account,
    }


def _line(place: Place, *, stat: str) -> dict[str, Any]:
    return {"stat": stat, "region": place.region, "accountId": place.account, "label": place.region}


def _graph(
    title: str, lines: Sequence[Any], places: Sequence[Place], *, low: float | None = None, high: float | None = None
) -> Widget:
    bounds = {name: value for name, value in (("min", low), ("max", high)) if value is not None}
    axis = {"yAxis": {"left": bounds}} if bounds else {}
    properties = {
        "title": title,
        "region": places[0].region,
        "view": "timeSeries",
        "period": _MINUTE_S,
        "metrics": [*lines],
        **axis,
    }
    return {"type": "metric", "properties": properties}


def _laid_out(rows: Sequence[Sequence[Widget]]) -> list[dict[str, Any]]:
    """Each row as wide as the dashboard, one below the other."""
    found, top = [], 0
    for row in rows:
        width = _WIDTH // len(row)
        for at, widget in enumerate(row):
            found.append({"height": _HEIGHT, **widget, "x": at * width, "y": top, "width": width})
        top += max(one["height"] for one in found[-len(row) :])
    return found
