"""The Condition of a policy statement: true, false, or not to be told here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# Keys that a call here can lack for certain; any other key without a value is one that we cannot compute.
ABSENT = (
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:federatedprovider",
    "aws:multifactorauthage",
    "aws:multifactorauthpresent",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:referer",
    "aws:requesttag/",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceidentity",
    "aws:sourceorgid",
    "aws:tagkeys",
    "iam:associatedresourcearn",
    "iam:passedtoservice",
    "iam:awsservicename",
    "kms:encryptioncontext",
    "kms:viaservice",
    "kms:grantisforawsresource",
    "kms:granteeprincipal",
    "s3:",
    "sagemaker:",
    "sts:externalid",
    "cloudwatch:",
    "dynamodb:leadingkeys",
)
# The tags of what a call is on: with this key in a call's context all of them are known, and others it has not.
RESOURCE_TAG = "aws:resourcetag/"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a Condition holds.

    :param holds: true or false; None where it depends on ``unknown``.
    :param unknown: the keys that we cannot compute.
    """

    holds: bool | None
    unknown: tuple[str, ...] = ()


def evaluate(condition: Mapping[str, Mapping[str, Any]] | None, context: Mapping[str, Sequence[str]]) -> Verdict:
    """Whether ``condition`` holds for a call.

    :param condition: the statement's Condition, if it has one.
    :param context: the call's condition keys, in lower case, and their values.
    """
    unknown: list[str] = []
    for operator, tests in (condition or {}).items():
        for key, expected in tests.items():
            wanted = [str(value) for value in (expected if isinstance(expected, list) else [expected])]
            holds = _test(operator, key.lower(), wanted, context)
            if holds is False:
                return Verdict(holds=False)
            if holds is None:
                unknown.append(key if operator in _OPERATORS or _base(operator) in _OPERATORS else f"{operator} {key}")
    return Verdict(holds=None, unknown=tuple(unknown)) if unknown else Verdict(holds=True)


def _test(operator: str, key: str, expected: list[str], context: Mapping[str, Sequence[str]]) -> bool | None:
    values = context.get(key)
    known = (*ABSENT, RESOURCE_TAG) if RESOURCE_TAG in context else ABSENT
    if values is None and not key.startswith(known):
        return None
    base = _base(operator)
    if base == "Null":
        return (values is None) is (expected[0].lower() == "true")
    compare = _OPERATORS.get(base)
    if compare is None:
        return None
    negated = "Not" in base
    quantifier = operator.partition(":")[0] if ":" in operator else ""
    if values is None:
        return quantifier == "ForAllValues" or operator.endswith("IfExists") or (negated and quantifier == "")
    wanted = [_substituted(value, context) for value in expected]

    def matches(value: str) -> bool:
        hit = any(compare(value, want) for want in wanted)
        return not hit if negated else hit

    return all(map(matches, values)) if quantifier == "ForAllValues" or negated else any(map(matches, values))


def _base(operator: str) -> str:
    return operator.rpartition(":")[2].removesuffix("IfExists")


def _substituted(value: str, context: Mapping[str, Sequence[str]]) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda found: (context.get(found[1].lower()) or [found[0]])[0], value)


def glob(pattern: str, value: str) -> bool:
    """IAM's wildcards: ``*`` any characters, ``?`` one."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value, re.DOTALL) is not None


def _moment(text: str) -> datetime:
    if re.fullmatch(r"\d+", text):
        return datetime.fromtimestamp(int(text), UTC)
    return datetime.fromisoformat(text)


def _within(value: str, network: str) -> bool:
    return ipaddress.ip_address(value) in ipaddress.ip_network(network, strict=False)


_POSITIVE: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, want: value == want,
    "StringEqualsIgnoreCase": lambda value, want: value.lower() == want.lower(),
    "StringLike": lambda value, want: glob(want, value),
    "ArnEquals": lambda value, want: glob(want, value),
    "ArnLike": lambda value, want: glob(want, value),
    "NumericEquals": lambda value, want: float(value) == float(want),
    "NumericLessThan": lambda value, want: float(value) < float(want),
    "NumericLessThanEquals": lambda value, want: float(value) <= float(want),
    "NumericGreaterThan": lambda value, want: float(value) > float(want),
    "NumericGreaterThanEquals": lambda value, want: float(value) >= float(want),
    "DateEquals": lambda value, want: _moment(value) == _moment(want),
    "DateLessThan": lambda value, want: _moment(value) < _moment(want),
    "DateLessThanEquals": lambda value, want: _moment(value) <= _moment(want),
    "DateGreaterThan": lambda value, want: _moment(value) > _moment(want),
    "DateGreaterThanEquals": lambda value, want: _moment(value) >= _moment(want),
    "Bool": lambda value, want: value.lower() == want.lower(),
    "IpAddress": _within,
}
_NEGATIVE = {
    "StringNotEquals": _POSITIVE["StringEquals"],
    "StringNotEqualsIgnoreCase": _POSITIVE["StringEqualsIgnoreCase"],
    "StringNotLike": _POSITIVE["StringLike"],
    "ArnNotEquals": _POSITIVE["ArnEquals"],
    "ArnNotLike": _POSITIVE["ArnLike"],
    "NumericNotEquals": _POSITIVE["NumericEquals"],
    "DateNotEquals": _POSITIVE["DateEquals"],
    "NotIpAddress": _within,
}
_OPERATORS = _POSITIVE | _NEGATIVE | {"Null": lambda _value, _want: False}
