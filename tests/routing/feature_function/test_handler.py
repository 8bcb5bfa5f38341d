"""Is a request answered from rows, by the user's code and the model; and with a key, once?"""

import io
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mlplatform_cdk.routing.feature_function.runtime import answers, handler, hook
from mlplatform_cdk.routing.feature_function.runtime.reply import Refused, Reply
from mlplatform_cdk.runtimekit import aws

FOLDER = Path(__file__).parents[3] / "examples" / "features"
ROLE = "arn:aws:sts::123456789012:assumed-role/shop/"


class Endpoint:
    """Answers with the sum of what it is asked, or fails."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.fails = ""

    def invoke_endpoint(self, **given: Any) -> dict[str, Any]:
        self.asked.append(given)
        if self.fails:
            error = {"Error": {"Code": self.fails, "Message": "no"}, "OriginalStatusCode": 500}
            raise ClientError(error, "InvokeEndpoint")
        ((total,),) = [map(sum, json.loads(given["Body"])["inputs"]["features"])]
        body = json.dumps({"outputs": {"sum": total, "number": len(self.asked)}}).encode()
        return {"Body": io.BytesIO(body), "ContentType": "application/json", "InvokedProductionVariant": "blue"}


class World:
    """One region: its tables, its endpoint, its function."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dynamodb, self.endpoint = boto3.client("dynamodb"), Endpoint()
        for table, key in (("customers", "customer"), ("answered", "request")):
            self.dynamodb.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
        row = {"customer": {"S": "c-17"}, "tenure": {"N": "3"}, "orders": {"N": "4.5"}}
        self.dynamodb.put_item(TableName="customers", Item=row)
        clients = {"dynamodb": self.dynamodb, "sagemaker-runtime": self.endpoint}
        monkeypatch.setattr(aws, "client", lambda service, **_: clients[service])
        self.invocations = 0

    def ask(self, amount: float = 1, *, key: str | None = None, who: str = f"{ROLE}one", **more: Any) -> dict[str, Any]:
        self.invocations += 1
        event = {
            "headers": {"Accept": "application/json"} | ({"X-Idempotency-Key": key} if key is not None else {}),
            "body": json.dumps({"customer": "c-17", "amount": amount}),
            "requestContext": {"identity": {"userArn": who}},
        }
        context = SimpleNamespace(
            aws_request_id=f"invocation-{self.invocations}", get_remaining_time_in_millis=lambda: 28_000
        )
        return handler.handle(event | more, context)

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.dynamodb.scan(TableName="answered")["Items"]
        return found


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    settings = {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "ENDPOINT_NAME": "churn",
        "FEATURE_TABLE": "customers",
        "FEATURE_KEYS": "customer",
        "ANSWER_TABLE": "answered",
        "ANSWER_KEY": "request",
        "ANSWER_EXPIRY": "expires_at",
        "ANSWER_KEPT_S": "60",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(hook, "FOLDER", FOLDER)
    monkeypatch.setattr(handler, "_hook", None)
    with mock_aws():
        yield World(monkeypatch)
    sys.modules.pop("features", None)


def said(answer: dict[str, Any]) -> Any:
    return json.loads(answer["body"])


def test_the_model_is_asked_what_the_users_code_makes_of_the_rows(world: World) -> None:
    answer = world.ask(2)

    assert answer["statusCode"] == 200
    assert said(answer)["outputs"]["sum"] == 9.5
    assert world.endpoint.asked[0]["EndpointName"] == "churn"
    assert answer["headers"]["X-Amzn-Invoked-Production-Variant"] == "blue"


def test_the_same_key_gets_the_same_answer_and_asks_the_model_once(world: World) -> None:
    first, second = world.ask(key="order-1"), world.ask(key="order-1", who=f"{ROLE}another-session")

    assert first["body"] == second["body"]
    assert len(world.endpoint.asked) == 1
    assert second["headers"] == first["headers"] | {answers.REPLAYED: "true"}


def test_a_key_that_still_runs_is_refused_until_its_time_is_over(world: World) -> None:
    place = answers.place_of("arn:aws:sts::123456789012:assumed-role/shop||", "order-1")
    body = json.dumps({"customer": "c-17", "amount": 1}).encode()
    assert answers.claim(place, body, owner="another", until=time.time() + 60) is None

    while_it_runs = world.ask(key="order-1")
    world.dynamodb.update_item(
        TableName="answered",
        Key={"request": {"S": place}},
        UpdateExpression="SET #until = :past",
        ExpressionAttributeNames={"#until": "until"},
        ExpressionAttributeValues={":past": {"N": "1"}},
    )
    after = world.ask(key="order-1")

    assert (while_it_runs["statusCode"], while_it_runs["headers"]["Retry-After"]) == (409, "1")
    assert after["statusCode"] == 200
    assert len(world.endpoint.asked) == 1


def test_who_was_overtaken_does_not_overwrite_the_answer_that_counts(world: World) -> None:
    world.ask(key="order-1")
    (row,) = world.rows()

    with pytest.raises(Refused, match="took too long"):
        answers.keep(row["request"]["S"], Reply(200, b"late"), owner="another")

    assert world.rows() == [row]


def test_a_key_with_another_body_is_a_mistake_and_another_callers_key_is_his_own(world: World) -> None:
    world.ask(1, key="order-1")

    assert world.ask(2, key="order-1")["statusCode"] == 422
    assert world.ask(2, key="order-1", who="arn:aws:sts::123456789012:assumed-role/bank/one")["statusCode"] == 200


@pytest.mark.parametrize(
    ("code", "status"), [("ModelError", 424), ("ThrottlingException", 429), ("InternalFailure", 503)]
)
def test_a_failure_is_no_answer_so_that_the_key_may_be_tried_again(world: World, code: str, status: int) -> None:
    world.endpoint.fails = code
    failed = world.ask(key="order-1")
    world.endpoint.fails = ""

    assert failed["statusCode"] == status
    assert world.rows() == []
    assert world.ask(key="order-1")["statusCode"] == 200


def test_a_mistake_of_the_caller_is_told_and_keeps_no_key(world: World) -> None:
    unknown = world.ask(key="order-1", body=json.dumps({"customer": "c-18", "amount": 1}))

    assert (unknown["statusCode"], said(unknown)) == (400, {"error": "there is no customer 'c-18'"})
    assert world.ask(body="{")["statusCode"] == 400
    assert world.ask(key="ü")["statusCode"] == 400
    assert world.rows() == []


def test_a_fault_of_the_users_code_is_ours_and_keeps_no_key(world: World) -> None:
    assert world.ask(key="order-1", body="{}")["statusCode"] == 500
    assert world.rows() == []


def test_a_key_is_refused_where_no_answers_are_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANSWER_TABLE")

    assert world.ask(key="order-1")["statusCode"] == 400
    assert world.ask()["statusCode"] == 200


def test_an_answer_too_large_to_keep_is_given_and_not_kept(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_LARGEST", 10)

    assert world.ask(key="order-1")["statusCode"] == 200
    assert world.rows() == []


def test_code_that_wants_the_database_gets_this_regions_reader(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "def inputs(request, rows, context):\n    return {'features': [[len(context.database.password()) > 0]]}\n"
    (tmp_path / "features.py").write_text(text)
    monkeypatch.setattr(hook, "FOLDER", tmp_path)
    for name, value in {"HOST": "reader.local", "PORT": "5432", "NAME": "features", "USER": "reader"}.items():
        monkeypatch.setenv(f"DATABASE_{name}", value)
    rds = boto3.client("rds")
    monkeypatch.setattr(aws, "client", lambda service, **_: {"rds": rds, "sagemaker-runtime": world.endpoint}[service])

    assert said(world.ask())["outputs"]["sum"] == 1
