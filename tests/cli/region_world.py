"""Two regions in moto whose probes have published, and whose AWS can be lost, for ``mlplatform region``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws
from typer.testing import CliRunner, Result

from mlplatform_cdk.cli.console import OUT, CommandFailed
from mlplatform_cdk.cli.main import app
from mlplatform_cdk.cli.region import place, view
from mlplatform_cdk.routing.health_probe.runtime.row import VerdictRow
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.client.wire import Fault, Reply, Request
from mlplatform_cdk.runtimekit.region_address import NamesAddress, RegionAddress
from mlplatform_cdk.runtimekit.region_health import NEW_REGION, Golden, Verdict

DOMAIN, NAMES = "models.example.com", "us-east-1"
WEST, EAST = REGIONS = ("eu-west-1", "us-east-1")
TABLE, ENDPOINT = "verdicts", "churn"


class World:
    """Regions whose probes have published, and the stack of the names."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self._make = aws.client
        for region in REGIONS:
            self.deploy(region)
            self.verdict(region)
        self.publish_names()

    def client(self, service: str, region: str) -> Any:
        return self._make(service, region=region)

    def publish_names(self, domain: str = DOMAIN, **more: Any) -> None:
        self._put(NAMES, NamesAddress(domain=domain, regions=[*REGIONS], **more))

    def deploy(self, region: str) -> None:
        self.client("dynamodb", region).create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "endpoint", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "endpoint", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        alarm = f"{DOMAIN}-{region}-out-of-service"
        self._put(region, RegionAddress(domain=DOMAIN, region=region, endpoint=ENDPOINT, table=TABLE, alarm=alarm))
        self.client("cloudwatch", region).put_metric_alarm(
            AlarmName=alarm,
            ComparisonOperator="LessThanThreshold",
            EvaluationPeriods=1,
            MetricName="InService",
            Namespace="n",
            Period=60,
            Statistic="Minimum",
            Threshold=1,
        )
        self.client("cloudwatch", region).set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="well")

    def verdict(self, region: str, status: str = "in-service", *, valid_s: float = 30, **more: str) -> None:
        """What the region's probe publishes, by its own code."""
        now = int(time.time() * 1000)
        told = {"version": "0a1b2c3d4e5f", "reason": "", "bad_version": ""} | more
        label = told.pop("label", "churn version 4")
        verdict = Verdict(
            status=status,  # type: ignore[arg-type]
            golden=Golden.RIGHT,
            well=True,
            steady=True,
            round=7,
            since_ms=1_790_000_000_000,
            valid_until_ms=now + int(valid_s * 1000),
            next_look_ms=10_000,
            **told,
        )
        with self._patch.context() as patch:
            patch.setattr(aws, "client", lambda service, **_: self.client(service, region))
            row = VerdictRow(TABLE, ENDPOINT, f"probe-{now}")
            row.claim(now)
            row.publish(NEW_REGION, verdict, label=label)

    def row(self, region: str) -> dict[str, Any]:
        found = self.client("dynamodb", region).get_item(TableName=TABLE, Key={"endpoint": {"S": ENDPOINT}})
        row: dict[str, Any] = found["Item"]
        return row

    def forget(self, region: str) -> None:
        self.client("dynamodb", region).delete_item(TableName=TABLE, Key={"endpoint": {"S": ENDPOINT}})

    def lose(self, region: str, *services: str) -> None:
        """Nothing of the region's AWS answers any more, or nothing of some services."""

        def client(service: str, region_name: str | None) -> Any:
            made = self._make(service, region=region_name)
            return Lost(made) if region_name == region and service in (services or (service,)) else made

        self._patch.setattr(place, "client", client)

    def _put(self, region: str, address: RegionAddress | NamesAddress) -> None:
        self.client("ssm", region).put_parameter(
            Name=address.parameter, Value=json.dumps(address.to_mapping()), Type="String", Overwrite=True
        )


class Lost:
    """A client to which nobody answers."""

    def __init__(self, made: Any) -> None:
        self.exceptions = made.exceptions

    def __getattr__(self, operation: str) -> Any:
        def fail(**_: Any) -> None:
            raise EndpointConnectionError(endpoint_url=f"https://{operation}")

        return fail


class Health:
    """``/health`` of the regions, in place of the network."""

    answers: dict[str, Reply]

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def start(self, request: Request, **_: float) -> Health:
        self.asked.append(request)
        return self

    def wait(self, *_: Any) -> None:
        """It is there at once."""

    def outcome(self) -> Reply | Fault:
        return self.answers.get(self.asked[-1].url, Fault(what="refused the connection", sent=False))

    def cancel(self) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing is open."""


@contextmanager
def clients() -> Iterator[None]:
    """Clients are made once for all tests of a file, since that takes longer than the tests do."""
    clear = aws.client.cache_clear
    clear()
    yield
    clear()


@contextmanager
def two_regions(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Both in service, with the stack of the names in ``NAMES``."""
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_DEFAULT_REGION", NAMES)
    monkeypatch.setattr(OUT, "_width", 140)
    monkeypatch.setattr(Health, "answers", {}, raising=False)
    monkeypatch.setattr(view, "HttpWire", Health)
    with mock_aws():
        monkeypatch.setattr(aws.client, "cache_clear", lambda: None, raising=False)
        yield World(monkeypatch)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["region", *arguments])


def failure(*arguments: str) -> str:
    result = run(*arguments)
    assert isinstance(result.exception, CommandFailed), result.output
    return str(result.exception)


def told(*arguments: str) -> dict[str, dict[str, Any]]:
    result = run("status", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return {one["region"]: one for one in json.loads(result.stdout)["regions"]}


def line(region: str, output: str) -> str:
    (found,) = [one for one in output.splitlines() if one.startswith(f"{region} ")]
    return " ".join(found.split())
