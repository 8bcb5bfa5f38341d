"""What does a round see of real servers?"""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mlplatform_cdk.routing.health_probe.runtime import sending
from mlplatform_cdk.routing.health_probe.runtime.judging import Served, Serving
from mlplatform_cdk.routing.health_probe.runtime.probe import Probe
from mlplatform_cdk.routing.health_probe.runtime.versions import NothingServed
from mlplatform_cdk.runtimekit.own_requests import is_own
from mlplatform_cdk.runtimekit.region_health import Golden, Peer
from tests.routing.health_probe.conftest import REGION, Region, manifest_of

BLUE = Served(version="blue", label="churn version 1", manifest=manifest_of())
SERVING = Serving(variants={"a": BLUE}, main="a")
HEALTHY = {
    "status": "in-service",
    "golden": "right",
    "version": "blue",
    "well": True,
    "steady": True,
    "round": 4,
    "since": 1,
}


class Looks:
    """Versions as a test says them; an exception is raised."""

    def __init__(self, *told: Any) -> None:
        self.told = list(told) or [("one", SERVING)]

    def look(self) -> Any:
        now = self.told.pop(0) if len(self.told) > 1 else self.told[0]
        if isinstance(now, Exception):
            raise now
        return now


@pytest.fixture
def probe(account: None) -> Any:
    def make(region: Region, *, looks: Looks | None = None, **changes: Any) -> Probe:
        told = {"others": dict, "authorize": sending.signature(REGION), "overhead_ms": 5_000, "timeout_ms": 2_000}
        told |= changes
        sender = sending.Sender(told["timeout_ms"] / 1000)
        return Probe(url=region.url, sender=sender, versions=looks or Looks(), **told)  # type: ignore[arg-type]

    return make


def test_a_round_asks_as_a_caller_does_and_signs_each_request(regions: Any, probe: Any) -> None:
    region = regions()

    saw = probe(region).round(0)

    assert (saw.golden, saw.version, saw.label) == (Golden.RIGHT, "blue", "churn version 1")
    assert len(saw.latencies_ms) == 3
    path, headers, body = region.requests[0]
    assert path == "/invocations"
    assert json.loads(body)["inputs"].keys() == {"x"}
    assert f"/{REGION}/execute-api/aws4_request" in headers["authorization"]
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"] == "mlplatform-cdk region probe"
    assert is_own(headers["x-amzn-sagemaker-inference-id"])


def test_a_round_carries_the_key_where_the_api_asks_for_one(regions: Any, probe: Any) -> None:
    region = regions()

    probe(region, authorize=sending.key("secret-key")).round(0)

    assert region.requests[0][1]["x-api-key"] == "secret-key"
    assert "authorization" not in region.requests[0][1]


class Hangs(Looks):
    """What it is told is served, until it hangs as SageMaker's control plane does."""

    def __init__(self) -> None:
        super().__init__()
        self.looked, self.hangs_after, self.released = 0, 1, threading.Event()

    def look(self) -> Any:
        self.looked += 1
        if self.looked > self.hangs_after:
            self.released.wait(10)
        return super().look()


@pytest.fixture
def hangs() -> Iterator[Hangs]:
    looks = Hangs()
    yield looks
    looks.released.set()


def test_a_wrong_answer_of_which_a_hanging_control_plane_says_no_more_is_unknown_and_the_round_is_short(
    regions: Any, probe: Any, hangs: Hangs
) -> None:
    began = time.monotonic()
    saw = probe(regions(answers=0.9), looks=hangs, timeout_ms=400).round(0)
    took = time.monotonic() - began

    assert saw.golden is Golden.UNKNOWN
    assert "SageMaker did not say whether the endpoint was updated: " in saw.reason
    assert "must be 0.5, got 0.9" in saw.reason
    assert took < 5  # and not for as long as the control plane hangs


def test_a_round_is_over_in_its_time_while_control_plane_endpoint_and_another_region_hang(
    regions: Any, probe: Any, hangs: Hangs
) -> None:
    region, other = regions(), regions(health=json.dumps(HEALTHY).encode())
    one = probe(region, looks=hangs, others=lambda: {"b": other.url}, timeout_ms=1_000)
    one.round(0)
    region.late_s = other.health_late_s = 5

    began = time.monotonic()
    saw = one.round(1)

    assert saw.golden is Golden.FAILED
    assert saw.version == "blue"
    # Look, requests and the other region side by side, 1 s, and not one after the other, 2 s.
    assert time.monotonic() - began < 1.7


def test_looks_that_hang_keep_one_thread_and_what_they_saw_counts_later(regions: Any, probe: Any, hangs: Hangs) -> None:
    green = Served(version="green", label="churn version 2", manifest=manifest_of())
    region = regions()
    one = probe(region, looks=hangs, timeout_ms=200)
    one.round(0)

    for number in range(1, 5):
        assert one.round(number).version == "blue"
    assert hangs.looked == 2
    hangs.told = [("two", Serving(variants={"a": green}, main="a"))]
    hangs.released.set()
    one._looking.result()

    assert one._known[0] == "two"
    assert one.round(5).version == "green"


def test_a_version_that_is_new_since_the_last_round_is_asked_at_once_and_by_its_own_manifest(
    regions: Any, probe: Any
) -> None:
    green = Served(version="green", label="churn version 2", manifest=manifest_of(0.7))
    region = regions()
    one = probe(region, looks=Looks(("one", SERVING), ("two", Serving(variants={"a": green}, main="a"))))
    one.round(0)
    region.answers = 0.7

    assert one.round(1).version == "green"
    assert one.round(2).golden is Golden.RIGHT


