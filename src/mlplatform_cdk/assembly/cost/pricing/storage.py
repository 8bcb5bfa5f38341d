"""Storage and keys."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.cost.catalogue import OPEN, key_of
from mlplatform_cdk.assembly.cost.lines import Charge, Free, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.cost.resources import Resource

_MILLION = Decimal(1_000_000)
_TEN_THOUSAND = Decimal(10_000)
_STANDARD = "STANDARD"


def _bucket(bucket: Resource) -> Iterator[Charge | Unseen]:
    if bucket.mappings("ReplicationConfiguration", "Rules"):
        yield Unseen("the copies that a bucket's replication sends: transfer, requests, replication-time control")
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


def _volume(volume: Resource) -> Iterator[Charge | Unseen]:
    kind = volume.get("VolumeType", default="gp2")
    size = volume.number("Size")
    yield Charge(
        what=f"volume of {size or 'open'} GB, {kind or 'of an open type'}",
        item=key_of("ebs.gb-month", str(kind or OPEN)),
        quantity=size,
    )
    if volume.get("Iops") is not None or volume.get("Throughput") is not None:
        yield Unseen("the operations and throughput that a volume pays for beyond its size")


def _file_system(system: Resource) -> Iterator[Charge | Unseen]:
    yield Charge(
        what="files in EFS Standard",
        item="efs.standard-gb-month",
        quantity=system.use("file_system_gb"),
        per="GB and month of files",
    )
    if system.get("ThroughputMode", default="bursting") != "bursting":
        yield Unseen("the throughput that a file system pays for beyond its size")


def _table(table: Resource) -> Iterator[Charge | Unseen]:
    yield from _of_class(table, table.get("TableClass", default=_STANDARD))
    yield from _backups(table, table.get("PointInTimeRecoverySpecification", default={}))


def _of_class(table: Resource, table_class: Any) -> Iterator[Charge | Unseen]:
    """Its items, reads and writes; the prices that are known are those of the standard class."""
    if table_class != _STANDARD:
        yield Unseen(f"the price of a table of the class {table_class or 'that deployment decides'}")
        return
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
    if not on_demand and table.get("GlobalSecondaryIndexes") is not None:
        yield Unseen("the capacity of a table's indexes")


def _backups(table: Resource, recovery: Any, region: str = "") -> Iterator[Charge]:
    """Continuous backups cost as much as the table is large, however many days they reach back.

    :param region: of a copy elsewhere; default: the table's own.
    """
    enabled = recovery.get("PointInTimeRecoveryEnabled", False) if isinstance(recovery, dict) else None
    if str(enabled).lower() != "false":
        yield Charge(
            what=f"continuous backups of the {f'copy in {region}' if region else 'table'}",
            item="dynamodb.backup-gb-month",
            quantity=None if enabled is None else table.use("table_gb"),
            per="GB and month of a table with continuous backups",
            region=region,
        )


def _global_table(table: Resource) -> Iterator[Charge | Unseen]:
    """A table that may have replicas; CDK's newer table is one, mostly without any."""
    on_demand = table.get("BillingMode", default="PROVISIONED") == "PAY_PER_REQUEST"
    replicas = table.mappings("Replicas")
    home = next((replica for replica in replicas if replica.get("Region") == table.region), *replicas[:1] or [{}])
    yield from _backups(table, home.get("PointInTimeRecoverySpecification", {}))
    copies = [replica for replica in replicas if replica is not home]
    placed = all(isinstance(replica.get("Region"), str) for replica in copies)
    for replica in copies if placed and on_demand else ():
        yield from _copy(table, replica)
    if copies and not (placed and on_demand):
        yield Unseen("the replicas of a global table, and the writes that go to them")
    if table.mappings("GlobalTableWitnesses"):
        yield Unseen("the witness of a global table")
    if not on_demand:
        yield Unseen("the capacity of a global table, which scales by its own rules")
        return
    yield from _of_class(table, home.get("TableClass", _STANDARD))


def _copy(table: Resource, replica: dict[str, Any]) -> Iterator[Charge | Unseen]:
    """What a copy in another region adds: its items, every write once more, and its backups; not the reads there."""
    region = replica["Region"]
    yield from _backups(table, replica.get("PointInTimeRecoverySpecification", {}), region)
    if replica.get("TableClass", _STANDARD) != _STANDARD:
        yield Unseen(f"the price of a copy in {region} of a class that is not standard")
        return
    yield Charge(
        what=f"items of the copy in {region}",
        item="dynamodb.gb-month",
        quantity=table.use("table_gb"),
        per="GB and month in a table",
        region=region,
    )
    yield Charge(
        what=f"writes to the copy in {region}",
        item="dynamodb.replicated-write",
        quantity=table.use("table_writes"),
        per="million replicated write request units",
        units_per=_MILLION,
        region=region,
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


def _secret(secret: Resource) -> Iterator[Charge]:
    replicas = secret.get("ReplicaRegions", default=[])
    count = Decimal(1 + len(replicas)) if isinstance(replicas, list) else None
    yield Charge(what="secret in each region", item="secretsmanager.secret-month", quantity=count)


def _parameter(parameter: Resource) -> Iterator[Charge | Free]:
    if parameter.get("Tier", default="Standard") == "Standard":
        yield Free("standard parameters cost nothing")
    else:
        yield Charge(what="advanced parameter", item="ssm.advanced-parameter-hour", quantity=parameter.usage.hours)


def _vault(vault: Resource) -> Iterator[Charge | Unseen]:
    """Its backups' storage, warm, by what they are of: https://aws.amazon.com/backup/pricing/."""
    for of in ("table", "bucket", "file-system"):
        kind = of.replace("-", " ")
        yield Charge(
            what=f"backups of {kind}s in a vault",
            item=f"backup.{of}-gb-month",
            quantity=vault.use(f"{of.replace('-', '_')}_backup_gb"),
            per=f"GB and month of backups of {kind}s",
        )
    yield Unseen("cold storage, restores and what copies to other regions send, of a vault of AWS Backup")


PRICED = {
    "AWS::Backup::BackupVault": _vault,
    "AWS::S3::Bucket": _bucket,
    "AWS::ECR::Repository": _repository,
    "AWS::EC2::Volume": _volume,
    "AWS::EFS::FileSystem": _file_system,
    "AWS::DynamoDB::GlobalTable": _global_table,
    "AWS::DynamoDB::Table": _table,
    "AWS::KMS::Key": _key,
    "AWS::KMS::ReplicaKey": _key,
    "AWS::SecretsManager::Secret": _secret,
    "AWS::SSM::Parameter": _parameter,
}
