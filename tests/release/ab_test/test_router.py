"""What does the router answer, by a plain call and by HTTP?"""

import base64
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlplatform_cdk.release.ab_test.router.runtime import handler
from mlplatform_cdk.runtimekit.ab_test import Answer, OutcomeRefused


class Client:
    """The client, which is tested by itself."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.failure: Exception | None = None
        self.body = b'{"outputs": {}}'

    def invoke(self, key: str, body: bytes | str, **more: Any) -> Answer:
        self.asked.append({"key": key, "body": body, **more})
        if self.failure is not None:
            raise self.failure
        return Answer(
            request_id=more["request_id"] or "new", variant="b", body=self.body, content_type="text/csv", recorded=True
        )

    def report(self, request_id: str, outcome: dict[str, float]) -> dict[str, bool]:
        if request_id == "unknown":
            raise OutcomeRefused("the request 'unknown' is not known")
        return dict.fromkeys(outcome, True)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    made = Client()
    monkeypatch.setattr(handler, "client", lambda: made)
    return made


def http(path: str, body: str, *, encoded: bool = False, **headers: str) -> dict[str, Any]:
    """A request as an HTTP API hands it on (payload format 2.0)."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"requestContext": {}, "rawPath": path, "headers": given, "body": body, "isBase64Encoded": encoded}


def test_a_request_by_http_is_answered_as_the_model_does_with_its_id_and_variant(client: Client) -> None:
    answer = handler.handle(http("/invocations", "1,2", x_ab_key="ann", content_type="text/csv"), None)

    assert (answer["statusCode"], answer["body"], answer["isBase64Encoded"]) == (200, '{"outputs": {}}', False)
    assert answer["headers"] == {
        "content-type": "text/csv",
        "x-ab-request-id": "new",
        "x-ab-variant": "b",
        "x-ab-recorded": "true",
    }
    assert client.asked == [
        {"key": "ann", "body": b"1,2", "content_type": "text/csv", "accept": "*/*", "request_id": None}
    ]


def test_bytes_come_and_go_as_base64(client: Client) -> None:
    client.body = b"\xff\x00"

    answer = handler.handle(
        http("/invocations", base64.b64encode(b"\xfe").decode(), encoded=True, x_ab_key="ann", x_ab_request_id="r-7"),
        None,
    )

    assert (base64.b64decode(answer["body"]), answer["isBase64Encoded"]) == (b"\xff\x00", True)
    assert answer["headers"]["x-ab-request-id"] == "r-7"
    assert client.asked[0]["body"] == b"\xfe"


def test_an_outcome_by_http_says_what_counts(client: Client) -> None:
    told = {"request_id": "r-1", "outcomes": {"converted": 1}}

    answer = handler.handle(http("/outcomes", json.dumps(told)), None)

    assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"counted": {"converted": True}})


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (http("/invocations", "{}"), "its caller's key in the header x-ab-key"),
        (http("/invocations", "???", encoded=True, x_ab_key="ann"), "a body in base64 must be base64"),
        (http("/outcomes", "{"), "an outcome must be JSON"),
        (http("/outcomes", "[]"), 'an outcome must be {"request_id"'),
        (http("/outcomes", '{"request_id": "r-1", "outcomes": {}}'), 'an outcome must be {"request_id"'),
        (http("/outcomes", '{"request_id": "unknown", "outcomes": {"converted": 1}}'), "is not known"),
    ],
)
def test_what_cannot_be_understood_is_400_with_the_reason(client: Client, event: dict[str, Any], problem: str) -> None:
    answer = handler.handle(event, None)

    assert answer["statusCode"] == 400
    assert problem in json.loads(answer["body"])["error"]


@pytest.mark.parametrize(
    ("code", "status"),
    [("ModelError", 502), ("ValidationError", 400), ("ThrottlingException", 429), ("InternalFailure", 500)],
)
def test_a_failure_of_the_endpoint_has_a_status_of_its_own(client: Client, code: str, status: int) -> None:
    client.failure = ClientError({"Error": {"Code": code, "Message": "what it says"}}, "InvokeEndpoint")

    answer = handler.handle(http("/invocations", "{}", x_ab_key="ann"), None)

    assert (answer["statusCode"], json.loads(answer["body"])) == (status, {"error": "what it says"})


def test_a_plain_call_does_the_same(client: Client) -> None:
    answer = handler.handle({"key": "ann", "body": "{}"}, None)
    counted = handler.handle({"request_id": answer["request_id"], "outcomes": {"converted": 0}}, None)

    assert answer == {
        "request_id": "new",
        "variant": "b",
        "recorded": True,
        "content_type": "text/csv",
        "body": '{"outputs": {}}',
    }
    assert counted == {"counted": {"converted": True}}


def test_bytes_of_a_plain_call_are_named_so(client: Client) -> None:
    client.body = b"\xff"

    answer = handler.handle({"key": "ann", "body_base64": "/g=="}, None)

    assert client.asked[0]["body"] == b"\xfe"
    assert answer["body_base64"] == "/w=="


@pytest.mark.parametrize("event", [{"body": "{}"}, {"key": 7, "body": "{}"}])
def test_a_plain_call_without_a_key_fails(client: Client, event: dict[str, Any]) -> None:
    with pytest.raises(handler.BadRequest, match='must have its caller\'s "key"'):
        handler.handle(event, None)
