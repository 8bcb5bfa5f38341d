"""Does the resolver follow the health checks and alarms that are deployed?"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.local.resolver.records import Caller, Reply
from mlplatform_cdk.local.resolver.resolver import CachingResolver, Resolver
from mlplatform_cdk.local.settings import Settings

NAME, HEALTH = "one.example.com", "eu-west-1.one.example.com"
HERE, THERE = ("10.0.0.1",), ("10.0.0.2",)
NEAR = Caller(nearest=("eu-west-1", "us-east-1"))
PATIENCE_SECONDS = 20.0


def eventually(expected: object, seen: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while seen() != expected and time.monotonic() < end:
        time.sleep(0.02)
    assert seen() == expected


class Front:
    """A region's ``/health``, which says what it is told."""

    def __init__(self) -> None:
        self.body, self.hosts = b'{"status": "in-service"}', set[str]()
        front = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                front.hosts.add(self.headers["Host"])
                self.send_response(200 if self.path == "/health" else 404)
                self.end_headers()
                self.wfile.write(front.body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = ("127.0.0.1", int(self._server.server_address[1]))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def front() -> Iterator[Front]:
    made = Front()
    yield made
    made.close()


def check(route53: Any, config: dict[str, Any]) -> str:
    made = route53.create_health_check(CallerReference=uuid.uuid4().hex, HealthCheckConfig=config)
    return str(made["HealthCheck"]["Id"])


@pytest.fixture
def zone(client: Callable[[str], Any], aws: Settings) -> Iterator[tuple[str, str]]:
    """A zone with a record of each region, the near one behind ``/health``, the other behind an alarm; the alarm."""
    route53, alarm = client("route53"), f"out-{uuid.uuid4().hex[:8]}"
    client("cloudwatch").put_metric_alarm(
        AlarmName=alarm,
        Namespace="None",
        MetricName="None",
        Statistic="Sum",
        Period=86400,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="ignore",
    )
    asked = {
        "Type": "HTTPS_STR_MATCH",
        "FullyQualifiedDomainName": HEALTH,
        "ResourcePath": "/health",
        "SearchString": '"in-service"',
        "RequestInterval": 10,
        "FailureThreshold": 2,
    }
    watched = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Name": alarm, "Region": aws.region}}
    near, far = check(route53, asked), check(route53, {**watched, "InsufficientDataHealthStatus": "LastKnownStatus"})
    over = check(route53, {"Type": "CALCULATED", "ChildHealthChecks": [near], "HealthThreshold": 1})
    zone_id = route53.create_hosted_zone(Name="example.com", CallerReference=uuid.uuid4().hex)["HostedZone"]["Id"]
    places = (("eu-west-1", HERE, over), ("us-east-1", THERE, far))
    changes = [
        {
            "Action": "CREATE",
            "ResourceRecordSet": {
                "Name": NAME,
                "Type": "A",
                "SetIdentifier": region,
                "Region": region,
                "TTL": 30,
                "ResourceRecords": [{"Value": value} for value in values],
                "HealthCheckId": id_,
            },
        }
        for region, values, id_ in places
    ]
    route53.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": changes})
    yield zone_id.rpartition("/")[2], alarm
    for id_ in (over, near, far):
        route53.delete_health_check(HealthCheckId=id_)
    client("cloudwatch").delete_alarms(AlarmNames=[alarm])


def test_a_name_leads_elsewhere_while_health_does_not_say_the_word_and_back_when_it_does(
    aws: Settings, client: Callable[[str], Any], zone: tuple[str, str], front: Front
) -> None:
    zone_id, alarm = zone
    reach = {HEALTH: front.place}.get
    with Resolver(Administrator(aws), zone_id, reach=reach, clock_factor=0.005) as resolver:

        def seen() -> object:
            return resolver.answer(NAME, NEAR).values

        eventually(HERE, seen)
        front.body = b'{"status": "out-of-service"}'
        eventually(THERE, seen)
        assert not resolver.all_healthy()

        client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="test")
        eventually(HERE, seen)  # nobody is healthy, so all are

        client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="INSUFFICIENT_DATA", StateReason="test")
        time.sleep(0.5)
        assert seen() == HERE  # what was known last counts

        front.body = b'{"status": "in-service"}'
        client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="test")
        eventually(True, resolver.all_healthy)
        assert seen() == HERE
        assert front.hosts == {HEALTH}
        kinds = [(one.check.kind, one.healthy) for one in resolver.changes()]
    assert kinds[:2] == [("HTTPS_STR_MATCH", False), ("CLOUDWATCH_METRIC", False)]
    assert sorted(kinds[2:]) == [("CLOUDWATCH_METRIC", True), ("HTTPS_STR_MATCH", True)]


def test_a_region_that_cannot_be_reached_is_sick(aws: Settings, zone: tuple[str, str], front: Front) -> None:
    front.close()
    places: list[Any] = [{HEALTH: front.place}.get, {}.get]
    for reach in places:
        with Resolver(Administrator(aws), zone[0], reach=reach, clock_factor=0.005) as resolver:
            eventually(THERE, lambda: resolver.answer(NAME, NEAR).values)


class Route53:
    """Counts questions."""

    def __init__(self) -> None:
        self.asked = 0

    def answer(self, name: str, _caller: Caller) -> Reply:
        self.asked += 1
        return Reply(values=(f"{name} {self.asked}",), ttl_s=60, path=(name,))

    def ttl_seconds(self, reply: Reply) -> float:
        return reply.ttl_s * 0.2


def test_an_answer_is_kept_for_its_time_to_live_by_the_clock() -> None:
    now, route53 = [0.0], Route53()
    cache = CachingResolver(route53, NEAR, clock=lambda: now[0])  # type: ignore[arg-type]

    first = cache.answer(NAME).values
    now[0] = 11.9
    kept = cache.answer(NAME).values
    now[0] = 12.0

    assert (first, kept, cache.answer(NAME).values) == ((f"{NAME} 1",), (f"{NAME} 1",), (f"{NAME} 2",))
    assert cache.answer("two.example.com").values == ("two.example.com 3",)


def test_networks_ask_again_at_different_times() -> None:
    now, route53 = [0.0], Route53()
    cache = CachingResolver(route53, NEAR, age=0.75, clock=lambda: now[0])  # type: ignore[arg-type]

    answers = []
    for now[0] in (0.0, 2.9, 3.0, 14.9, 15.0):
        answers.append(cache.answer(NAME).values[0].rpartition(" ")[2])

    assert answers == ["1", "1", "2", "2", "3"]
