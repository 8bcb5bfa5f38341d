"""The records and health checks of the embedded AWS, as the rules take them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.resolver.checks import Check
from mlplatform_cdk.local.resolver.records import Alias, Record, Zone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlplatform_cdk.local.administrator import Administrator


def zone_of(aws: Administrator, zone_id: str) -> Zone:
    """The records of a hosted zone.

    :param aws: the embedded AWS.
    :param zone_id: such as ``Z0123456789ABC``.
    """
    pages = aws.client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id)
    return Zone.of([record_of(one, zone_id) for page in pages for one in page["ResourceRecordSets"]])


def checks_of(aws: Administrator) -> dict[str, Check]:
    """All health checks, by their ids.

    :param aws: the embedded AWS.
    """
    pages = aws.client("route53").get_paginator("list_health_checks").paginate()
    found = [check_of(one["Id"], one["HealthCheckConfig"]) for page in pages for one in page["HealthChecks"]]
    return {one.id: one for one in found}


def record_of(given: Mapping[str, Any], zone_id: str) -> Record:
    """A record set as Route 53's API gives it.

    :param given: ``ResourceRecordSet``.
    :param zone_id: of the zone that it lies in.
    """
    target, place = given.get("AliasTarget"), given.get("GeoLocation", {})
    alias = None
    if target is not None:
        within = target["HostedZoneId"] == zone_id
        alias = Alias(name=_name(target["DNSName"]), within_zone=within, evaluate=target["EvaluateTargetHealth"])
    return Record(
        name=_name(given["Name"]),
        kind=given["Type"],
        identifier=given.get("SetIdentifier", ""),
        values=tuple(one["Value"] for one in given.get("ResourceRecords", ())),
        ttl_s=int(given.get("TTL", 0)),
        alias=alias,
        check=given.get("HealthCheckId"),
        weight=given.get("Weight"),
        region=given.get("Region"),
        failover=given.get("Failover"),
        continent=place.get("ContinentCode"),
        country=place.get("CountryCode"),
        subdivision=place.get("SubdivisionCode"),
    )


def check_of(id_: str, given: Mapping[str, Any]) -> Check:
    """A health check as Route 53's API gives it.

    :param id_: its id.
    :param given: ``HealthCheckConfig``.
    """
    alarm, default = given.get("AlarmIdentifier", {}), Check(id=id_, kind="")
    return Check(
        id=id_,
        kind=given["Type"],
        name=given.get("FullyQualifiedDomainName", ""),
        path=given.get("ResourcePath", default.path),
        word=given.get("SearchString", ""),
        interval_s=int(given.get("RequestInterval", default.interval_s)),
        failures=int(given.get("FailureThreshold", default.failures)),
        inverted=bool(given.get("Inverted")),
        disabled=bool(given.get("Disabled")),
        children=tuple(given.get("ChildHealthChecks") or ()),
        threshold=int(given.get("HealthThreshold", default.threshold)),
        alarm=alarm.get("Name", ""),
        alarm_region=alarm.get("Region", ""),
        without_data=given.get("InsufficientDataHealthStatus", default.without_data),
    )


def _name(text: str) -> str:
    return text.rstrip(".").lower()
