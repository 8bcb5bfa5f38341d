"""A function of features behind the API of a front, and the tables that it reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from aws_cdk import aws_kms as kms

from mlplatform_cdk.foundation import PlatformStack
from mlplatform_cdk.local.settings import Settings
from mlplatform_cdk.routing import FeatureFunction, KeyedTable, RegionalData, RegionalTable
from mlplatform_cdk.serving import Endpoint

FOLDER = Path(__file__).parents[4] / "examples" / "features"
KEYS = {"customers": "customer", "answered": "request"}


def beside(aws: Settings) -> Callable[[PlatformStack, Endpoint, kms.IKey], FeatureFunction]:
    """What makes the function, in the stack of the API."""
    plan = RegionalData(name="churn", home=aws.region, account=aws.account, regions=[aws.region])

    def make(stack: PlatformStack, endpoint: Endpoint, key: kms.IKey) -> FeatureFunction:
        rows, answered = (
            KeyedTable(table=RegionalTable(stack, name, plan=plan, name=name), partition_key=attribute)
            for name, attribute in KEYS.items()
        )
        return FeatureFunction(
            stack, "Features", endpoint=endpoint, folder=FOLDER, key=key, rows=rows, answered=answered
        )

    return make


def fill(client: Callable[[str], Any]) -> None:
    """The tables, with one customer."""
    dynamodb = client("dynamodb")
    for name, attribute in KEYS.items():
        dynamodb.create_table(
            TableName=f"churn-{name}",
            KeySchema=[{"AttributeName": attribute, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    row = {"customer": {"S": "c-17"}, "tenure": {"N": "3"}, "orders": {"N": "4.5"}}
    dynamodb.put_item(TableName="churn-customers", Item=row)


def clear(client: Callable[[str], Any]) -> None:
    """No tables again."""
    for name in KEYS:
        client("dynamodb").delete_table(TableName=f"churn-{name}")
