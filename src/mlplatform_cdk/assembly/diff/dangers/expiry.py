"""Rules by which a bucket or a repository deletes by itself: what goes sooner than before, or goes at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.assembly.diff.canonical import branches
from mlplatform_cdk.assembly.diff.dangers.place import danger
from mlplatform_cdk.assembly.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlplatform_cdk.assembly.diff.canonical import Resource
    from mlplatform_cdk.assembly.diff.model import ResourceChange, StackDiff

_YEAR = 365


@dataclass(frozen=True, slots=True)
class _Expiry:
    """What one rule deletes.

    :param left: how much it leaves: days, or how many; None where only deployment knows.
    :param among: what else the rule asks of what it deletes.
    """

    what: str
    left: float | None
    unit: str
    prefix: str = ""
    among: frozenset[str] = frozenset()

    def covers(self, other: _Expiry) -> bool:
        """Whether all that ``other`` deletes is deleted by this, as soon."""
        alike = (self.what, self.unit) == (other.what, other.unit) and self.among <= other.among
        sooner = self.left is None or other.left is None or self.left <= other.left
        return alike and sooner and other.prefix.startswith(self.prefix)

    def __str__(self) -> str:
        if self.left is None:
            return ""
        where = f" under {self.prefix}" if self.prefix else ""
        limit = f"{'after' if self.unit == 'days' else 'beyond'} {_counted(self.left, self.unit)}"
        return f"{self.what}{where} are now deleted {limit}"


def shortened(stack: StackDiff) -> Iterator[Finding]:
    """What the changes of ``stack`` delete that was kept, or unlock."""
    for change in stack.changes:
        if change.before is None or change.after is None or change.before.type != change.after.type:
            continue
        before, after = list(_expiries(change.before)), list(_expiries(change.after))
        for one in after:
            if str(one) and not any(old.covers(one) for old in before):
                yield _finding(stack, change, "retention-weakened", str(one))
        yield from _unlocked(stack, change, *map(_lock, (change.before, change.after)))


def _expiries(resource: Resource) -> Iterator[_Expiry]:
    if resource.type == "AWS::S3::Bucket":
        for rule in _rules(resource.properties.get("LifecycleConfiguration"), "Rules"):
            if rule.get("Status") == "Enabled":
                yield from _of_bucket(rule)
    if resource.type == "AWS::ECR::Repository":
        policy = resource.properties.get("LifecyclePolicy")
        for rule in _rules(policy.get("LifecyclePolicyText") if isinstance(policy, dict) else None, "rules"):
            yield from _of_repository(rule.get("selection"))


def _rules(block: Any, name: str) -> list[dict[str, Any]]:
    rules = block.get(name) if isinstance(block, dict) else None
    return [one for one in rules if isinstance(one, dict)] if isinstance(rules, list) else []


def _of_bucket(rule: Mapping[str, Any]) -> Iterator[_Expiry]:
    asked = ("TagFilters", "ObjectSizeGreaterThan", "ObjectSizeLessThan")
    among = frozenset(f"{name} {one}" for name in asked for _, one in branches.members(rule.get(name)))
    prefix = str(rule.get("Prefix", ""))
    if "ExpirationInDays" in rule or "ExpirationDate" in rule:
        yield _Expiry("objects", _number(rule.get("ExpirationInDays", 0)), "days", prefix, among)
    older = rule.get("NoncurrentVersionExpiration")
    days = older.get("NoncurrentDays") if isinstance(older, dict) else rule.get("NoncurrentVersionExpirationInDays")
    if days is not None:
        kept = str(older.get("NewerNoncurrentVersions", "")) if isinstance(older, dict) else ""
        more = frozenset({f"not the newest {kept}"} if kept else ())
        yield _Expiry("earlier versions of objects", _number(days), "days", prefix, among | more)


def _of_repository(selection: Any) -> Iterator[_Expiry]:
    if isinstance(selection, dict):
        status = str(selection.get("tagStatus", "any"))
        asked = [f"{name} {selection[name]}" for name in ("tagPrefixList", "tagPatternList") if selection.get(name)]
        among = frozenset([*asked, *([] if status == "any" else [status])])
        unit = "images" if selection.get("countType") == "imageCountMoreThan" else "days"
        yield _Expiry("images", _number(selection.get("countNumber")), unit, "", among)


def _lock(bucket: Resource) -> tuple[float | None, str]:
    """For how many days an object cannot be deleted from a bucket, and how strictly."""
    found: Any = bucket.properties
    for name in ("ObjectLockConfiguration", "Rule", "DefaultRetention"):
        found = found.get(name) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return 0, ""
    days, years = _number(found.get("Days", 0)), _number(found.get("Years", 0))
    return None if days is None or years is None else days + _YEAR * years, str(found.get("Mode", ""))


def _unlocked(
    stack: StackDiff, change: ResourceChange, before: tuple[float | None, str], after: tuple[float | None, str]
) -> Iterator[Finding]:
    (old, mode), (new, other) = before, after
    if old is not None and new is not None and new < old:
        message = f"new objects are locked for {_counted(new, 'days')}, and were for {old:g}"
        yield _finding(stack, change, "retention-weakened", message)
    if mode == "COMPLIANCE" != other:
        message = f"the object lock goes from {mode} to {other or '(none)'}"
        yield _finding(stack, change, "protection-weakened", message)


def _finding(stack: StackDiff, change: ResourceChange, rule: str, message: str) -> Finding:
    names = {"LifecycleConfiguration", "LifecyclePolicy", "ObjectLockConfiguration"}
    return danger(
        rule,
        Severity.WARNING,
        f"{change.resource.type}: {message}",
        stack=stack,
        resource=change.resource,
        change=next((one for one in change.properties if names & set(one.path)), None),
        reason="what was kept is deleted soon after the deployment, or can be"
        if rule == "retention-weakened"
        else "whoever has the permission can now delete what nobody could",
        way_out="keep it as it was, or export what must stay first",
    )


def _counted(amount: float, unit: str) -> str:
    return f"{amount:g} {unit if amount != 1 else unit.removesuffix('s')}"


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
