"""Do images come to every region by ECR, and only those that should?"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.foundation import Keys
from mlplatform_cdk.routing import ImageReplication, RegionalData, ReplicatedImages
from tests.routing.replication.regions import ACCOUNT, HOME, OTHER_ACCOUNT, PLAN, THERE, TWO_ACCOUNTS, Region

PREFIXES = ("churn-prod/", "shared/serving/")
TEMPLATE, POLICY = "AWS::ECR::RepositoryCreationTemplate", "AWS::ECR::RegistryPolicy"


def there(plan: RegionalData = PLAN, outdir: Path | None = None, account: str = ACCOUNT) -> Region:
    built = Region(THERE, account=account, outdir=outdir)
    ReplicatedImages(built.stack, "Images", plan=plan, prefixes=PREFIXES, key=Keys(built.stack, "Keys").data)
    return built


def home(plan: RegionalData = PLAN, outdir: Path | None = None) -> Region:
    built = Region(HOME, outdir=outdir)
    ImageReplication(built.stack, "Images", plan=plan, prefixes=PREFIXES)
    return built


def test_repositories_of_these_prefixes_go_to_every_other_region() -> None:
    plan = replace(TWO_ACCOUNTS, regions={**TWO_ACCOUNTS.accounts, "ap-southeast-2": ACCOUNT})
    (configuration,) = home(plan).of_type("AWS::ECR::ReplicationConfiguration")
    (rule,) = configuration["ReplicationConfiguration"]["Rules"]

    assert rule["RepositoryFilters"] == [{"Filter": one, "FilterType": "PREFIX_MATCH"} for one in PREFIXES]
    assert rule["Destinations"] == [
        {"Region": THERE, "RegistryId": OTHER_ACCOUNT},
        {"Region": "ap-southeast-2", "RegistryId": ACCOUNT},
    ]


def test_copies_come_into_repositories_with_the_regions_key_and_tags_that_stay() -> None:
    templates = there().of_type(TEMPLATE)

    assert [one["Prefix"] for one in templates] == ["churn-prod", "shared/serving"]
    for one in templates:
        assert (one["AppliedFor"], one["ImageTagMutability"]) == (["REPLICATION"], "IMMUTABLE")
        assert one["EncryptionConfiguration"]["EncryptionType"] == "KMS"
        assert "Fn::GetAtt" in one["EncryptionConfiguration"]["KmsKey"]


def test_the_role_makes_these_repositories_and_no_others() -> None:
    make, encrypt = there().statements("ImagesRole")

    assert make["Action"] == ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"]
    assert [str(one).rsplit(":", 1)[-1].strip("'}]") for one in make["Resource"]] == [
        "repository/churn-prod/*",
        "repository/shared/serving/*",
    ]
    assert encrypt["Action"] == ["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"]
    assert "Fn::GetAtt" in encrypt["Resource"]


def test_only_another_account_has_to_let_the_home_in() -> None:
    (policy,) = there(TWO_ACCOUNTS, account=OTHER_ACCOUNT).of_type(POLICY)
    (statement,) = policy["PolicyText"]["Statement"]

    assert there().of_type(POLICY) == []
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert statement["Action"] == ["ecr:CreateRepository", "ecr:ReplicateImage"]
    assert len(statement["Resource"]) == len(PREFIXES)


MANY = replace(PLAN, regions=[HOME, *(f"us-east-{number}" for number in range(1, 27))])


@pytest.mark.parametrize(
    ("plan", "prefixes", "sentence"),
    [
        (MANY, PREFIXES, "the plan must have 1 to 25 regions beside its home, got 26"),
        (replace(PLAN, regions=[HOME]), PREFIXES, "the plan must have 1 to 25 regions beside its home, got 0"),
        (PLAN, (), "prefixes must be a list of 1 to 100"),
        (PLAN, "churn", "prefixes must be a list of 1 to 100"),
        (PLAN, ("x",), "a prefix must begin the name of a repository, got 'x'"),
        (PLAN, ("Churn/",), "a prefix must begin the name of a repository, got 'Churn/'"),
    ],
)
def test_a_replication_that_ecr_would_refuse_is_refused(plan: RegionalData, prefixes: Any, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        ImageReplication(Region(HOME).stack, "Images", plan=plan, prefixes=prefixes)


def test_a_template_is_of_a_namespace_and_not_of_the_home() -> None:
    built, at_home = Region(THERE), Region(HOME)
    key, its_key = Keys(built.stack, "Keys").data, Keys(at_home.stack, "Keys").data

    with pytest.raises(ConfigurationError, match="prefixes must be a list of namespaces such as 'churn/'"):
        ReplicatedImages(built.stack, "Images", plan=PLAN, prefixes=["churn"], key=key)
    with pytest.raises(ConfigurationError, match="copies of images come to other regions than the home"):
        ReplicatedImages(at_home.stack, "Images", plan=PLAN, prefixes=PREFIXES, key=its_key)


@pytest.mark.parametrize("make", [home, there])
def test_cdk_nag_and_cfn_lint_find_nothing_in_either_region(tmp_path: Path, make: Any) -> None:
    assert make(outdir=tmp_path).findings() == []


def test_cdk_nag_and_cfn_lint_find_nothing_in_another_account(tmp_path: Path) -> None:
    assert there(TWO_ACCOUNTS, outdir=tmp_path, account=OTHER_ACCOUNT).findings() == []
