"""Is a request answered from rows, by the user's code and the model; and with a key, once?"""

import io
import json
import socket
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

from mlplatform_cdk.routing.feature_function.runtime import answers, handler, hook, tables
from mlplatform_cdk.routing.feature_function.runtime.reply import Refused, Reply
from mlplatform_cdk.runtimekit import aws

FOLDER = Path(__file__).parents[3] / "examples" / "features"
REAL_CLIENT = aws.client
ROLE = "arn:aws:sts::123456789012:assumed-role/shop/"


class Endpoint:
    """Answers with the sum of what it is asked, or fails."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.fails = ""

    def invoke_endpoint(self, **given: Any) -> dict[str, Any]:
        self.asked.append(given)
        if self.fails:
            code, _, message = self.fails.partition(": ")
            error = {"Error": {"Code": code, "Message": message}, "OriginalStatusCode": 500}
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
        self.made: dict[str, dict[str, Any]] = {}

        def client(service: str, **settings: Any) -> Any:
            self.made[service] = settings
            return clients[service]

        monkeypatch.setattr(aws, "client", client)
        self.invocations, self.seconds = 0, 28.0

    def ask(self, amount: float = 1, *, key: str | None = None, who: str = f"{ROLE}one", **more: Any) -> dict[str, Any]:
        self.invocations += 1
        event = {
            "headers": {"Accept": "application/json"} | ({"X-Idempotency-Key": key} if key is not None else {}),
            "body": json.dumps({"customer": "c-17", "amount": amount}),
            "requestContext": {"identity": {"userArn": who}},
        }
        context = SimpleNamespace(
            aws_request_id=f"invocation-{self.invocations}", get_remaining_time_in_millis=lambda: 1000 * self.seconds
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


def test_a_callers_key_of_the_api_is_the_same_caller_in_every_region_whatever_its_id_there(world: World) -> None:
    def ask(value: str, id_here: str) -> dict[str, Any]:
        identity = {"apiKey": value, "apiKeyId": id_here}
        return world.ask(key="order-1", requestContext={"identity": identity})

    first, elsewhere, another = ask("secret-a", "ab12cd34"), ask("secret-a", "zz98yy76"), ask("secret-b", "ab12cd34")

    assert (elsewhere["body"], elsewhere["headers"]["X-Idempotency-Replayed"]) == (first["body"], "true")
    assert "X-Idempotency-Replayed" not in another["headers"]
    assert len(world.endpoint.asked) == len(world.rows()) == 2
    assert "secret" not in str(world.rows())


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


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("ValidationError: 1 validation error detected: Value at 'customAttributes' is too long", 400),
        ("413: Request Entity Too Large", 413),
        ("ValidationError: Endpoint churn of account 123456789012 not found.", 503),
        ("AccessDeniedException: the function's own role may not", 503),
    ],
)
def test_what_sagemaker_refuses_is_the_callers_mistake_unless_the_region_has_no_endpoint(
    world: World, error: str, status: int
) -> None:
    world.endpoint.fails = error

    answer = world.ask(key="order-1")

    assert (answer["statusCode"], "Retry-After" in answer["headers"]) == (status, status == 503)
    assert status == 503 or error.partition(": ")[2] in said(answer)["error"]
    assert world.rows() == []


def test_a_header_that_sagemaker_could_not_take_is_the_callers_mistake(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    checking = boto3.client("sagemaker-runtime")
    monkeypatch.setattr(world.endpoint, "invoke_endpoint", checking.invoke_endpoint)

    answer = world.ask(headers={"X-Amzn-SageMaker-Inference-Id": ""})

    assert (answer["statusCode"], "Retry-After" in answer["headers"]) == (400, False)
    assert "InferenceId" in said(answer)["error"]


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


@pytest.mark.parametrize(("key", "of_what"), [(None, "features"), ("order-1", "answers")])
def test_a_table_that_does_not_answer_is_told_of_before_the_functions_time_is_over(
    world: World, monkeypatch: pytest.MonkeyPatch, key: str | None, of_what: str
) -> None:
    monkeypatch.setattr(tables, "_PATIENCE_S", 0.05)
    monkeypatch.setattr(tables, "_ATTEMPTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and says nothing
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr(aws, "client", lambda service, **more: REAL_CLIENT(service, endpoint_url=url, **more))
        answer = world.ask(key=key)

    assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "1")
    assert said(answer) == {"error": f"the table of {of_what} did not answer in time"}
    assert world.endpoint.asked == []


def test_two_attempts_of_a_table_are_over_within_the_time_that_is_kept_for_them() -> None:
    config = REAL_CLIENT(
        "dynamodb", region="eu-west-1", patience_s=tables._PATIENCE_S, attempts=tables._ATTEMPTS
    ).meta.config
    attempts, pause_s = config.retries["total_max_attempts"], 1

    assert attempts * (config.connect_timeout + config.read_timeout) + pause_s * (attempts - 1) == tables.LONGEST_S


def test_a_busy_table_is_told_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "PutItem")

    monkeypatch.setattr(world.dynamodb, "put_item", refuse)
    answer = world.ask(key="order-1")

    assert (answer["statusCode"], said(answer)) == (503, {"error": "the table of answers is too busy"})


@pytest.mark.parametrize(
    ("seconds", "key", "patience_s"),
    [(28, None, 25), (28, "order-1", 20), (12, "order-1", 5), (8, "order-1", None), (3, None, None)],
)
def test_the_model_gets_the_time_that_is_left_and_is_not_asked_where_none_is(
    world: World, seconds: float, key: str | None, patience_s: int | None
) -> None:
    world.seconds = seconds

    answer = world.ask(key=key)

    asked = world.made.get("sagemaker-runtime", {}).get("patience_s")
    assert (answer["statusCode"], asked) == (200 if patience_s else 503, patience_s)
    assert len(world.rows()) == (1 if key and patience_s else 0)  # a key that was not answered is free again
