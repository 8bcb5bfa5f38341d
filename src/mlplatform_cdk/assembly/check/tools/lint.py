"""cfn-lint over one template, through its API; checks which a template's own metadata ignores are reported, too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from mlplatform_cdk.assembly.check.loose import mapping, texts

TOOL = "cfn-lint"
NO_REASON = "the template's cfn-lint metadata ignores it, and names no reason"
_SEVERITIES = {"error": "error", "warning": "warning", "informational": "info"}


def lint(path: Path, region: str | None) -> list[dict[str, Any]]:
    """What cfn-lint says of the template ``path``, as plain values which cross processes.

    :param region: the stack's; default: None, one that has everything.
    """
    document = json.loads(path.read_text(encoding="utf-8"))
    ignored = _without_directives(document)
    try:
        matches = import_module("cfnlint.api").lint(json.dumps(document), _rules(), [region or "us-east-1"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # of a template that is none
        return [_unreadable(error)]
    found = {json.dumps(_plain(match), sort_keys=True): _plain(match) for match in matches}
    return [{**match, "ignored": _reason(match, ignored)} for match in found.values()]


def _reason(match: dict[str, Any], ignored: Mapping[str, Mapping[str, str]]) -> str | None:
    """Why the template ignores the match; None where it does not."""
    for where in (match["logical_id"], ""):
        for check, reason in ignored.get(where, {}).items():
            if match["rule"].startswith(check):
                return reason
    return None


def _plain(match: Any) -> dict[str, Any]:
    path = [str(part) for part in getattr(match, "path", None) or ()]
    in_resource = path[:1] == ["Resources"]
    return {
        "rule": match.rule.id,
        "severity": _SEVERITIES.get(match.rule.severity, "error"),
        "message": match.message,
        "logical_id": path[1] if in_resource and len(path) > 1 else "",
        "property": ".".join(path[2:] if in_resource else path),
        "reason": match.rule.description,
        "url": match.rule.source_url,
    }


def _unreadable(error: Exception) -> dict[str, Any]:
    return {
        "rule": "cfn-lint-unreadable",
        "severity": "error",
        "message": f"cfn-lint cannot read the template, so it did not look: {error}",
        "logical_id": "",
        "property": "",
        "reason": "something in it has another form than CloudFormation's, such as metadata that are no object",
        "url": "",
        "ignored": None,
    }


@cache
def _rules() -> Any:
    """Read once a process: it takes a second."""
    return import_module("cfnlint.core").get_rules([], [], [], {}, include_experimental=False)


def _without_directives(document: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Takes the ignored checks out of ``document``: by logical id, the template's own under no name, with reasons."""
    holders = {"": document, **mapping(document.get("Resources"))}
    return {name: checks for name, holder in holders.items() if (checks := _directives(holder))}


def _directives(holder: Any) -> dict[str, str]:
    """Under ``cfn-lint``: ``config.ignore_checks``, and ``reasons`` by check, which are our addition."""
    metadata = holder.get("Metadata") if isinstance(holder, Mapping) else None
    directive = mapping(metadata.pop("cfn-lint", None)) if isinstance(metadata, dict) else {}
    reasons, config = mapping(directive.get("reasons")), mapping(directive.get("config"))
    return {check: reasons.get(check, NO_REASON) for check in texts(config.get("ignore_checks"))}
