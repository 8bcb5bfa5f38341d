"""Has every region its copy of a table, and can each use its own alone?"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from mlplatform_cdk.core import ConfigurationError, PlatformRole
from mlplatform_cdk.routing import Consistency, RegionalTable, StateTable
from tests.routing.replication.regions import ACCOUNT, HOME, PLAN, THERE, TWO_ACCOUNTS, Region

TABLE = "AWS::DynamoDB::GlobalTable"
SET = replace(PLAN, regions=[HOME, "eu-west-2", "eu-central-1"])
PAIR = replace(PLAN, regions=[HOME, "eu-west-2"])


def define(built: Region, **more: Any) -> StateTable:
    given: dict[str, Any] = {"plan": PLAN, "name": "answered", "partition_key": "request"}
    return StateTable(built.stack, "State", **(given | more))


def table(**given: Any) -> dict[str, Any]:
    built = Region(HOME)
    define(built, **given)
    (found,) = built.of_type(TABLE)
    return found


def test_one_stack_defines_a_copy_in_every_region_with_that_regions_key() -> None:
    found = table(sort_key="at", expiry="expires_at")

    assert found["TableName"] == "churn-prod-answered"
    assert found["KeySchema"] == [
        {"AttributeName": "request", "KeyType": "HASH"},
        {"AttributeName": "at", "KeyType": "RANGE"},
    ]
    assert (found["BillingMode"], found["SSESpecification"]) == (
        "PAY_PER_REQUEST",
        {"SSEEnabled": True, "SSEType": "KMS"},
    )
    assert found["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert found["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert [one["Region"] for one in found["Replicas"]] == [HOME, THERE]
    for one in found["Replicas"]:
        assert one["DeletionProtectionEnabled"] is True
        assert one["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
        alias = f"arn:aws:kms:{one['Region']}:{ACCOUNT}:alias/churn-prod"
        assert one["SSESpecification"] == {"KMSMasterKeyId": alias}


def test_a_region_that_joins_changes_the_table_in_place() -> None:
    before, after = table(), table(plan=replace(PLAN, regions=[*PLAN.regions, "ap-southeast-2"]))

    changed = {name for name in after if before[name] != after[name]}
    replaced_for = PROVIDER_SCHEMA_MANAGER.get_resource_schema(HOME, TABLE).schema["createOnlyProperties"]
    assert changed == {"Replicas"}
    assert replaced_for == ["/properties/TableName"]
    assert next(one for one in after["Replicas"] if one not in before["Replicas"])["Region"] == "ap-southeast-2"
    assert [one for one in before["Replicas"] if one not in after["Replicas"]] == []


def test_a_region_that_leaves_gives_up_its_protection_first() -> None:
    leaving = table(leaving=[THERE])

    protected = {one["Region"]: one["DeletionProtectionEnabled"] for one in leaving["Replicas"]}
    assert protected == {HOME: True, THERE: False}


def test_rows_are_kept_unless_the_environment_is_to_go() -> None:
    kept, gone = Region(HOME), Region(HOME)
    define(kept)
    define(gone, removal_policy=RemovalPolicy.DESTROY)

    for built, policy, protected in ((kept, "Retain", True), (gone, "Delete", False)):
        (resource,) = [one for one in built.template["Resources"].values() if one["Type"] == TABLE]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == (policy, policy)
        assert {one["DeletionProtectionEnabled"] for one in resource["Properties"]["Replicas"]} == {protected}


def test_three_regions_of_a_set_can_agree_on_every_write() -> None:
    found = table(plan=SET, consistency=Consistency.strong())

    assert found["MultiRegionConsistency"] == "STRONG"
    assert not {"GlobalTableWitnesses", "StreamSpecification", "TimeToLiveSpecification"} & {*found}


def test_two_regions_can_agree_with_a_witness() -> None:
    found = table(plan=PAIR, consistency=Consistency.strong(witness="eu-central-1"))

    assert found["GlobalTableWitnesses"] == [{"Region": "eu-central-1"}]
    assert [one["Region"] for one in found["Replicas"]] == [HOME, "eu-west-2"]


def test_each_regions_functions_may_use_their_own_copy_alone() -> None:
    built = Region(THERE)
    reader, writer = (
        PlatformRole(
            built.stack, name, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), description="Uses the table"
        )
        for name in ("Reader", "Writer")
    )
    copy = RegionalTable(built.stack, "State", plan=PLAN, name="answered")
    copy.grant_read(reader)
    copy.grant_write(writer)
    (read, decrypt), (write, encrypt) = built.statements("Reader"), built.statements("Writer")

    assert built.of_type(TABLE) == []
    assert read["Action"] == ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"]
    assert "dynamodb:PutItem" in write["Action"]
    for one in (read, write):
        assert f":dynamodb:{THERE}:{ACCOUNT}:table/churn-prod-answered" in json.dumps(one["Resource"])
    for one in (decrypt, encrypt):
        assert one["Condition"]["ForAnyValue:StringEquals"] == {"kms:ResourceAliases": "alias/churn-prod"}
        assert one["Condition"]["StringLike"] == {"kms:ViaService": f"dynamodb.{THERE}.*"}
    assert "kms:Encrypt" not in decrypt["Action"]


def test_a_key_that_is_given_is_the_one_that_may_be_used() -> None:
    arn = f"arn:aws:kms:{THERE}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    plan, built = replace(PLAN, key_arns={THERE: arn}), Region(THERE)
    role = PlatformRole(
        built.stack, "Reader", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), description="Reads"
    )
    RegionalTable(built.stack, "State", plan=plan, name="answered").grant_read(role)

    assert built.statements("Reader")[1]["Resource"] == arn
    assert table(plan=plan)["Replicas"][1]["SSESpecification"] == {"KMSMasterKeyId": arn}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"plan": PLAN, "consistency": Consistency.strong()}, "must lie in 3 regions, a witness included, got 2"),
        (
            {"plan": replace(PLAN, regions=[HOME, "eu-west-2", THERE]), "consistency": Consistency.strong()},
            "must lie in one set of regions",
        ),
        (
            {"plan": PAIR, "consistency": Consistency.strong(witness="eu-west-2")},
            "a witness must be no region of the table, got 'eu-west-2'",
        ),
        ({"plan": SET, "consistency": Consistency.strong(), "expiry": "ttl"}, "must have no expiry"),
        ({"plan": TWO_ACCOUNTS}, "a table's copies must lie in the home's account, got us-east-1 of another"),
        ({"leaving": [HOME]}, "leaving must name regions of the plan beside its home, got eu-west-1"),
        ({"name": "a" * 250}, "a table's name must have at most 255 characters"),
    ],
)
def test_a_table_that_dynamodb_would_refuse_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        define(Region(HOME), **given)


def test_a_table_is_defined_at_home_alone() -> None:
    with pytest.raises(ConfigurationError, match="its stack must have the plan's home eu-west-1, got us-east-1"):
        define(Region(THERE))


def test_a_witness_is_of_a_strongly_consistent_table() -> None:
    with pytest.raises(ValueError, match="a witness must be of a strongly consistent table"):
        Consistency(witness="eu-west-2")


@pytest.mark.parametrize(
    "given",
    [{"expiry": "expires_at"}, {"plan": PAIR, "consistency": Consistency.strong(witness="eu-central-1")}],
    ids=["eventual", "strong"],
)
def test_cdk_nag_and_cfn_lint_find_nothing_in_a_table(tmp_path: Path, given: dict[str, Any]) -> None:
    built = Region(HOME, outdir=tmp_path)
    define(built, **given)

    assert built.findings() == []
