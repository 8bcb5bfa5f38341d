"""A project's own rules: Python functions which are given a resource and yield what is wrong with it.

from mlplatform_cdk.assembly.check.policy import Resource, rule

@rule("acme-owner", "AWS::S3::Bucket", way_out="tag it with owner")
def every_bucket_has_an_owner(resource: Resource) -> Iterator[str]:
    if not any(tag["Key"] == "owner" for tag in resource.get("Tags") or []):
        yield "the bucket has no owner"
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mlplatform_cdk.assembly.check.templates import Resource, Template
from mlplatform_cdk.assembly.errors import AssemblyError
from mlplatform_cdk.assembly.findings import Finding, Severity

__all__ = ["Resource", "Violation", "rule"]

_MARK = "__mlplatform_rule__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """What a rule found, where a sentence alone is not enough.

    :param property_path: the property, dotted; default: the whole resource.
    :param way_out: what to do about it; default: the rule's own.
    """

    message: str
    property_path: str = ""
    way_out: str = ""


Judge = Callable[[Resource], Iterable[str | Violation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a project."""

    id: str
    types: frozenset[str]
    severity: Severity
    reason: str
    way_out: str
    url: str
    source: str
    judge: Judge

    def findings(self, template: Template) -> Iterator[Finding]:
        """What the rule finds in ``template``."""
        for resource in template.resources:
            if not self.types or resource.type in self.types:
                for found in self._judged(resource):
                    violation = Violation(message=found) if isinstance(found, str) else found
                    yield resource.finding(
                        self.id,
                        self.severity,
                        violation.message,
                        property_path=violation.property_path,
                        reason=self.reason,
                        way_out=violation.way_out or self.way_out,
                        url=self.url,
                        tools=(self.source,),
                    )

    def _judged(self, resource: Resource) -> list[str | Violation]:
        try:
            return [*self.judge(resource)]
        except Exception as error:
            place = resource.construct_path or resource.logical_id
            what = f"{type(error).__name__}: {error}"
            raise AssemblyError(f"rule {self.id} of {self.source} failed at {place}: {what}") from error


def rule(id: str, *types: str, severity: str = "error", way_out: str = "", url: str = "") -> Callable[[Judge], Judge]:
    """Make a rule of the function below; its docstring says why the rule exists.

    :param id: the rule's stable id, which acknowledgements name.
    :param types: the resource types that it is given, such as ``AWS::S3::Bucket``; default: all.
    :param severity: ``error``, ``warning`` or ``info``; default: error.
    :param way_out: what to do about a finding.
    :param url: where to read more.
    """

    def mark(judge: Judge) -> Judge:
        made = Rule(
            id=id,
            types=frozenset(types),
            severity=Severity(severity),
            reason=" ".join((judge.__doc__ or "").split()),
            way_out=way_out,
            url=url,
            source=Path(judge.__code__.co_filename).name,
            judge=judge,
        )
        setattr(judge, _MARK, made)
        return judge

    return mark


def read_policy(path: Path) -> tuple[Rule, ...]:
    """The rules of the Python file ``path``, in its order."""
    name = f"mlplatform_policy_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if not path.exists():
        raise AssemblyError(f"{path} does not exist; name a file of rules that does")
    if spec is None or spec.loader is None or not path.is_file():
        raise AssemblyError(f"a policy is a Python file, got {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise AssemblyError(f"the policy {path} cannot be imported: {type(error).__name__}: {error}") from error
    found = [getattr(member, _MARK, None) for member in vars(module).values()]
    rules = tuple(dict.fromkeys(one for one in found if isinstance(one, Rule)))
    if not rules:
        raise AssemblyError(f"the policy {path} has no rule; decorate a function with @rule")
    return rules
