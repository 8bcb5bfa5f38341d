"""The vocabulary of the traps: how they report, and how they read properties."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from mlplatform_cdk.assembly.check.loose import listed
from mlplatform_cdk.assembly.check.templates import Resource, Template
from mlplatform_cdk.assembly.findings import Finding, Severity

Rule = Callable[[Template], Iterator[Finding]]
TOOL = "mlplatform"
_LOCAL_STORAGE = re.compile(
    r"^(?:[a-z]+\d+[a-ce-z]*d[a-z]*|dl1|g5|g6e?|g7e?|gr6|p5\w*|p6[\w-]*|trn1n?|trn2\w*|i\d\w*)$"
)


def trap(number: int, name: str) -> str:
    """The rule's id: the number of the trap in docs/check.md, and what it is."""
    return f"trap-{number:02}-{name}"


def caught(
    resource: Resource, rule: str, severity: Severity, message: str, *, reason: str, way_out: str, at: str = ""
) -> Finding:
    """A trap at ``resource``.

    :param at: the property; default: the whole resource.
    """
    return resource.finding(rule, severity, message, reason=reason, way_out=way_out, property_path=at, tools=(TOOL,))


def mentions(value: Any, logical_id: str) -> bool:
    """Whether ``value`` refers to that resource, by ``Ref``, ``Fn::GetAtt`` or inside ``Fn::Sub``."""
    text = json.dumps(value)
    return f'"{logical_id}"' in text or f"${{{logical_id}}}" in text or f"${{{logical_id}." in text


def ordered_after(resource: Resource, logical_id: str) -> bool:
    """Whether CloudFormation makes ``resource`` after that one."""
    return logical_id in listed(resource.document.get("DependsOn")) or mentions(resource.properties, logical_id)


def encrypts_itself(instance_type: object) -> bool:
    """Whether the type has NVMe disks of its own, for whose volumes SageMaker refuses a key; by AWS's family names."""
    parts = instance_type.split(".") if isinstance(instance_type, str) else []
    return len(parts) == 3 and parts[0] == "ml" and bool(_LOCAL_STORAGE.match(parts[1]))  # noqa: PLR2004 -- ml.family.size
