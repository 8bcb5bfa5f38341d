"""Policy statements against one need of a call: allowed, denied or neither, as AWS's evaluation has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlplatform_cdk.local.adapters.iam import conditions, unevaluated

ANYONE = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One permission that a call needs.

    :param action: such as ``s3:GetObject``.
    :param resources: the ARNs that it may be named by, one of which a statement must match; None: not derivable, then
        the action alone decides.
    :param context: condition keys of this need, in lower case, beside those of the call.
    """

    action: str
    resources: tuple[str, ...] | None = None
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement and the policy it stands in."""

    policy: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a set of statements says about a need."""

    allowed: bool = False
    denied_by: Statement | None = None


def statements_of(policy: str, document: Mapping[str, Any]) -> list[Statement]:
    """The statements of a policy document.

    :param policy: names the policy in reports.
    :param document: the document.
    """
    bodies = document.get("Statement", [])
    return [Statement(policy, body) for body in (bodies if isinstance(bodies, list) else [bodies])]


def find(
    statements: Iterable[Statement],
    need: Need,
    context: Mapping[str, Sequence[str]],
    principals: Mapping[str, Sequence[str]] | None = None,
) -> Finding:
    """What ``statements`` say about ``need``.

    :param statements: of an identity's policies or of one resource's.
    :param need: the permission.
    :param context: the call's condition keys.
    :param principals: who calls, by kind (``AWS``, ``Service``), for a resource's policy; default: none, an identity's.
    """
    allowed = False
    whole = {**context, **need.context}
    for statement in statements:
        if not _concerns(statement.body, need, whole, principals):
            continue
        verdict = conditions.evaluate(statement.body.get("Condition"), whole)
        if verdict.holds is None:
            unevaluated.record(statement.policy, statement.body, verdict.unknown)
        elif verdict.holds and statement.body.get("Effect") == "Deny":
            return Finding(denied_by=statement)
        elif verdict.holds:
            allowed = True
    return Finding(allowed=allowed)


def _concerns(
    body: Mapping[str, Any],
    need: Need,
    context: Mapping[str, Sequence[str]],
    principals: Mapping[str, Sequence[str]] | None,
) -> bool:
    return (
        _matches(body, "Action", [need.action.lower()], lower=True)
        and _matches_resource(body, need, context)
        and (principals is None or _matches_principal(body, principals))
    )


def _matches(body: Mapping[str, Any], element: str, values: Sequence[str], *, lower: bool = False) -> bool:
    negated = f"Not{element}"
    patterns = _list(body.get(element, body.get(negated, [])))
    hit = any(conditions.glob(pattern.lower() if lower else pattern, value) for pattern in patterns for value in values)
    return not hit if negated in body else hit


def _matches_resource(body: Mapping[str, Any], need: Need, context: Mapping[str, Sequence[str]]) -> bool:
    if need.resources is None or ("Resource" not in body and "NotResource" not in body):
        return True
    element = "Resource" if "Resource" in body else "NotResource"
    patterns = [_filled(pattern, context) for pattern in _list(body[element])]
    return _matches({element: patterns}, "Resource", need.resources)


def _matches_principal(body: Mapping[str, Any], principals: Mapping[str, Sequence[str]]) -> bool:
    element = "Principal" if "Principal" in body else "NotPrincipal"
    named = body.get(element)
    if named is None:
        return True
    kinds = {"AWS": named, "Service": []} if isinstance(named, str) else named
    hit = (
        any(
            pattern == ANYONE or conditions.glob(pattern, value)
            for kind, values in principals.items()
            for pattern in _list(kinds.get(kind, []))
            for value in values
        )
        or (isinstance(named, str) and named == ANYONE)
        or ANYONE in _list(kinds.get("AWS", []))
    )
    return not hit if element == "NotPrincipal" else hit


def _filled(pattern: str, context: Mapping[str, Sequence[str]]) -> str:
    if "${" not in pattern:
        return pattern
    for key, values in context.items():
        pattern = pattern.replace("${" + key + "}", values[0] if values else "")
    return pattern


def _list(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