def test_a_release_that_a_failing_control_plane_hides_makes_no_right_answer_wrong(regions: Any, probe: Any) -> None:
    region = regions()
    one = probe(region, looks=Looks(("one", SERVING), TimeoutError("no answer")))
    one.round(0)
    region.variant, region.answers = "b", 0.7

    saw = one.round(1)

    assert (saw.golden, saw.version) == (Golden.UNKNOWN, "blue")
    assert saw.reason == "a variant answered that the endpoint was not known to have: b"


def test_a_request_that_waits_for_its_token_says_nothing_of_the_region(regions: Any, probe: Any) -> None:
    released = threading.Event()
    saw = probe(regions(), authorize=lambda _: released.wait(5), timeout_ms=300).round(0)
    released.set()

    assert saw.golden is Golden.UNKNOWN
    assert "g1 was not let in within 0.3 s" in saw.reason


def test_connections_stay_open_from_round_to_round(regions: Any, probe: Any) -> None:
    one = probe(regions())

    for number in range(5):
        one.round(number)

    pools = one.sender._session._manager.pools
    (pool,) = (pools.get(key) for key in pools.keys())  # noqa: SIM118 - urllib3's own container
    assert pool.num_requests == 15
    assert pool.num_connections <= 3


@pytest.mark.parametrize(
    ("told", "golden"),
    [
        ({"answers": 0.9}, Golden.WRONG),
        ({"status": 503}, Golden.FAILED),
        ({"status": 403}, Golden.FAILED),
    ],
)
def test_what_is_wrong_with_a_region_is_seen(told: dict[str, Any], golden: Golden, regions: Any, probe: Any) -> None:
    assert probe(regions(**told)).round(0).golden is golden


def test_an_answer_that_takes_too_long_has_failed_and_the_round_is_over_in_time(regions: Any, probe: Any) -> None:
    saw = probe(regions(late_s=0.7), timeout_ms=100).round(0)

    assert saw.golden is Golden.FAILED
    assert "no answer within 0.1 s" in saw.reason or "ReadTimeoutError" in saw.reason
    assert max(saw.latencies_ms) < 700


def test_answers_over_the_manifests_budget_and_the_way_are_slow(regions: Any, probe: Any) -> None:
    assert probe(regions(late_s=0.08), overhead_ms=30).round(0).golden is Golden.SLOW
    assert probe(regions(late_s=0.08), overhead_ms=1_500).round(0).golden is Golden.RIGHT


def test_a_region_where_nobody_listens_has_failed(regions: Any, probe: Any) -> None:
    region = Region(url="http://127.0.0.1:9")

    assert probe(region).round(0).golden is Golden.FAILED


def test_the_others_are_read_and_whoever_is_stale_lost_or_strange_is_as_if_it_were_not(
    regions: Any, probe: Any
) -> None:
    well = regions(health=json.dumps(HEALTHY).encode())
    out = regions(health=json.dumps({**HEALTHY, "status": "out-of-service"}).encode(), health_status=503)
    stale = regions(health=b'{"status": "stale"}', health_status=503)
    strange = regions(health=b"<html>")
    peers = {"b": well.url, "c": out.url, "d": stale.url, "e": strange.url, "f": "http://127.0.0.1:9"}

    saw = probe(regions(), others=lambda: peers).round(0)

    assert saw.others == 5

    assert saw.peers == (
        Peer("b", in_service=True, golden=Golden.RIGHT, version="blue", well=True, steady=True, round=4),
        Peer("c", in_service=False, golden=Golden.RIGHT, version="blue", well=True, steady=True, round=4),
    )


def test_an_endpoint_that_serves_nothing_has_failed_and_one_of_which_nobody_knows_is_unknown(
    regions: Any, probe: Any
) -> None:
    assert probe(regions(), looks=Looks(NothingServed("gone"))).round(0).golden is Golden.FAILED
    assert probe(regions(), looks=Looks(TimeoutError("no answer"))).round(0).golden is Golden.UNKNOWN


def test_while_sagemakers_control_plane_says_nothing_the_last_version_is_asked_for(regions: Any, probe: Any) -> None:
    one = probe(regions(), looks=Looks(("one", SERVING), TimeoutError("no answer")))

    assert [one.round(number).golden for number in range(3)] == [Golden.RIGHT] * 3


def test_a_wrong_answer_while_the_endpoint_was_updated_says_nothing(regions: Any, probe: Any) -> None:
    saw = probe(regions(answers=0.9), looks=Looks(("one", SERVING), ("two", SERVING))).round(0)

    assert saw.golden is Golden.UNKNOWN
    assert saw.reason == "the endpoint was updated while it was asked"


def test_a_region_that_hangs_makes_no_round_longer_than_its_time_out(regions: Any, probe: Any) -> None:
    well = regions(health=json.dumps(HEALTHY).encode())
    hanging = regions(health=json.dumps(HEALTHY).encode(), health_late_s=1.5)
    one = probe(regions(), others=lambda: {"b": hanging.url, "c": well.url}, timeout_ms=300)

    began = time.monotonic()
    saw = one.round(0)

    assert [peer.region for peer in saw.peers] == ["c"]
    assert time.monotonic() - began < 1.5
