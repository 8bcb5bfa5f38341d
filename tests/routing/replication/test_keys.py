"""Has each region a key that the others know by name?"""

from pathlib import Path

import pytest

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.routing import RegionalKey
from tests.routing.replication.regions import ACCOUNT, HOME, OTHER_ACCOUNT, PLAN, THERE, TWO_ACCOUNTS, Region

PRIMARY = f"arn:aws:kms:{HOME}:{ACCOUNT}:key/mrk-{'0' * 32}"
KEY, REPLICA = "AWS::KMS::Key", "AWS::KMS::ReplicaKey"


def test_each_regions_key_is_its_own_behind_the_same_alias() -> None:
    for region in (HOME, THERE):
        built = Region(region)
        RegionalKey(built.stack, "Key", plan=PLAN)
        (key,), (alias,) = built.of_type(KEY), built.of_type("AWS::KMS::Alias")

        assert (key["EnableKeyRotation"], key.get("MultiRegion")) == (True, None)
        assert alias["AliasName"] == "alias/churn-prod"


def test_a_replica_has_the_policy_of_its_region_and_the_rotation_of_its_primary() -> None:
    home, there = Region(HOME), Region(THERE)
    RegionalKey(home.stack, "Key", plan=PLAN, multi_region=True)
    RegionalKey(there.stack, "Key", plan=PLAN, primary_key_arn=PRIMARY)
    (primary,), (replica,) = home.of_type(KEY), there.of_type(REPLICA)

    assert primary["MultiRegion"] is True
    assert {*replica} == {"Description", "KeyPolicy", "PrimaryKeyArn"}
    assert replica["PrimaryKeyArn"] == PRIMARY
    sids = [one.get("Sid") for one in replica["KeyPolicy"]["Statement"]]
    assert sids == [one.get("Sid") for one in primary["KeyPolicy"]["Statement"]]
    services = str(replica["KeyPolicy"])
    assert f"logs.{THERE}.amazonaws.com" in services
    assert f"logs.{HOME}.amazonaws.com" not in services


def test_the_replication_of_another_account_may_encrypt_through_s3_and_no_one_else_of_it() -> None:
    there = Region(THERE, account=OTHER_ACCOUNT)
    RegionalKey(there.stack, "Key", plan=TWO_ACCOUNTS)
    (key,) = there.of_type(KEY)
    (ours,) = [one for one in key["KeyPolicy"]["Statement"] if one.get("Sid") == "ReplicationOfTheHome"]

    assert ours["Action"] == ["kms:Decrypt", "kms:Encrypt"]
    assert ours["Condition"]["ArnEquals"] == {"aws:PrincipalArn": TWO_ACCOUNTS.role_arn}
    assert ours["Condition"]["StringLike"] == {"kms:ViaService": f"s3.{THERE}.*"}


@pytest.mark.parametrize(
    ("region", "given", "sentence"),
    [
        (THERE, {"multi_region": True}, "multi_region must be said at home in eu-west-1, got it in us-east-1"),
        (HOME, {"primary_key_arn": PRIMARY}, "a replica key must lie in another region than its primary"),
        (THERE, {"primary_key_arn": PRIMARY.replace("mrk-", "")}, "must be that of a multi-Region key"),
        (THERE, {"primary_key_arn": PRIMARY.replace(HOME, THERE)}, "must be that of a multi-Region key"),
        ("ap-south-1", {}, "its stack must have one of the plan's regions"),
    ],
)
def test_a_key_that_could_never_deploy_is_refused(region: str, given: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence.replace("(", r"\(")):
        RegionalKey(Region(region).stack, "Key", plan=PLAN, **given)  # type: ignore[arg-type]


def test_a_stack_of_another_account_than_the_plans_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=f"must have the account {ACCOUNT} .*, got {OTHER_ACCOUNT}"):
        RegionalKey(Region(HOME, account=OTHER_ACCOUNT).stack, "Key", plan=PLAN)


@pytest.mark.parametrize(("region", "given"), [(HOME, {"multi_region": True}), (THERE, {"primary_key_arn": PRIMARY})])
def test_cdk_nag_and_cfn_lint_find_nothing_in_a_key(tmp_path: Path, region: str, given: dict[str, object]) -> None:
    built = Region(region, outdir=tmp_path)
    RegionalKey(built.stack, "Key", plan=PLAN, **given)  # type: ignore[arg-type]

    assert built.findings() == []
