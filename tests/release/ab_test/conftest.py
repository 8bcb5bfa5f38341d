"""A table of an A/B test, as the template makes it, in moto."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mlplatform_cdk.local.adapters.shortcuts import keep_what_a_transaction_touches
from mlplatform_cdk.runtimekit import aws

# Each of some thousand outcomes is a transaction, for which moto would copy all those before it.
keep_what_a_transaction_touches()

TABLE, RECORDS = "outcomes", "records"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """AWS with the two tables of a test."""
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "RELEASE_RECORDS_TABLE": RECORDS,
    }.items():
        monkeypatch.setenv(name, value)
    clients = aws.client
    clients.cache_clear()
    with mock_aws():
        for table, keys in {TABLE: ("pk", "sk"), RECORDS: ("endpoint", "at")}.items():
            boto3.client("dynamodb").create_table(
                TableName=table,
                KeySchema=[
                    {"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=True)
                ],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
                BillingMode="PAY_PER_REQUEST",
            )
        yield boto3
    clients.cache_clear()
