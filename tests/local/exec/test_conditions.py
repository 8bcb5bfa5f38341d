"""When does the Condition of a statement hold?"""

from __future__ import annotations

from typing import Any

import pytest

from mlplatform_cdk.local.adapters.iam.conditions import evaluate

CONTEXT = {
    "aws:securetransport": ["true"],
    "aws:principalarn": ["arn:aws:iam::123456789012:role/churn"],
    "aws:currenttime": ["2026-11-03T10:00:00Z"],
    "aws:tagkeys": ["team", "cost"],
    "aws:sourceip": ["127.0.0.1"],
    "s3:max-keys": ["10"],
}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        pytest.param(None, True, id="no condition"),
        pytest.param({"Bool": {"aws:SecureTransport": "false"}}, False, id="a call without TLS"),
        pytest.param({"Bool": {"aws:SecureTransport": True}}, True, id="a call with TLS"),
        pytest.param(
            {"StringEquals": {"aws:PrincipalArn": ["a", "arn:aws:iam::123456789012:role/churn"]}}, True, id="one of"
        ),
        pytest.param({"StringNotEquals": {"aws:PrincipalArn": ["a", "b"]}}, True, id="none of"),
        pytest.param(
            {"StringNotEquals": {"aws:PrincipalArn": ["a", "arn:aws:iam::123456789012:role/churn"]}},
            False,
            id="not none of",
        ),
        pytest.param({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ch?rn"}}, True, id="wildcards"),
        pytest.param({"StringEquals": {"aws:SourceAccount": "123456789012"}}, False, id="a key that the call lacks"),
        pytest.param({"StringEqualsIfExists": {"aws:SourceAccount": "1"}}, True, id="if it exists"),
        pytest.param({"StringNotEquals": {"aws:SourceAccount": "1"}}, True, id="a missing key is not equal"),
        pytest.param({"Null": {"aws:SourceAccount": "true"}}, True, id="is missing"),
        pytest.param({"Null": {"aws:SecureTransport": "true"}}, False, id="is not missing"),
        pytest.param({"NumericLessThanEquals": {"s3:max-keys": "10"}}, True, id="numbers"),
        pytest.param({"DateGreaterThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}, False, id="dates"),
        pytest.param({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True, id="addresses"),
        pytest.param({"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost", "x"]}}, True, id="all values"),
        pytest.param({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, False, id="not all values"),
        pytest.param({"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}, True, id="any value"),
        pytest.param({"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["x"]}}, True, id="all of no values"),
        pytest.param({"StringEquals": {"aws:SourceVpce": "v"}}, None, id="a key that cannot be computed"),
        pytest.param(
            {"StringEquals": {"aws:SourceVpce": "v"}, "Bool": {"aws:SecureTransport": "false"}},
            False,
            id="false wins over what cannot be computed",
        ),
        pytest.param({"StringSounds": {"aws:SecureTransport": "true"}}, None, id="an operator that is none"),
    ],
)
def test_a_condition(condition: dict[str, Any] | None, holds: object) -> None:
    assert evaluate(condition, CONTEXT).holds is holds


def test_what_cannot_be_computed_is_named() -> None:
    assert evaluate({"StringEquals": {"aws:SourceVpce": "v"}}, CONTEXT).unknown == ("aws:SourceVpce",)
