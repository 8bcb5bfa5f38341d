"""Which of several endpoints is rehearsed?"""

from dataclasses import dataclass

import pytest

from mlplatform_cdk.cli.console import CommandFailed
from mlplatform_cdk.cli.rehearse.choice import the_one


@dataclass(frozen=True)
class Placed:
    endpoint: str
    region: str


HERE, THERE, OTHER = Placed("churn", "eu-west-1"), Placed("churn", "eu-central-1"), Placed("fraud", "eu-west-1")


@pytest.mark.parametrize(
    ("targets", "endpoint", "region", "found"),
    [
        ([HERE], None, None, HERE),
        ([HERE, THERE, OTHER], "fraud", None, OTHER),
        ([HERE, THERE, OTHER], None, "eu-central-1", THERE),
        ([HERE, THERE, OTHER], "churn", "eu-west-1", HERE),
    ],
)
def test_an_endpoint_is_told_from_others_by_its_name_and_its_region(
    targets: list[Placed], endpoint: str | None, region: str | None, found: Placed
) -> None:
    assert the_one(targets, endpoint, region) is found


def test_whoever_names_none_of_several_hears_which_there_are() -> None:
    with pytest.raises(CommandFailed, match="releases to churn in eu-west-1, churn in eu-central-1; name one by"):
        the_one([HERE, THERE], "churn", None)


def test_whoever_names_one_that_is_not_there_hears_which_there_are() -> None:
    with pytest.raises(CommandFailed, match="must name one of churn in eu-west-1, got churn in us-east-1"):
        the_one([HERE], "churn", "us-east-1")
