"""Which environment is built?"""

import pytest
from aws_cdk import App

from stacks.environments import BY_NAME, UnknownEnvironmentError, chosen

UNKNOWN = "the region must be one that CDK knows, got"


def asking_for(**context: str) -> App:
    return App(context=context)


def test_dev_is_built_when_none_is_named() -> None:
    assert chosen(asking_for().node).name == "dev"


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_an_environment_is_chosen_by_its_name(name: str) -> None:
    assert chosen(asking_for(environment=name).node).name == name


def test_a_misspelt_environment_is_answered_with_those_there_are() -> None:
    with pytest.raises(UnknownEnvironmentError) as error:
        chosen(asking_for(environment="pord").node)

    assert str(error.value) == "the environment must be one of dev, staging, prod, got 'pord'"


def test_account_and_region_may_come_from_the_context() -> None:
    environment = chosen(asking_for(environment="prod", account="210987654321", region="us-west-2").node)

    assert (environment.account, environment.region) == ("210987654321", "us-west-2")
    assert environment.gateway_prefix_lists == ("pl-68a54001", "pl-00a54069")


def test_further_regions_and_the_name_may_come_from_the_context() -> None:
    asked = {"also_in": "us-west-2, ap-south-1", "domain_name": "models.acme.org", "zone_name": "acme.org"}

    environment = chosen(asking_for(environment="prod", hosted_zone_id="Z1", **asked).node)

    assert environment.also_in == ("us-west-2", "ap-south-1")
    assert environment.zone is not None
    assert (environment.domain_name, environment.zone.zone_name, environment.zone.hosted_zone_id) == (
        "models.acme.org",
        "acme.org",
        "Z1",
    )


def test_an_empty_context_takes_the_name_and_the_further_regions_away() -> None:
    environment = chosen(asking_for(environment="prod", also_in="", domain_name="").node)

    assert (environment.also_in, environment.domain_name, environment.zone) == ((), None, None)


@pytest.mark.parametrize(
    ("context", "sentence"),
    [
        ({"account": "12345"}, "the account must be twelve digits, got '12345'"),
        ({"region": "Ireland"}, "the region must look like 'us-east-1', got 'Ireland'"),
        ({"also_in": "Ireland", "domain_name": "a.b"}, "the region must look like 'us-east-1', got 'Ireland'"),
        ({"also_in": "us-west-2"}, "dev must have a domain_name to serve in us-west-2 too, got none"),
        (
            {"environment": "prod", "also_in": "us-west-2,eu-wset-1"},
            f"{UNKNOWN} 'eu-wset-1'; try 'eu-west-1', or -c newer_regions=eu-wset-1 if CDK is older than it",
        ),
        (
            {"region": "xx-atlantis-1"},
            f"{UNKNOWN} 'xx-atlantis-1'; try -c newer_regions=xx-atlantis-1 if CDK is older than it",
        ),
        ({"domain_name": "models.acme.org"}, "a domain name needs its zone, got 'models.acme.org' and None"),
    ],
)
def test_an_account_or_region_that_cannot_be_is_refused(context: dict[str, str], sentence: str) -> None:
    with pytest.raises(UnknownEnvironmentError) as error:
        chosen(asking_for(**context).node)

    assert str(error.value) == sentence


def test_a_region_that_is_newer_than_cdk_is_taken_at_its_word() -> None:
    environment = chosen(asking_for(environment="prod", also_in="eu-west-9", newer_regions="eu-west-8, eu-west-9").node)

    assert environment.further_regions == ("eu-west-9",)


def test_no_two_environments_share_a_place_by_default() -> None:
    assert len({(one.account, one.region) for one in BY_NAME.values()}) == len(BY_NAME)
