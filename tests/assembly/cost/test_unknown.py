"""Nothing that may cost money is passed over: it has a price, a reason to be free, or its name among the unknown."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.cost import Amount, Estimate, PriceBook, Usage, book, estimate, packaged
from mlplatform_cdk.assembly.cost.catalogue import ITEMS
from mlplatform_cdk.assembly.cost.money import total
from tests.assembly.cost.conftest import Priced, prices, resource, write_assembly


def test_a_type_that_the_tool_does_not_know_is_named_and_makes_the_sum_incomplete(priced: Priced) -> None:
    found = priced(
        {"Database": resource("AWS::RDS::DBInstance"), "Key": resource("AWS::KMS::Key")}, {"kms.key-month": "1"}
    )

    name = "type: AWS::RDS::DBInstance (App/Foundation/Database)"
    assert found.totals().committed == Amount(known=Decimal(1), unknown=frozenset({name}))
    assert name in found.unknown


def test_an_unknown_price_is_named_with_its_region(priced: Priced) -> None:
    found = priced({"Nat": resource("AWS::EC2::NatGateway")}, {})

    assert found.totals().committed == Amount(unknown=frozenset({"price: ec2.nat-gateway-hour in eu-west-1"}))


@pytest.mark.parametrize(
    ("one", "name"),
    [
        pytest.param(
            resource("AWS::EC2::VPCEndpoint", VpcEndpointType="Interface", SubnetIds={"Ref": "SubnetsOfAnother"}),
            "how much: interface endpoint of a service in the subnets of a parameter (App/Foundation/One)",
            id="zones that deployment decides",
        ),
        pytest.param(
            resource("AWS::StepFunctions::StateMachine", DefinitionS3Location={"Bucket": "b", "Key": "k"}),
            "a state machine whose definition is not in the template (App/Foundation/One)",
            id="a definition elsewhere",
        ),
        pytest.param(
            resource("AWS::EFS::FileSystem", ThroughputMode="provisioned", ProvisionedThroughputInMibps=100),
            "the throughput that a file system pays for beyond its size (App/Foundation/One)",
            id="a file system's throughput",
        ),
        pytest.param(
            resource(
                "AWS::DynamoDB::Table",
                ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
                GlobalSecondaryIndexes=[{"IndexName": "i"}],
            ),
            "the capacity of a table's indexes (App/Foundation/One)",
            id="a table's indexes",
        ),
        pytest.param(
            resource("AWS::Lambda::Function", EphemeralStorage={"Size": 10240}),
            "the disk of a function beyond 512 MB (App/Foundation/One)",
            id="a function's disk",
        ),
        pytest.param(
            resource(
                "AWS::WAFv2::WebACL",
                Rules=[
                    {
                        "Statement": {
                            "ManagedRuleGroupStatement": {
                                "VendorName": "AWS",
                                "Name": "AWSManagedRulesBotControlRuleSet",
                            }
                        }
                    }
                ],
            ),
            "the subscription and requests of the rule group AWSManagedRulesBotControlRuleSet (App/Foundation/One)",
            id="rules by subscription",
        ),
        pytest.param(
            resource("AWS::SageMaker::Endpoint", EndpointConfigName="theirs"),
            "an endpoint whose configuration is not in its template (App/Foundation/One)",
            id="a configuration elsewhere",
        ),
        pytest.param(
            resource("AWS::CloudFormation::Stack", TemplateURL="https://example.com/inner.json"),
            "a nested stack whose template is not in the assembly (App/Foundation/One)",
            id="a nested stack elsewhere",
        ),
        pytest.param(
            resource("AWS::SNS::Subscription", Protocol="sms"),
            "deliveries of a topic by sms (App/Foundation/One)",
            id="deliveries without a price",
        ),
    ],
)
def test_what_a_template_leaves_open_is_named(priced: Priced, one: dict[str, Any], name: str) -> None:
    found = priced({"One": one}, dict.fromkeys(ITEMS, "1"))

    assert name in found.unknown
    assert not found.totals().committed.complete


@pytest.mark.parametrize(
    ("open_setting", "size"), [("ProvisionedConcurrency", "an open number"), ("MemorySizeInMB", "2")]
)
def test_what_a_serverless_variant_keeps_warm_is_named_where_deployment_decides(
    priced: Priced, open_setting: str, size: str
) -> None:
    settings = {"MemorySizeInMB": 2048, "ProvisionedConcurrency": 2, open_setting: {"Ref": "DecidedLater"}}
    variant = {"VariantName": "a", "ServerlessConfig": settings}
    resources = {
        "Config": resource("AWS::SageMaker::EndpointConfig", ProductionVariants=[variant]),
        "Endpoint": resource("AWS::SageMaker::Endpoint", EndpointConfigName={"Ref": "Config"}),
    }

    found = priced(resources, dict.fromkeys(ITEMS, "1"))

    what = f"provisioned concurrency of the serverless variant a of Endpoint: {size}"
    name = f"how much: {what} (App/Foundation/Endpoint)"
    assert found.totals().committed == Amount(unknown=frozenset({name}))


def test_a_nested_stack_is_found_by_its_asset_where_no_metadata_name_its_file(tmp_path: Path) -> None:
    asset = "0" * 64
    url = {"Fn::Join": ["", ["https://s3.", {"Ref": "AWS::URLSuffix"}, f"/assets/{asset}.json"]]}
    outer = {"Resources": {"Inner": resource("AWS::CloudFormation::Stack", TemplateURL=url)}}
    folder = write_assembly(tmp_path, {"App": outer})
    (folder / "inner.json").write_text(json.dumps({"Resources": {"Key": resource("AWS::KMS::Key")}}))
    files = {asset: {"source": {"path": "inner.json"}, "destinations": {}}}
    (folder / "App.assets.json").write_text(json.dumps({"files": files}))
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["artifacts"]["App"]["dependencies"] = ["App.assets"]
    manifest["artifacts"]["App.assets"] = {"type": "cdk:asset-manifest", "properties": {"file": "App.assets.json"}}
    (folder / "manifest.json").write_text(json.dumps(manifest))

    found = estimate(read(folder), prices({"kms.key-month": "1", "kms.request": "1"}), Usage())

    assert found.totals().committed == Amount(known=Decimal(1))
    assert set(found.by("stack")) == {"App/Inner"}


def test_every_resource_of_the_dev_platform_has_a_price_a_reason_or_a_name(dev_assembly: Path) -> None:
    found = estimate(read(dev_assembly), packaged(), Usage())

    assert found.gaps == ()
    placed = {line.place.path for line in found.lines}
    assert len(placed) + sum(count for _, count in found.free.values()) > 100
    assert all(path.startswith("MlPlatform-Dev/") for path in placed)
    assert set(found.by("room")) == {"foundation", "data", "registry", "release", "serving", "training", "workspace"}


def test_the_dev_platform_commits_to_its_endpoints_key_volume_instance_and_alarm(dev_assembly: Path) -> None:
    found = estimate(read(dev_assembly), packaged(), Usage())

    interfaces, key, volume, instance = 6 * 2 * 730 * Decimal("0.01"), 1, 5 * Decimal("0.112"), 730 * Decimal("0.115")
    alarm = Decimal("0.1")
    assert found.totals().committed == Amount(known=interfaces + key + volume + instance + alarm)


KINDS = {
    "key": (resource("AWS::KMS::Key"), ("kms.key-month", "kms.request")),
    "nat": (resource("AWS::EC2::NatGateway"), ("ec2.nat-gateway-hour", "ec2.nat-gateway-gb")),
    "bucket": (resource("AWS::S3::Bucket"), ("s3.standard-gb-month", "s3.read", "s3.write")),
    "secret": (resource("AWS::SecretsManager::Secret"), ("secretsmanager.secret-month",)),
    "queue": (resource("AWS::SQS::Queue"), ("sqs.request",)),
    "role": (resource("AWS::IAM::Role"), ()),
    "database": (resource("AWS::RDS::DBInstance"), ()),
}
ITEMS_USED = sorted({item for _, items in KINDS.values() for item in items})
stacks = st.dictionaries(
    st.sampled_from(["App/Data", "App/Serving", "Other"]),
    st.lists(st.sampled_from(sorted(KINDS)), max_size=6),
    min_size=1,
)
books = st.dictionaries(st.sampled_from(ITEMS_USED), st.decimals("0.0000001", "1000", places=7).map(str))


def estimated(folder: Path, named: dict[str, list[str]], known: PriceBook) -> Estimate:
    templates = {
        stack: {"Resources": {f"{kind.title()}{number}": KINDS[kind][0] for number, kind in enumerate(kinds)}}
        for stack, kinds in named.items()
    }
    return estimate(read(write_assembly(folder, templates)), known, Usage())


@settings(deadline=None)
@given(named=stacks, amounts=books)
def test_a_total_is_the_sum_of_its_parts(
    tmp_path_factory: pytest.TempPathFactory, named: dict[str, list[str]], amounts: dict[str, str]
) -> None:
    found = estimated(tmp_path_factory.mktemp("sum"), named, prices(amounts))

    whole = found.totals()
    for name in ("stack", "room", "path"):
        parts = found.by(name).values()
        assert total(part.committed for part in parts) == whole.committed
        assert total(part.used for part in parts) == whole.used
    amounts_of_lines = total(line.on_demand for line in found.lines) + total(gap.amount for gap in found.gaps)
    assert amounts_of_lines == whole.committed + whole.used


@settings(deadline=None)
@given(named=stacks, amounts=books)
def test_an_unknown_price_never_becomes_zero(
    tmp_path_factory: pytest.TempPathFactory, named: dict[str, list[str]], amounts: dict[str, str]
) -> None:
    found = estimated(tmp_path_factory.mktemp("unknown"), named, prices(amounts))

    charged = {item for kinds in named.values() for kind in kinds for item in KINDS[kind][1]}
    for item in charged - amounts.keys():
        assert f"price: {item} in eu-west-1" in found.unknown
    whole = found.totals().committed + found.totals().used
    has_database = any("database" in kinds for kinds in named.values())
    assert whole.complete == (charged <= amounts.keys() and not has_database)
    assert all(line.on_demand.known > 0 for line in found.lines if line.price is not None)


@settings(deadline=None)
@given(named=stacks, amounts=books)
def test_forgetting_the_prices_forgets_the_dollars_and_keeps_the_names(
    tmp_path_factory: pytest.TempPathFactory, named: dict[str, list[str]], amounts: dict[str, str]
) -> None:
    folder = tmp_path_factory.mktemp("forget")
    known, forgotten = estimated(folder, named, prices(amounts)), estimated(folder, named, book(()))

    assert forgotten.totals().committed.known == forgotten.totals().used.known == 0
    assert set(known.unknown) <= set(forgotten.unknown)
    assert {name for name in forgotten.unknown if name.startswith("price: ")} == {
        f"price: {item} in eu-west-1" for item, _ in known.needed
    }


def test_a_shadow_variant_stands_and_costs_like_any_other(priced: Priced) -> None:
    variant = {"VariantName": "a", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    found = priced(
        {
            "Config": resource(
                "AWS::SageMaker::EndpointConfig", ProductionVariants=[variant], ShadowProductionVariants=[variant]
            ),
            "Endpoint": resource("AWS::SageMaker::Endpoint", EndpointConfigName={"Ref": "Config"}),
        },
        {"sagemaker.hosting-hour/ml.m5.large": "1"},
    )

    assert found.totals().committed == Amount(known=Decimal(2 * 730))


def test_a_secret_costs_once_in_each_region(priced: Priced) -> None:
    found = priced(
        {"Secret": resource("AWS::SecretsManager::Secret", ReplicaRegions=[{"Region": "us-east-1"}])},
        {"secretsmanager.secret-month": "0.4"},
    )

    assert found.totals().committed == Amount(known=Decimal("0.8"))
