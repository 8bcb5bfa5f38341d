"""Health checks of Route 53, whole: moto drops the alarm that one reads, and a routing control.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html
"""

from __future__ import annotations

from typing import Any

from moto.route53.models import HealthCheck
from moto.route53.responses import Route53

_create = Route53.create_health_check
_config = HealthCheck.health_check_config.fget


def install() -> None:
    """Keep the whole configuration beside what moto keeps."""
    Route53.create_health_check = _create_whole
    HealthCheck.health_check_config = property(_whole)


def keep(check: HealthCheck, config: dict[str, Any]) -> None:
    """Take ``config`` as all that ``check`` is."""
    check.whole_config = config


def _create_whole(response: Route53) -> Any:
    known = set(response.backend.health_checks)
    answer = _create(response)
    for id_ in set(response.backend.health_checks) - known:
        keep(response.backend.health_checks[id_], dict(response._get_param("HealthCheckConfig")))
    return answer


def _whole(check: HealthCheck) -> dict[str, Any]:
    """What was asked for, over moto's defaults; without what its type does not have."""
    found: dict[str, Any] = _config(check) | getattr(check, "whole_config", {})
    return {name: value for name, value in found.items() if value is not None}
