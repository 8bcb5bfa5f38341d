"""Does a function's URL answer, and does the function see the event that AWS would send?"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.local.exec.account import Account

ECHO = "def handle(event, context):\n    return event\n"


def published(account: Account, source: str, *, auth: str = "NONE") -> str:
    """The URL of a public function."""
    function, client = account.function(source), account.client("lambda")
    url: str = client.create_function_url_config(FunctionName=function, AuthType=auth)["FunctionUrl"]
    ways: tuple[dict[str, Any], ...] = (
        {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"},
        {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True},
    )
    for number, way in enumerate(ways):
        client.add_permission(FunctionName=function, StatementId=f"public-{number}", Principal="*", **way)
    return url


def ask(url: str, body: bytes | None = None, method: str | None = None, **headers: str) -> tuple[int, Any, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=body, method=method, headers=named)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


@pytest.fixture(scope="module")
def echo(account: Account) -> str:
    return published(account, ECHO)


def test_a_request_is_the_event_of_payload_format_2(echo: str) -> None:
    code, _, body = ask(f"{echo}some/p%C3%A4th?a=1&a=2&b=x%20y", Cookie="one=1; two=2", X_Caller="me")

    event = json.loads(body)
    assert code == 200
    assert (event["version"], event["rawPath"], event["rawQueryString"]) == (
        "2.0",
        "/some/p%C3%A4th",
        "a=1&a=2&b=x%20y",
    )
    assert event["queryStringParameters"] == {"a": "1,2", "b": "x y"}
    assert (event["cookies"], event["headers"]["x-caller"]) == (["one=1", "two=2"], "me")
    request = event["requestContext"]
    assert (request["http"]["method"], request["http"]["path"]) == ("GET", "/some/p%C3%A4th")
    assert event["headers"]["host"] == request["domainName"] == f"{request['apiId']}.lambda-url.us-east-1.on.aws"


@pytest.mark.parametrize(
    ("content_type", "sent"),
    [
        ("application/json", {"body": "a=1", "isBase64Encoded": False}),
        ("application/x-www-form-urlencoded", {"body": "YT0x", "isBase64Encoded": True}),
    ],
)
def test_a_body_that_is_no_text_comes_encoded(echo: str, content_type: str, sent: dict[str, Any]) -> None:
    _, _, body = ask(echo, b"a=1", Content_Type=content_type)

    event = json.loads(body)
    assert {name: event[name] for name in sent} == sent


def test_an_answer_says_its_status_and_headers(account: Account) -> None:
    answer = {
        "statusCode": 201,
        "headers": {"X-Kind": "page"},
        "cookies": ["a=1"],
        "body": "aGk=",
        "isBase64Encoded": True,
    }
    url = published(account, f"def handle(event, context):\n    return {answer!r}\n")

    code, headers, body = ask(url)

    assert (code, headers["x-kind"], headers["set-cookie"], body) == (201, "page", "a=1", b"hi")
    assert ask(url, method="HEAD")[2] == b""


def test_a_function_that_fails_is_a_bad_gateway(account: Account) -> None:
    url = published(account, "def handle(event, context):\n    raise ValueError('a secret')\n")

    code, _, body = ask(url)

    assert (code, body) == (502, b"Internal Server Error")


def test_a_url_is_shut_for_who_is_not_let_in(account: Account) -> None:
    function, client = account.function(ECHO), account.client("lambda")
    url = client.create_function_url_config(FunctionName=function, AuthType="NONE")["FunctionUrl"]
    client.add_permission(
        FunctionName=function,
        StatementId="half",
        Principal="*",
        Action="lambda:InvokeFunctionUrl",
        FunctionUrlAuthType="NONE",
    )

    assert ask(url)[0] == 403
    assert ask(published(account, ECHO, auth="AWS_IAM"))[0] == 403


def test_a_url_goes_with_its_function(account: Account) -> None:
    function, client = account.function(ECHO), account.client("lambda")
    url = client.create_function_url_config(FunctionName=function, AuthType="NONE")["FunctionUrl"]

    client.delete_function(FunctionName=function)

    assert ask(url)[0] == 404
