"""What is refused before anything is sent, and with which words?"""

import subprocess
import sys
from typing import Any

import pytest

from mlplatform_cdk.routing.plan import HostedZoneReference, MultiRegionEndpoint
from mlplatform_cdk.runtimekit.client import (
    Breaking,
    Hedging,
    Limits,
    RegionClient,
    Retries,
    Unsigned,
    Watching,
    regional_urls,
)
from mlplatform_cdk.runtimekit.client.answers import pause_s
from tests.runtimekit.client.virtual import client, reply, well, world


def test_the_urls_are_the_names_that_the_platform_gives_its_regions() -> None:
    regions = ["eu-west-1", "us-east-1"]
    zone = HostedZoneReference(hosted_zone_id="Z0123456789ABC", zone_name="example.com")
    plan = MultiRegionEndpoint(domain_name="models.example.com", zone=zone, regions=regions)

    urls = regional_urls(plan.domain_name, regions)

    assert urls == {region: f"https://{plan.regional_name(region)}" for region in regions}


@pytest.mark.parametrize(
    ("urls", "said"),
    [
        ({}, "a client needs at least one region, got none"),
        ({"a": "http://models.example.com"}, "the URL of a must be https://host or https://host/path, got 'http://"),
        ({"a": "models.example.com"}, "the URL of a must be https://host"),
        ({"a": "https://x.example.com?stage=1"}, "the URL of a must be https://host"),
        ({"a": "https://x.example.com:port"}, "the URL of a must be https://host"),
    ],
)
def test_urls_that_cannot_be_asked_are_refused(urls: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        RegionClient(urls)


def test_a_preference_for_an_unknown_region_is_refused() -> None:
    with pytest.raises(ValueError, match=r"prefer must name regions of urls \(a, b\), got c"):
        client(world(a=well(), b=well()), prefer=["c"])


def test_another_path_must_say_whether_it_keeps_answers_and_without_them_no_key_is_sent() -> None:
    with pytest.raises(
        ValueError, match=r"keyed must be given for /predictions: True where it keeps answers \(Feature"
    ):
        client(world(a=well()), path="/predictions")

    sent: list[dict[str, str]] = []
    for keyed in (True, False):
        here = world(a=well())
        answer = client(here, path="/predictions", keyed=keyed).invoke(b"")
        assert len(answer.idempotency_key) == 32
        sent.append({**here.sent[0].request.headers})
    with pytest.raises(ValueError, match="idempotency_key needs a client with keyed=True, got 'order-1'"):
        client(world(a=well()), path="/predictions", keyed=False).invoke(b"", idempotency_key="order-1")

    assert ["X-Idempotency-Key" in one for one in sent] == [True, False]
    assert all("X-Amzn-SageMaker-Inference-Id" in one for one in sent)


@pytest.mark.parametrize("key", ["", "two words", "Zoë", "a\r\nX-Evil: 1", "k" * 129])
def test_an_idempotency_key_that_no_header_holds_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="idempotency_key must be 1 to 128 visible ASCII characters"):
        client(world(a=well())).invoke(b"", idempotency_key=key)


@pytest.mark.parametrize(
    "headers", [{"X-Idempotency-Key": "1"}, {"authorization": "x"}, {"X-A": "b\r\nc"}, {"X A": "b"}, {"X:": "b"}]
)
def test_headers_that_are_the_clients_own_or_none_at_all_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"the client's own|must be visible ASCII"):
        client(world(a=well())).invoke(b"", headers=headers)


@pytest.mark.parametrize("type_", ["text/csv\r\nX-Evil: 1", ""])
def test_a_content_type_that_no_header_holds_is_refused(type_: str) -> None:
    with pytest.raises(ValueError, match="must be visible ASCII"):
        client(world(a=well())).invoke(b"", content_type=type_)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Limits(attempt_s=20),
        lambda: Limits(connect_s=0),
        lambda: Retries(attempts=0),
        lambda: Retries(base_s=3),
        lambda: Retries(share=1.5),
        lambda: Hedging(quantile=1),
        lambda: Hedging(reserve=0),
        lambda: Watching(every_s=0),
        lambda: Watching(wait_s=-1),
        lambda: Breaking(in_a_row=0),
        lambda: Breaking(share=0),
        lambda: Breaking(rest_s=100),
    ],
)
def test_rules_that_cannot_hold_are_refused(make: Any) -> None:
    with pytest.raises(ValueError, match="got"):
        make()


@pytest.mark.parametrize("deadline_s", [0, -1, float("nan")])
def test_a_deadline_that_is_over_is_refused(deadline_s: float) -> None:
    with pytest.raises(ValueError, match="deadline_s must be above 0"):
        client(world(a=well())).invoke(b"", deadline_s=deadline_s)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"retry_after": "7"}, 7),
        ({"retry_after": " 0 "}, 0),
        ({"retry_after": "9" * 400}, 300),
        ({"retry_after": "-3"}, 0),
        ({"retry_after": "soon"}, 0),
        ({"retry_after": "Sun, 22 Nov 2026 10:00:20 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 20),
        ({"retry_after": "Sun, 22 Nov 2026 09:00:00 GMT", "date": "Sun, 22 Nov 2026 10:00:00 GMT"}, 0),
        ({"retry_after": "Sun, 22 Nov 2026 10:00:20 GMT", "date": "today"}, 0),
        ({"retry_after": "Sun, 22 Nov 2099 10:00:20 GMT"}, 300),
    ],
)
def test_the_pause_is_what_the_region_asks_for(headers: dict[str, str], seconds: float) -> None:
    assert pause_s(reply(429, **headers)) == seconds


def test_it_is_there_without_boto3_and_closes_its_connections() -> None:
    program = "import sys; from mlplatform_cdk.runtimekit.client import RegionClient; print('botocore' in sys.modules)"
    wire = world(a=well())

    with RegionClient({"a": "https://a.example.com"}, authorization=Unsigned(), wire=wire):
        assert not wire.closed

    assert wire.closed
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
