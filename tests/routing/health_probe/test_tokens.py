"""Does the probe get its tokens by itself, seldom, and silently?"""

import base64
import json
import logging
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from mlplatform_cdk.routing.health_probe.runtime.sending import Answer
from mlplatform_cdk.routing.health_probe.runtime.tokens import NoToken, Tokens
from mlplatform_cdk.runtimekit import aws
from mlplatform_cdk.runtimekit.region_health import Golden
from tests.routing.health_probe.test_round import probe as probe  # noqa: PLC0414 - the fixture

SECRET, URL = "models/probe", "https://issuer.example.com/token"
Request = SimpleNamespace


class Issuer:
    """Answers as a test says, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[bytes, dict[str, str]]] = []
        self.status, self.lasts_s = 200, 3600

    def send(self, method: str, url: str, body: bytes, *, authorize: Callable[[Any], None]) -> Answer:
        assert (method, url) == ("POST", URL)
        request = SimpleNamespace(headers={"content-type": "application/json"})
        authorize(request)
        self.asked.append((body, request.headers))
        told = {"access_token": f"t{len(self.asked)}", "expires_in": self.lasts_s, "token_type": "Bearer"}
        said = told if self.status == 200 else {"error": "invalid_client", "error_description": "s3cret is wrong"}
        return Answer(status=self.status, body=json.dumps(said).encode())


class Secrets:
    """Secrets Manager with one secret."""

    def __init__(self) -> None:
        self.content = json.dumps({"client_id": "probe", "client_secret": "s3cret"})

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:  # noqa: N803 - as boto3 takes it
        assert SecretId == SECRET
        return {"SecretString": self.content}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    made, known = Secrets(), aws.client

    @cache
    def client(service: str, **more: Any) -> Any:
        return made if service == "secretsmanager" else known(service, **more)

    monkeypatch.setattr(aws, "client", client)
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(issuer: Issuer, clock: Clock, secrets: Secrets) -> Tokens:
    return Tokens(secret=SECRET, url=URL, scopes="models/ask", scheme="Bearer", sender=issuer, clock=clock)  # type: ignore[arg-type]


def sent(tokens: Tokens) -> str:
    request = SimpleNamespace(headers={})
    tokens(request)
    return str(request.headers["authorization"])


def test_a_token_is_asked_for_by_the_secret_and_kept_until_shortly_before_its_end(
    tokens: Tokens, issuer: Issuer, clock: Clock
) -> None:
    assert [sent(tokens), sent(tokens)] == ["Bearer t1"] * 2
    clock.now += 3539
    assert sent(tokens) == "Bearer t1"
    clock.now += 1
    assert sent(tokens) == "Bearer t2"
    body, headers = issuer.asked[0]
    assert body == b"grant_type=client_credentials&scope=models%2Fask"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["authorization"] == f"Basic {base64.b64encode(b'probe:s3cret').decode()}"


def test_a_rotated_secret_counts_from_the_next_token_on(
    tokens: Tokens, issuer: Issuer, clock: Clock, secrets: Secrets
) -> None:
    sent(tokens)
    secrets.content = json.dumps({"client_id": "probe", "client_secret": "another"})
    clock.now += 3600
    sent(tokens)

    assert issuer.asked[1][1]["authorization"] == f"Basic {base64.b64encode(b'probe:another').decode()}"


def test_a_token_that_the_api_refuses_is_replaced_but_not_again_and_again(
    tokens: Tokens, issuer: Issuer, clock: Clock
) -> None:
    sent(tokens)
    tokens.refused()
    assert sent(tokens) == "Bearer t1"
    clock.now += 30
    assert sent(tokens) == "Bearer t2"


def test_an_issuer_that_fails_is_asked_again_later_and_the_token_kept_to_its_end(
    tokens: Tokens, issuer: Issuer, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        sent(tokens)
        issuer.status = 401
        clock.now += 3570
        assert [sent(tokens), sent(tokens)] == ["Bearer t1"] * 2
        clock.now += 31
        with pytest.raises(NoToken, match="gave no token: HTTP 401 invalid_client") as failed:
            sent(tokens)

    assert len(issuer.asked) == 3
    assert not [word for word in ("s3cret", "t1") if word in f"{caplog.text}{failed.value}{tokens!r}"]


@pytest.mark.parametrize("content", ["s3cret", '["s3cret"]', '{"client_id": "probe"}'])
def test_a_secret_that_is_none_is_not_told(tokens: Tokens, secrets: Secrets, content: str) -> None:
    secrets.content = content

    with pytest.raises(NoToken, match="must be JSON with client_id and client_secret") as failed:
        sent(tokens)
    assert failed.value.__cause__ is None


def test_without_a_token_nothing_is_said_of_the_region_and_with_one_it_is_asked(
    tokens: Tokens, issuer: Issuer, regions: Any, probe: Any, clock: Clock
) -> None:
    region = regions()
    one = probe(region, authorize=tokens)
    issuer.status = 503
    assert one.round(0).golden is Golden.UNKNOWN
    issuer.status, clock.now = 200, clock.now + 60
    assert one.round(1).golden is Golden.RIGHT
    assert {headers["authorization"] for _, headers, _ in region.requests} == {"Bearer t2"}
    region.status, clock.now = 401, clock.now + 60
    one.round(2)
    one.round(3)
    assert region.requests[-1][1]["authorization"] == "Bearer t3"
