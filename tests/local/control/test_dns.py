"""Are records of one name and the checks behind them kept apart, changed in place, and gone with their stack?"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.local.deploy import DeploymentFailed, deploy, destroy
from mlplatform_cdk.local.settings import Settings
from tests.local.control.handmade import assembly_of

Client = Callable[[str], Any]
REGIONS = ("eu-west-1", "us-east-1")


def template(zone: str) -> dict[str, Any]:
    """For each region two records of one name, behind a check on an alarm and one over it."""
    resources: dict[str, Any] = {}
    for region in REGIONS:
        name = region.replace("-", "")
        alarm = {"Name": f"out-{region}", "Region": region}
        config = {
            "Type": "CLOUDWATCH_METRIC",
            "AlarmIdentifier": alarm,
            "InsufficientDataHealthStatus": "LastKnownStatus",
        }
        over = {"Type": "CALCULATED", "ChildHealthChecks": [{"Fn::GetAtt": [f"{name}Alarm", "HealthCheckId"]}]}
        tags = [{"Key": "Name", "Value": region}]
        resources |= {
            f"{name}Alarm": check(config, HealthCheckTags=tags),
            f"{name}All": check({**over, "HealthThreshold": 1}),
        }
        for kind in ("A", "AAAA"):
            target = {"DNSName": f"{region}.example.com.", "HostedZoneId": zone, "EvaluateTargetHealth": False}
            resources[f"{name}{kind}"] = {
                "Type": "AWS::Route53::RecordSet",
                "Properties": {
                    "HostedZoneId": zone,
                    "Name": "one.example.com.",
                    "Type": kind,
                    "SetIdentifier": region,
                    "Region": region,
                    "HealthCheckId": {"Ref": f"{name}All"},
                    "AliasTarget": target,
                },
            }
    return {"Resources": resources}


def check(config: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Type": "AWS::Route53::HealthCheck", "Properties": {"HealthCheckConfig": config, **more}}


@pytest.fixture
def zone(client: Client) -> str:
    made = client("route53").create_hosted_zone(Name="example.com", CallerReference=uuid.uuid4().hex)
    return str(made["HostedZone"]["Id"].rpartition("/")[2])


def records(client: Client, zone: str) -> set[tuple[str, str]]:
    found = client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {(one["Type"], one["SetIdentifier"]) for one in found if one["Name"] == "one.example.com."}


def test_a_region_that_goes_takes_its_own_records_and_no_others(
    aws: Settings, client: Client, zone: str, tmp_path: Path
) -> None:
    both = template(zone)
    one = {"Resources": {name: entry for name, entry in both["Resources"].items() if name.startswith("euwest1")}}

    deploy(assembly_of(tmp_path, "Names", both), aws)
    assert records(client, zone) == {(kind, region) for kind in ("A", "AAAA") for region in REGIONS}

    deploy(assembly_of(tmp_path, "Names", one), aws)
    assert records(client, zone) == {("A", "eu-west-1"), ("AAAA", "eu-west-1")}

    destroy(assembly_of(tmp_path, "Names", one), aws)
    assert records(client, zone) == set()


def test_a_check_is_kept_whole_and_changed_in_place(aws: Settings, client: Client, zone: str, tmp_path: Path) -> None:
    before, after = template(zone), copy.deepcopy(template(zone))
    after["Resources"]["euwest1Alarm"]["Properties"]["HealthCheckConfig"]["Inverted"] = True

    def seen() -> dict[str, Any]:
        found = client("route53").list_health_checks()["HealthChecks"]
        (ours,) = [
            one for one in found if one["HealthCheckConfig"].get("AlarmIdentifier", {}).get("Name") == "out-eu-west-1"
        ]
        return ours  # type: ignore[no-any-return]

    deploy(assembly_of(tmp_path, "Checks", before), aws)
    first = seen()
    deploy(assembly_of(tmp_path, "Checks", after), aws)
    second = seen()
    tags = client("route53").list_tags_for_resource(ResourceType="healthcheck", ResourceId=first["Id"])
    destroy(assembly_of(tmp_path, "Checks", after), aws)

    assert first["HealthCheckConfig"]["AlarmIdentifier"] == {"Region": "eu-west-1", "Name": "out-eu-west-1"}
    assert first["HealthCheckConfig"]["InsufficientDataHealthStatus"] == "LastKnownStatus"
    assert (second["Id"], second["HealthCheckConfig"]["Inverted"]) == (first["Id"], True)
    assert tags["ResourceTagSet"]["Tags"] == [{"Key": "Name", "Value": "eu-west-1"}]


def test_a_record_that_stands_already_is_refused(aws: Settings, zone: str, tmp_path: Path) -> None:
    deploy(assembly_of(tmp_path, "First", template(zone)), aws)

    with pytest.raises(DeploymentFailed, match=r"the record one.example.com., A, eu-west-1 exists already"):
        deploy(assembly_of(tmp_path, "Second", template(zone)), aws)
    destroy(assembly_of(tmp_path, "First", template(zone)), aws)
