"""Which APIs, and which of their settings, are refused at synthesis?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aws_cdk import Environment

from mlplatform_cdk.core import ConfigurationError
from mlplatform_cdk.routing import HostedZoneReference, RegionalTarget
from mlplatform_cdk.routing.regional_api import Authorization, Firewall, Throttle
from tests.routing.regional_api.building import PLAN, Built


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (
            {"env": Environment(account="123456789012", region="eu-west-3")},
            r"the stack must be in one of the plan's regions \(eu-west-1, us-east-1\), got eu-west-3",
        ),
        (
            {
                "plan": replace(
                    PLAN, zone=HostedZoneReference(hosted_zone_id="Z1", zone_name="example.com", private=True)
                )
            },
            "the plan's zone must be public",
        ),
        (
            {"plan": replace(PLAN, regions={"eu-west-1": RegionalTarget(account="210987654321")})},
            r"the stack must be in the account of eu-west-1 \(210987654321\), got 123456789012",
        ),
        ({"binary_types": ["*/*"]}, r"binary_types must be whole names of media types, got '\*/\*'"),
    ],
)
def test_an_api_that_could_not_serve_is_refused(more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        Built(**more)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Authorization.jwt(issuer="http://id.example.com", audience=["a"]), "issuer must be an https address"),
        (lambda: Authorization.jwt(issuer="https://id.example.com", audience=[]), "audience must be a list with one"),
        (lambda: Authorization.jwt(issuer="https://id.example.com", audience="a"), "audience must be a list with one"),
        (
            lambda: Authorization.jwt(issuer="https://i.d", audience=["a"], keys_url="http://i.d/keys"),
            "keys_url must be an https address",
        ),
        (
            lambda: Authorization.jwt(issuer="https://i.d", audience=["a"], kept=timedelta(hours=2)),
            "kept must lie in 0 to an hour, got 7200 s",
        ),
        (Authorization.cognito, "cognito must be given a user pool at least"),
        (lambda: Throttle(rate=0), "rate must lie in 1 to 10000 requests a second, got 0"),
        (lambda: Throttle(burst=5001), "burst must lie in 1 to 5000 requests, got 5001"),
        (lambda: Firewall(rate=9), "rate must lie in 10 to 2000000000 in five minutes, got 9"),
    ],
)
def test_values_that_aws_refuses_are_refused(make: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()
