"""Where do the issuer's keys come from, and what does the function answer?"""

import time
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly import reader
from mlplatform_cdk.routing.regional_api import Authorization
from mlplatform_cdk.routing.regional_api.authorizer.runtime import handler, tokens
from mlplatform_cdk.routing.regional_api.authorizer.runtime.keys import KeySet
from tests.architecture.test_assets import boot, functions
from tests.routing.regional_api.building import Built
from tests.routing.regional_api.signing import CLAIMS, ISSUER, KEY, OTHER, RULES, Keys, public, token


class Issuer:
    """Answers as an issuer would, or does not."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.keys = [public(KEY, kid="k1")]
        self.is_up = True
        self.now = 1000.0

    def fetch(self, url: str) -> Any:
        self.asked.append(url)
        if not self.is_up:
            raise TimeoutError("no answer")
        return {"keys": self.keys} if url.endswith("/keys") else {"jwks_uri": "https://id.example.com/keys"}

    def key_set(self) -> KeySet:
        return KeySet(ISSUER, fetch=self.fetch, clock=lambda: self.now)


def test_keys_are_asked_for_once_and_kept() -> None:
    issuer = Issuer()
    keys = issuer.key_set()

    assert [keys.find("k1") == public(KEY, kid="k1") for _ in range(3)] == [True] * 3
    assert issuer.asked == ["https://id.example.com/.well-known/openid-configuration", "https://id.example.com/keys"]


def test_a_new_key_of_the_issuer_is_found_and_made_up_ids_do_not_make_us_ask_again_and_again() -> None:
    issuer = Issuer()
    keys = issuer.key_set()
    keys.find("k1")
    issuer.keys = [public(OTHER, kid="k2")]

    assert keys.find("k2") is None  # asked a moment ago
    asked = len(issuer.asked)
    assert [keys.find(f"made-up-{index}") for index in range(5)] == [None] * 5
    assert len(issuer.asked) == asked
    issuer.now += 31
    assert keys.find("k2") == public(OTHER, kid="k2")
    assert keys.find("k1") is None  # withdrawn


def test_an_issuer_that_is_away_takes_no_region_out_but_a_first_look_needs_it() -> None:
    issuer = Issuer()
    keys = issuer.key_set()
    issuer.is_up = False
    with pytest.raises(OSError, match="no answer"):
        keys.find("k1")
    issuer.is_up = True
    assert keys.find("k1") is not None
    issuer.is_up, issuer.now = False, issuer.now + 7200

    assert keys.find("k1") is not None


def test_keys_at_an_address_without_tls_are_not_fetched() -> None:
    keys = KeySet(ISSUER, fetch=lambda _: {"jwks_uri": "http://id.example.com/keys"})

    with pytest.raises(ValueError, match="must be at an https address"):
        keys.find("k1")


@pytest.mark.parametrize("path", ["invocations", "predictions"])
def test_the_function_allows_every_prediction_since_api_gateway_keeps_its_verdict_by_the_token(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(handler, "_known", lambda: (RULES, Keys(k1=public(KEY))))
    fresh = {**CLAIMS, "exp": time.time() + 60}
    stage = "arn:aws:execute-api:eu-west-1:123456789012:api/live"

    answer = handler.handle({"authorizationToken": f"Bearer {token(fresh)}", "methodArn": f"{stage}/POST/{path}"}, None)

    assert answer["principalId"] == "someone"
    assert answer["policyDocument"]["Statement"] == [
        {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{stage}/POST/*"}
    ]


@pytest.mark.parametrize("given", ["", "Basic eA==", "Bearer x", "Bearer a.b.c"])
def test_a_caller_that_is_refused_learns_no_reason(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setattr(handler, "_known", lambda: (RULES, Keys(k1=public(KEY))))

    with pytest.raises(PermissionError, match=r"^Unauthorized$"):
        handler.handle({"authorizationToken": given, "methodArn": "arn"}, None)


def test_the_functions_settings_say_whose_tokens_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISSUER", ISSUER)
    monkeypatch.setenv("AUDIENCE", "models\nothers")

    rules, _ = handler._known.__wrapped__()

    assert rules == tokens.Rules(issuer=ISSUER, audience=["models", "others"])


def test_the_function_boots_from_its_asset_alone(tmp_path: Path) -> None:
    built = Built(outdir=str(tmp_path), authorization=Authorization.jwt(issuer=ISSUER, audience=["models"]))
    built.app.synth()

    (stack,) = reader.read(tmp_path).all_stacks()
    ((_, name, folder),) = functions(stack)
    result = boot(name.rpartition(".")[0], folder)

    assert (result.returncode, result.stderr) == (0, "")
