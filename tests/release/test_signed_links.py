"""Does a link in a mail let people answer, and scanners not?"""

import base64
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import boto3
import pytest

from mlplatform_cdk.release.gates.door.runtime import handler
from mlplatform_cdk.runtimekit import release_facts, release_records, signed_links
from mlplatform_cdk.runtimekit.release_gates import OpenGate
from tests.release.gates_world import ENDPOINT, TABLE, Waiting, embedded, opened

URL = "https://abc.lambda-url.eu-west-1.on.aws/"
FAR = 4102444800
Link = Callable[[OpenGate], str]


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Waiting]:
    with embedded(monkeypatch) as world:
        key = boto3.client("kms").create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
        monkeypatch.setenv("LINK_KEY_ID", key)
        yield world


@pytest.fixture
def link(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> Link:
    def make(gate: OpenGate, until: int = FAR) -> str:
        import os

        return signed_links.sign(
            URL, key_id=os.environ["LINK_KEY_ID"], endpoint=gate.endpoint, gate=gate.id, until=until
        )

    return make


def get(link: str, method: str = "GET") -> dict[str, Any]:
    event = {"requestContext": {"http": {"method": method}}, "rawQueryString": urlsplit(link).query}
    return handler.handle(event, None)


def post(link: str, *, encoded: bool = False, **form: str) -> dict[str, Any]:
    body = urlencode({**dict(parse_qsl(urlsplit(link).query)), **form})
    if encoded:
        body = base64.b64encode(body.encode()).decode()
    request = {"http": {"method": "POST"}}
    return handler.handle({"requestContext": request, "body": body, "isBase64Encoded": encoded}, None)


def test_opening_a_link_shows_what_is_known_and_decides_nothing(waiting: Waiting, link: Link) -> None:
    address = link(opened())

    answers = [get(address), get(address, "HEAD"), get(address)]

    assert [answer["statusCode"] for answer in answers] == [200, 200, 200]
    page = answers[0]["body"]
    assert "churn version 4" in page
    assert "20 %" in page
    assert "48,113" in page
    assert page.count("<button") == 2
    assert "the-token" not in page
    assert answers[1]["body"] == ""
    assert not waiting.heard


@pytest.mark.parametrize("encoded", [False, True])
def test_a_button_decides_with_the_name_of_who_pressed_it(waiting: Waiting, link: Link, *, encoded: bool) -> None:
    address = link(opened())

    answer = post(address, encoded=encoded, decision="rejected", who="Zoë Ångström", reason="too slow at noon")

    assert answer["statusCode"] == 200
    (heard,) = waiting.heard
    assert heard["cause"] == "Zoë Ångström (by the link): too slow at noon"
    (record,) = release_records.history(TABLE, ENDPOINT)
    assert (record.who, record.decision) == ("Zoë Ångström (by the link)", "rejected")


def test_a_second_answer_is_told_who_decided(waiting: Waiting, link: Link) -> None:
    address = link(opened())
    post(address, decision="approved", who="Ann")

    assert "was approved by Ann" in get(address)["body"]
    late = post(address, decision="rejected", who="Bob")

    assert (late["statusCode"], "The gate of dev-churn was approved by Ann" in late["body"]) == (409, True)
    assert len(waiting.heard) == 1


@pytest.mark.parametrize("form", [{"decision": "approved"}, {"who": "Ann"}, {"who": " ", "decision": "approved"}])
def test_a_button_without_a_name_asks_again(waiting: Waiting, link: Link, form: dict[str, str]) -> None:
    answer = post(link(opened()), **form)

    assert (answer["statusCode"], "Say who you are" in answer["body"]) == (200, True)
    assert not waiting.heard


@pytest.mark.parametrize("changed", ["endpoint", "gate", "until", "code"])
def test_a_link_that_was_changed_opens_nothing(waiting: Waiting, link: Link, changed: str) -> None:
    parameters = {name: values[0] for name, values in parse_qs(urlsplit(link(opened())).query).items()}
    value = parameters[changed]
    parameters[changed] = f"{value[:-2]}{'11' if value[-2:] != '11' else '22'}"
    forged = f"{URL}?{urlencode(parameters)}"

    assert get(forged)["statusCode"] == 403
    assert post(forged, decision="approved", who="Mallory")["statusCode"] == 403
    assert not waiting.heard


@pytest.mark.parametrize("query", ["", "endpoint=dev-churn", "endpoint=a&gate=b&until=x&code=c", "code=%ff%fe"])
def test_a_link_that_is_not_whole_opens_nothing_and_costs_no_call(
    waiting: Waiting, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    assert get(f"{URL}?{query}")["statusCode"] == 403


def test_a_link_that_counts_no_more_says_why_in_a_sentence(waiting: Waiting, link: Link) -> None:
    gate = opened()
    old, forged = get(link(gate, 1000)), get(f"{link(gate)}x")
    opened(token="the-next")

    assert "<p>This link is too old; the gate has closed.</p>" in old["body"]
    assert "open it from the message again.</p>" in forged["body"]
    assert "<p>This gate of dev-churn is long closed.</p>" in get(link(gate))["body"]


def test_a_gate_that_closed_by_itself_says_when_and_what_followed(
    waiting: Waiting, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = opened(timeout_s=-1)

    assert f"closed on {release_facts.moment(gate.expires)}, and its release went back." in get(link(gate))["body"]


def test_a_link_ends_to_count_with_its_gate(waiting: Waiting, link: Link) -> None:
    gate = opened()

    assert get(link(gate, 1000))["statusCode"] == 403
    opened(token="the-next")
    assert get(link(gate))["statusCode"] == 409
    assert not waiting.heard


def test_what_strangers_wrote_is_text_on_the_page(waiting: Waiting, link: Link) -> None:
    gate = opened(version="<script>alert(1)</script>", metrics={"green": {"<b>x": 1}})

    page = get(link(gate))["body"]

    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<b>x" not in page


def test_the_page_runs_no_script_and_stands_in_no_frame(waiting: Waiting, link: Link) -> None:
    headers = get(link(opened()))["headers"]

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")


def test_other_methods_are_refused(waiting: Waiting, link: Link) -> None:
    assert get(link(opened()), "DELETE")["statusCode"] == 405
