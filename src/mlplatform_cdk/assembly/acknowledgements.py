"""Findings that a project accepts, in a reviewed file: each names its rule, its place, its reason and its last day.

Neither an entry that has expired nor one that covers nothing goes unnoticed: both are findings themselves.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.documents import load_yaml
from mlplatform_cdk.assembly.errors import AssemblyError
from mlplatform_cdk.assembly.findings import Accepted, Finding, Severity, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

EXPIRED = "acknowledgement-expired"
UNUSED = "acknowledgement-unused"
_KEYS = {"rule", "where", "reason", "expires"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """One accepted finding, or one family of them.

    :param rule: the rule's id; ``*`` stands for any text.
    :param where: construct path, or ``stack/LogicalId``; ``*`` stands for any text without a slash, ``**`` for any.
    :param expires: the last day on which it holds.
    """

    rule: str
    where: str
    reason: str
    expires: dt.date

    def covers(self, finding: Finding) -> bool:
        """Whether that is the finding, at that place."""
        places = {finding.where, f"{finding.stack}/{finding.logical_id}", finding.stack}
        rule = _pattern(re.sub(r"\*+", "**", self.rule))
        return any(rule.fullmatch(name) for name in (finding.rule, *finding.aliases)) and any(
            _pattern(self.where).fullmatch(place) for place in places
        )


@dataclass(frozen=True, slots=True)
class Acknowledgements:
    """The entries of one reviewed file.

    :param source: the file's name, as reports show it.
    """

    entries: tuple[Acknowledgement, ...] = ()
    source: str = ""

    def split(
        self, findings: Iterable[Finding], *, today: dt.date, whole: bool = True
    ) -> tuple[tuple[Finding, ...], tuple[Accepted, ...]]:
        """What stays open, expired and unused entries included, and what is accepted.

        :param whole: all rules looked at everything, so that an entry that covers nothing is stale; default: yes.
        """
        valid = [entry for entry in self.entries if entry.expires >= today]
        opened: list[Finding] = [self._expired(entry) for entry in self.entries if entry.expires < today]
        accepted: list[Accepted] = []
        used: set[Acknowledgement] = set()
        for finding in in_order(findings):
            covering = [entry for entry in valid if entry.covers(finding)]
            used.update(covering)
            if covering:
                accepted.append(self._accepted(finding, covering[0]))
            else:
                opened.append(finding)
        if whole:
            opened.extend(self._unused(entry) for entry in valid if entry not in used)
        return in_order(opened), tuple(accepted)

    def _accepted(self, finding: Finding, entry: Acknowledgement) -> Accepted:
        return Accepted(finding=finding, reason=entry.reason, source=self.source, expires=entry.expires.isoformat())

    def _expired(self, entry: Acknowledgement) -> Finding:
        return Finding(
            rule=EXPIRED,
            severity=Severity.ERROR,
            message=f"the acknowledgement of {entry.rule} at {entry.where} ended on {entry.expires}: {entry.reason}",
            way_out=f"mend the finding, or review the entry in {self.source} and give it a new day",
            file=self.source,
        )

    def _unused(self, entry: Acknowledgement) -> Finding:
        return Finding(
            rule=UNUSED,
            severity=Severity.WARNING,
            message=f"the acknowledgement of {entry.rule} at {entry.where} covers nothing",
            way_out=f"remove the entry from {self.source}",
            file=self.source,
        )


def read_acknowledgements(path: Path) -> Acknowledgements:
    """The entries of the YAML file ``path``: a list under ``acknowledgements``."""
    document = load_yaml(path, "acknowledgements")
    if not isinstance(document, dict) or not isinstance(document.get("acknowledgements"), list):
        raise AssemblyError(f"{path} must hold a list under 'acknowledgements'")
    entries = [_entry(path, number, entry) for number, entry in enumerate(document["acknowledgements"], start=1)]
    return Acknowledgements(tuple(entries), path.name)


def _entry(path: Path, number: int, entry: Any) -> Acknowledgement:
    where = f"entry {number} of {path}"
    if not isinstance(entry, dict) or set(entry) != _KEYS:
        got = ", ".join(map(str, entry)) if isinstance(entry, dict) else repr(entry)
        raise AssemblyError(f"{where} must have rule, where, reason and expires, and no more, got {got}")
    for key in ("rule", "where", "reason"):
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise AssemblyError(f"{where} must have a text as its {key}, got {entry[key]!r}")
    expires = entry["expires"]
    if type(expires) is not dt.date:
        raise AssemblyError(f"{where} must have a day such as 2027-01-31 as its expires, got {expires!r}")
    return Acknowledgement(
        rule=entry["rule"], where=entry["where"], reason=" ".join(entry["reason"].split()), expires=expires
    )


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """``*`` within a part of a path, ``**`` across parts."""
    wild = {"*": "[^/]*", "**": ".*"}
    return re.compile("".join(wild.get(part) or re.escape(part) for part in re.split(r"(\*{1,2})", text)), re.DOTALL)
