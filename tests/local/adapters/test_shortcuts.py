"""Does a failed transaction of the embedded DynamoDB change nothing, and a backup stay what it was?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from mlplatform_cdk.local.adapters import shortcuts

IMPOSSIBLE = {
    "ConditionCheck": {
        "TableName": "plain",
        "Key": {"pk": {"S": "nobody"}},
        "ConditionExpression": "attribute_exists(pk)",
    }
}
SORTED = {"pk": {"S": "one"}, "sk": {"S": "1"}}
PLAIN = {"pk": {"S": "one"}}


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    shortcuts.keep_what_a_transaction_touches()
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="eu-west-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        for table, keys in {"sorted": ("pk", "sk"), "plain": ("pk",)}.items():
            client.create_table(
                TableName=table,
                KeySchema=[
                    {"AttributeName": name, "KeyType": kind}
                    for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
                BillingMode="PAY_PER_REQUEST",
            )
        client.put_item(TableName="sorted", Item={**SORTED, "n": {"N": "1"}})
        client.put_item(TableName="plain", Item={**PLAIN, "n": {"N": "1"}})
        yield client


def add_one(table: str, key: dict[str, Any]) -> dict[str, Any]:
    values = {":one": {"N": "1"}}
    return {
        "Update": {
            "TableName": table,
            "Key": key,
            "UpdateExpression": "SET n = n + :one",
            "ExpressionAttributeValues": values,
        }
    }


def rows(dynamodb: Any) -> dict[str, list[dict[str, Any]]]:
    return {table: dynamodb.scan(TableName=table)["Items"] for table in ("sorted", "plain")}


@pytest.mark.parametrize(
    "change",
    [
        add_one("sorted", SORTED),
        add_one("plain", PLAIN),
        {"Put": {"TableName": "sorted", "Item": {**SORTED, "n": {"N": "9"}}}},
        {"Put": {"TableName": "sorted", "Item": {"pk": {"S": "two"}, "sk": {"S": "1"}}}},
        {"Put": {"TableName": "plain", "Item": {"pk": {"S": "two"}}}},
        {"Delete": {"TableName": "sorted", "Key": SORTED}},
        {"Delete": {"TableName": "plain", "Key": PLAIN}},
    ],
    ids=str,
)
def test_a_transaction_that_fails_leaves_all_as_it_was(dynamodb: Any, change: dict[str, Any]) -> None:
    before = rows(dynamodb)

    with pytest.raises(ClientError, match="TransactionCanceledException"):
        dynamodb.transact_write_items(TransactItems=[change, IMPOSSIBLE])

    assert rows(dynamodb) == before


def test_a_transaction_that_succeeds_changes_all(dynamodb: Any) -> None:
    dynamodb.transact_write_items(TransactItems=[add_one("sorted", SORTED), add_one("plain", PLAIN)])

    assert {table: [row["n"] for row in found] for table, found in rows(dynamodb).items()} == {
        "sorted": [{"N": "2"}],
        "plain": [{"N": "2"}],
    }


def test_a_backup_does_not_see_what_changes_after_it(dynamodb: Any) -> None:
    backup = dynamodb.create_backup(TableName="sorted", BackupName="before")["BackupDetails"]["BackupArn"]
    dynamodb.update_item(
        TableName="sorted", **{k: v for k, v in add_one("", SORTED)["Update"].items() if k != "TableName"}
    )

    dynamodb.restore_table_from_backup(TargetTableName="restored", BackupArn=backup)

    assert dynamodb.scan(TableName="restored")["Items"] == [{**SORTED, "n": {"N": "1"}}]


def test_a_request_is_led_where_moto_would_lead_it() -> None:
    shortcuts.install()
    led = DomainDispatcherApplication(lambda service: service)
    hosts = [
        "api.sagemaker.eu-west-1.amazonaws.com",
        "runtime.sagemaker.eu-west-1.amazonaws.com",
        "dynamodb",
        "moto_api",
    ]

    assert [led.get_backend_for_host(host) for host in hosts * 2] == [
        "sagemaker",
        "sagemakerruntime",
        "dynamodb",
        "moto_api",
    ] * 2
    assert led.get_backend_for_host("nowhere.example.com") is None
