"""What a role may do, as a value: gathered in Python, it goes to Node as one policy and not a statement at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

# A statement of a policy, in IAM's own JSON.
Statement: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Access:
    """Statements of a policy, and the findings about them that are accepted beside the role that gets them.

    :param statements: in IAM's own JSON, as ``allowed`` writes them.
    :param patterns: resources that they name by a pattern, each with its reason; default: none.
    :param findings: rule ids of other findings, each with its reason; default: none.
    """

    statements: Sequence[Statement]
    patterns: Mapping[str, str] = field(default_factory=dict)
    findings: Mapping[str, str] = field(default_factory=dict)


def allowed(
    actions: Sequence[str],
    *resources: str,
    conditions: Mapping[str, Mapping[str, str | Sequence[str]]] | None = None,
    sid: str | None = None,
) -> Statement:
    """A statement that allows ``actions`` on ``resources``.

    :param conditions: operator to key to value; default: none.
    :param sid: the statement's id; default: none.
    """
    statement: dict[str, Any] = {"Effect": "Allow", "Action": [*actions], "Resource": [*resources]}
    if conditions is not None:
        statement["Condition"] = conditions
    if sid is not None:
        statement["Sid"] = sid
    return statement
