"""Are the names of regional data known, legal and nobody else's?"""

from dataclasses import replace
from typing import Any

import pytest

from mlplatform_cdk.routing import RegionalData
from tests.routing.replication.regions import ACCOUNT, HOME, OTHER_ACCOUNT, PLAN, THEIR_KEY, THERE, TWO_ACCOUNTS


def test_every_name_comes_from_the_plan() -> None:
    assert PLAN.bucket_name(THERE) == f"churn-prod-{ACCOUNT}-{THERE}"
    assert PLAN.key_arn(THERE) == f"arn:aws:kms:{THERE}:{ACCOUNT}:alias/churn-prod"
    assert PLAN.role_arn == f"arn:aws:iam::{ACCOUNT}:role/churn-prod-replication-{HOME}"
    assert PLAN.table_name("features") == "churn-prod-features"
    assert PLAN.others == (THERE,)


def test_a_region_of_another_account_has_its_name_and_its_key() -> None:
    assert TWO_ACCOUNTS.bucket_name(THERE) == f"churn-prod-{OTHER_ACCOUNT}-{THERE}"
    assert TWO_ACCOUNTS.key_arn(THERE) == THEIR_KEY
    assert (TWO_ACCOUNTS.is_elsewhere(THERE), TWO_ACCOUNTS.is_elsewhere(HOME)) == (True, False)


def test_the_partition_is_that_of_the_regions() -> None:
    china = replace(PLAN, home="cn-north-1", regions=["cn-north-1", "cn-northwest-1"])

    assert china.bucket_arn("cn-northwest-1").startswith("arn:aws-cn:s3:::")
    assert china.key_arn("cn-northwest-1").startswith("arn:aws-cn:kms:")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"regions": [HOME, THERE, THERE]}, "regions must be named once each, got us-east-1 twice"),
        ({"regions": HOME}, "regions must be a list or a mapping"),
        ({"regions": [THERE]}, "home must be one of the regions"),
        ({"regions": [HOME, "Ireland"]}, "regions must be names such as"),
        ({"regions": [HOME, "cn-north-1"]}, "regions must lie in one partition, got aws, aws-cn"),
        ({"regions": {HOME: OTHER_ACCOUNT}}, "account must be that of the home"),
        ({"account": "12"}, "an account must have 12 digits"),
        ({"name": "Churn"}, "name must be small letters"),
        ({"name": "churn--prod"}, "name must be small letters"),
        ({"name": "a" * 42}, "a bucket's name must have at most 63 characters"),
        ({"regions": {HOME: ACCOUNT, THERE: OTHER_ACCOUNT}}, "key_arns must name the key of us-east-1"),
        ({"key_arns": {HOME: THEIR_KEY}}, "key_arns must give each of its regions the ARN of a key there"),
        ({"key_arns": {THERE: "alias/churn"}}, "key_arns must give each of its regions the ARN of a key there"),
    ],
)
def test_a_plan_that_could_never_deploy_is_refused(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        RegionalData(**({"name": "churn-prod", "home": HOME, "account": ACCOUNT, "regions": [HOME, THERE]} | given))


def test_a_region_outside_the_plan_has_no_names() -> None:
    with pytest.raises(ValueError, match="region must be one of the plan's"):
        PLAN.bucket_name("ap-south-1")
