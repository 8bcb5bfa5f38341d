"""What do methods with functions, keys and made-up answers behind or before them answer?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from mlplatform_cdk.local.deploy import deploy, destroy
from mlplatform_cdk.local.settings import Settings
from tests.local.adapters.api_gateway.doors import KEY, template
from tests.local.adapters.api_gateway.fronts import Client, Reply
from tests.local.control.handmade import assembly_of


class Doors:
    def __init__(self, aws: Settings, api: str) -> None:
        self._base = f"http://127.0.0.1:{aws.port}/restapis/{api}/live/_user_request_"
        self._pool = urllib3.PoolManager()

    def ask(self, path: str, verb: str = "GET", body: bytes | None = None, **headers: str) -> Reply:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._pool.request(verb, f"{self._base}{path}", body=body, headers=given, retries=False)
        return Reply(answer.status, answer.headers, answer.data)


@pytest.fixture(scope="module")
def doors(aws: Settings, client: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    folder: Path = tmp_path_factory.mktemp("doors")
    assembly = assembly_of(folder, "Doors", template())
    report = deploy(assembly, aws)
    yield Doors(aws, report.stacks[0].outputs["Api"])
    destroy(assembly, aws)
    assert client("apigateway").get_usage_plans()["items"] == client("apigateway").get_api_keys()["items"] == []


def test_a_function_decides_on_a_token_once_and_its_verdict_is_kept(doors: Doors) -> None:
    first, second = (doors.ask("/guarded", Authorization="someone") for _ in range(2))

    assert first.status == second.status == 200, first.body
    assert first.json == second.json  # the number of calls that the function had seen


@pytest.mark.parametrize(
    ("token", "status", "body"),
    [
        ("", 401, {"message": "Unauthorized"}),
        ("NOT-OF-THE-PATTERN", 401, {"message": "Unauthorized"}),
        ("nobody", 401, {"message": "Unauthorized"}),
        ("broken", 500, {"message": None}),
        ("denied", 403, {"Message": "User is not authorized to access this resource with an explicit deny"}),
    ],
)
def test_a_token_that_is_refused_is_refused_as_api_gateway_does(
    doors: Doors, token: str, status: int, body: Any
) -> None:
    reply = doors.ask("/guarded", **({"Authorization": token} if token else {}))

    assert (reply.status, reply.json) == (status, body)


def test_a_key_opens_and_its_plan_meters(doors: Doors) -> None:
    without, wrong = doors.ask("/metered"), doors.ask("/metered", x_api_key="another")
    metered = [doors.ask("/metered", x_api_key=KEY) for _ in range(3)]

    assert [one.json for one in (without, wrong)] == [{"message": "Forbidden"}] * 2
    assert [one.status for one in (without, wrong)] == [403, 403]
    assert [one.status for one in metered] == [200, 200, 429]
    assert metered[0].json["key"]
    assert metered[2].json == {"message": "Too Many Requests"}


def test_a_proxy_gets_the_whole_request_and_gives_the_whole_answer(doors: Doors) -> None:
    reply = doors.ask("/proxy/a/b%20c?x=1", "PUT", b"text", Content_Type="text/plain")

    assert (reply.status, reply.headers["X-Made"]) == (201, "here")
    assert reply.json == {
        "path": "/proxy/a/b c",
        "httpMethod": "PUT",
        "pathParameters": {"rest": "a/b c"},
        "queryStringParameters": {"x": "1"},
        "body": "text",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("body", [b"fail", b"shape"])
def test_a_function_that_fails_or_answers_in_another_shape_is_a_bad_gateway(doors: Doors, body: bytes) -> None:
    reply = doors.ask("/proxy/x", "POST", body)

    assert (reply.status, reply.json) == (502, {"message": "Internal server error"})


def test_a_made_up_answer_sees_the_request_and_its_status_chooses_the_response(doors: Doors) -> None:
    reply = doors.ask("/made?id=7", X_Who='a "friend"')
    none = doors.ask("/made?id=none")

    assert (reply.status, reply.json) == (200, {"id": "7", "who": 'a "friend"'})
    assert (none.status, none.json) == (404, {"none": 1})


def test_a_body_of_a_type_without_a_template_is_refused_where_nothing_may_pass(doors: Doors) -> None:
    assert doors.ask("/made", Content_Type="text/csv").status == 415


def test_every_answer_names_its_request(doors: Doors) -> None:
    ids = {doors.ask("/made").headers["x-amzn-RequestId"] for _ in range(2)}

    assert len(ids) == 2
    assert json.dumps(sorted(ids)) != "[]"
