"""One writer, and a reader in every region: what stands where?"""

import json
from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import App, Environment

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import PlatformStack
from mlplatform_cdk.routing import FeatureDatabase, RegionalData, Serverless, SqlFeatures
from tests import linting
from tests.routing.feature_database.building import GLOBAL, HOME, OTHER, PLAN, REPLICAS, Databases


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    return Databases(tmp_path_factory.mktemp("databases"))


def test_cdk_nag_and_cfn_lint_find_nothing_in_either_kind_in_either_region(made: Databases) -> None:
    assert f"{OTHER}/Unchecked" in made.findings  # the packs have looked
    for region, template in made.templates.items():
        assert f"{region}/Global" not in made.findings
        assert f"{region}/Replicas" not in made.findings
        assert linting.findings(template, region) == []


def test_the_home_writes_and_the_other_region_joins_it_by_a_name_alone(made: Databases) -> None:
    (whole,) = made.of(HOME, "GlobalCluster")
    ((writer,), (reader,)) = (made.of(region, "DBCluster") for region in (HOME, OTHER))

    assert made.of(OTHER, "GlobalCluster") == []
    assert {one["GlobalClusterIdentifier"] for one in (whole, writer, reader)} == {"churn-prod-features"}
    assert (writer["DBClusterIdentifier"], reader["DBClusterIdentifier"]) == (
        "churn-prod-features-eu-west-1",
        "churn-prod-features-us-east-1",
    )
    assert "MasterUsername" in writer
    assert not {"MasterUsername", "MasterUserPassword", "DatabaseName", "EnableHttpEndpoint"} & {*reader}
    assert "EnableGlobalWriteForwarding" not in reader


def test_a_replica_names_its_source_by_what_the_plan_computes(made: Databases) -> None:
    (source,), (replica,) = (
        [one for one in made.of(region, "DBInstance") if "DBInstanceIdentifier" in one] for region in (HOME, OTHER)
    )

    arn = "arn:aws:rds:eu-west-1:123456789012:db:churn-prod-small-eu-west-1"
    assert (replica["SourceDBInstanceIdentifier"], replica["SourceRegion"]) == (arn, HOME)
    assert source["DBInstanceIdentifier"] == "churn-prod-small-eu-west-1"
    assert "MasterUserPassword" not in replica


def test_every_part_is_encrypted_by_its_region_reached_by_tokens_backed_up_and_protected(made: Databases) -> None:
    for region in (HOME, OTHER):
        parts = made.of(region, "DBCluster")
        parts += [one for one in made.of(region, "DBInstance") if "DBClusterIdentifier" not in one]
        assert len(parts) == 2
        for part in parts:
            assert part["EnableIAMDatabaseAuthentication"] is True
            assert (part["BackupRetentionPeriod"], part["DeletionProtection"]) == (35, True)
            assert "Fn::GetAtt" in part["KmsKeyId"]
        forced = [*made.of(region, "DBClusterParameterGroup"), *made.of(region, "DBParameterGroup")]
        assert [one["Parameters"] for one in forced] == [{"rds.force_ssl": "1"}] * 2


def test_the_password_is_a_secret_of_the_home_and_stands_in_no_template(made: Databases) -> None:
    (writer,) = made.of(HOME, "DBCluster")

    assert "resolve:secretsmanager" in json.dumps(writer["MasterUserPassword"])
    assert "AWS::SecretsManager::Secret" not in made.texts[OTHER]


def test_no_region_names_another_but_a_replica_its_source(made: Databases) -> None:
    assert OTHER not in made.texts[HOME]
    named = [line for line in made.texts[OTHER].splitlines() if HOME in line]
    assert {line.split('"')[1] for line in named} == {"SourceDBInstanceIdentifier", "SourceRegion"}


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"kind": "multi"}, "kind must be 'global' or 'replicas'"),
        ({"name": "Features"}, "name must be small letters"),
        ({"name": "f" * 60}, "at most 63 characters"),
        ({"reader": "features-reader"}, "reader must be small letters"),
        (
            {
                "plan": RegionalData(
                    name="churn",
                    home=HOME,
                    account=PLAN.account,
                    regions={HOME: PLAN.account, OTHER: "210987654321"},
                    key_arns={OTHER: "arn:aws:kms:us-east-1:210987654321:key/1"},
                )
            },
            "in the home's account",
        ),
    ],
)
def test_a_database_that_could_never_be_is_refused(more: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        replace(GLOBAL, **more)


@pytest.mark.parametrize(("minimum", "maximum"), [(0, 4), (4, 2), (0.5, 0.5), (0.7, 4), (1, 300)])
def test_capacity_is_what_aurora_takes(minimum: float, maximum: float) -> None:
    with pytest.raises(ValueError, match="capacity must"):
        Serverless(minimum=minimum, maximum=maximum)


@pytest.mark.parametrize(
    ("features", "region", "more", "problem"),
    [
        (REPLICAS, HOME, {}, "size must be an instance class"),
        (GLOBAL, HOME, {"size": "r8g.large"}, "size must be capacity or an instance class"),
        (GLOBAL, HOME, {"instances": 0}, "instances must be 1 or more"),
        (GLOBAL, HOME, {"loses_at_most_s": 5}, "loses_at_most_s must be 20 or more"),
        (GLOBAL, OTHER, {"loses_at_most_s": 60}, "at the home of a global database"),
        (GLOBAL, HOME, {"forwards_writes": True}, "forwards_writes must be of a global database's other regions"),
        (GLOBAL, "ap-south-1", {}, "one of the plan's regions"),
    ],
)
def test_what_one_region_could_never_have_is_refused(
    features: SqlFeatures, region: str, more: dict[str, Any], problem: str
) -> None:
    stack = PlatformStack(App(), "Front", env=Environment(account=PLAN.account, region=region))
    nothing: Any = None

    with pytest.raises(ConfigurationError, match=problem):
        FeatureDatabase(stack, "Database", features=features, network=nothing, key=nothing, **more)
