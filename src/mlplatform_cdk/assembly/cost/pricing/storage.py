"""Storage and keys."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.lines import Charge, Free

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.cost.resources import Resource

_MILLION = Decimal(1_000_000)
_TEN_THOUSAND = Decimal(10_000)


def _bucket(bucket: Resource) -> Iterator[Charge]:
    yield Charge(
        what="objects in S3 Standard",
        item="s3.standard-gb-month",
        quantity=bucket.use("bucket_gb"),
        per="GB and month in a bucket",
    )
    for name, item in (("writes", "s3.write"), ("reads", "s3.read")):
        yield Charge(
            what=f"{name} of objects",
            item=item,
            quantity=bucket.use(f"bucket_{name}"),
            per=f"million {name} of objects",
            units_per=_MILLION,
        )


def _repository(repository: Resource) -> Iterator[Charge]:
    yield Charge(
        what="container images",
        item="ecr.gb-month",
        quantity=repository.use("repository_gb"),
        per="GB and month of images",
    )


def _file_system(system: Resource) -> Iterator[Charge]:
    yield Charge(
        what="files in EFS Standard",
        item="efs.standard-gb-month",
        quantity=system.use("file_system_gb"),
        per="GB and month of files",
    )


def _table(table: Resource) -> Iterator[Charge]:
    yield Charge(
        what="items of the table",
        item="dynamodb.gb-month",
        quantity=table.use("table_gb"),
        per="GB and month in a table",
    )
    on_demand = table.get("BillingMode", default="PROVISIONED") == "PAY_PER_REQUEST"
    for name, title in (("read", "Read"), ("write", "Write")):
        if on_demand:
            yield Charge(
                what=f"{name} request units",
                item=f"dynamodb.{name}",
                quantity=table.use(f"table_{name}s"),
                per=f"million {name} request units",
                units_per=_MILLION,
            )
            continue
        units = table.number("ProvisionedThroughput", f"{title}CapacityUnits")
        yield Charge(
            what=f"{name} capacity of the table",
            item=f"dynamodb.{name}-capacity-hour",
            quantity=None if units is None else units * table.usage.hours,
        )


def _key(key: Resource) -> Iterator[Charge]:
    # The first and the second rotation of a key add as much again each; a template cannot know its keys' age.
    yield Charge(what="KMS key", item="kms.key-month", quantity=Decimal(1))
    yield Charge(
        what="requests to the key",
        item="kms.request",
        quantity=key.use("key_requests"),
        per="10,000 requests to KMS",
        units_per=_TEN_THOUSAND,
    )


def _secret(_: Resource) -> Iterator[Charge]:
    yield Charge(what="secret", item="secretsmanager.secret-month", quantity=Decimal(1))


def _parameter(parameter: Resource) -> Iterator[Charge | Free]:
    if parameter.get("Tier", default="Standard") == "Standard":
        yield Free("standard parameters cost nothing")
    else:
        yield Charge(what="advanced parameter", item="ssm.advanced-parameter-month", quantity=Decimal(1))


PRICED = {
    "AWS::S3::Bucket": _bucket,
    "AWS::ECR::Repository": _repository,
    "AWS::EFS::FileSystem": _file_system,
    "AWS::DynamoDB::Table": _table,
    "AWS::KMS::Key": _key,
    "AWS::KMS::ReplicaKey": _key,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::SSM::Parameter": _parameter,
}
