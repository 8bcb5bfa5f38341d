"""Does every attempt prove who sends it, and does no error tell a secret?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import CredentialRetrievalError

from mlplatform_cdk.runtimekit.client import ApiKey, BearerToken, Iam, NoCredentials
from tests.runtimekit.client.virtual import DEAD, client, well, world


def signature(headers: Any, url: str, body: bytes, region: str, secret: str) -> str:
    """The signature as botocore makes it of what was sent, at the time that it says."""
    signed = AWSRequest(method="POST", url=url, data=body)
    for name in headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";"):
        if name != "host":
            signed.headers[name] = next(value for given, value in headers.items() if given.lower() == name)
    signed.context["timestamp"] = headers["X-Amz-Date"]
    auth = SigV4Auth(Credentials("AK", secret), "execute-api", region)
    return str(auth.signature(auth.string_to_sign(signed, auth.canonical_request(signed)), signed))


def test_each_attempt_is_signed_for_its_own_region_with_the_key_and_the_body() -> None:
    wire = world(**{"eu-west-1": DEAD, "us-east-1": well()})

    client(wire, authorization=Iam(Credentials("AK", "SK"))).invoke(b"[1]", idempotency_key="k-1")

    assert wire.asked() == ["eu-west-1", "us-east-1"]
    for one in wire.sent:
        proof = one.request.headers["Authorization"]
        assert f"/{one.region}/execute-api/aws4_request" in proof
        assert "host" in proof
        assert "x-idempotency-key" in proof
        assert proof.endswith(f"Signature={signature(one.request.headers, one.request.url, b'[1]', one.region, 'SK')}")


def test_credentials_that_expire_are_renewed_and_the_session_token_is_sent() -> None:
    issued: list[str] = []

    def renew() -> dict[str, str]:
        issued.append(f"token-{len(issued)}")
        lasts = timedelta(seconds=1) if len(issued) == 1 else timedelta(hours=1)
        expiry = (datetime.now(UTC) + lasts).isoformat()
        return {"access_key": "AK", "secret_key": "SK", "token": issued[-1], "expiry_time": expiry}

    wire = world(a=well())
    one = client(
        wire, authorization=Iam(RefreshableCredentials.create_from_metadata(renew(), renew, method="assume-role"))
    )

    one.invoke(b"")
    one.invoke(b"")

    assert [sent.request.headers["X-Amz-Security-Token"] for sent in wire.sent] == ["token-1", "token-1"]


def test_without_credentials_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3.Session, "get_credentials", lambda _self: None)
    wire = world(a=well())

    with pytest.raises(NoCredentials, match="give the process a role or a profile, or pass ApiKey"):
        client(wire, authorization=Iam()).invoke(b"")

    assert wire.sent == []


def test_credentials_that_cannot_be_renewed_are_told_in_one_sentence() -> None:
    class Lost:
        def get_frozen_credentials(self) -> None:
            raise CredentialRetrievalError(provider="role", error_msg="gone")

    with pytest.raises(NoCredentials, match=r"could not be read: .*gone"):
        client(world(a=well()), authorization=Iam(Lost())).invoke(b"")


def test_an_api_key_is_sent_to_the_region_that_it_is_of() -> None:
    wire = world(a=DEAD, b=well())

    client(wire, authorization=ApiKey({"a": "ka", "b": "kb"})).invoke(b"")
    client(wire, authorization=ApiKey("both")).invoke(b"")

    assert [one.request.headers["x-api-key"] for one in wire.sent] == ["ka", "kb", "both", "both"]
    with pytest.raises(NoCredentials, match="there is none for b"):
        client(wire, authorization=ApiKey({"a": "ka"}), prefer=["b"]).invoke(b"")


def test_a_token_is_asked_for_at_each_attempt() -> None:
    tokens = iter(["t1", "t2"])
    wire = world(a=DEAD, b=well())

    client(wire, authorization=BearerToken(lambda: next(tokens))).invoke(b"")

    assert [one.request.headers["Authorization"] for one in wire.sent] == ["Bearer t1", "Bearer t2"]
    client(wire, authorization=BearerToken("fixed"), prefer=["b"]).invoke(b"")
    assert wire.sent[-1].request.headers["Authorization"] == "Bearer fixed"


def test_no_secret_shows_in_a_log() -> None:
    assert "s3cret" not in repr([ApiKey("s3cret"), BearerToken("s3cret")])
