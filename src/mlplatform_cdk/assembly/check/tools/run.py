"""Both tools over all templates, in as many processes as there are cores, and their words as findings."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import Any, Self

from mlplatform_cdk.assembly.check.templates import Template
from mlplatform_cdk.assembly.check.tools import lint, nag
from mlplatform_cdk.assembly.errors import AssemblyError
from mlplatform_cdk.assembly.findings import Finding, Severity

_THREW = "Rule threw an error during validation"


def require_tools() -> None:
    """Refuse, in one sentence, an installation without the tools."""
    missing = [name for name in ("cfnlint", "cdk_nag") if importlib.util.find_spec(name) is None]
    if missing:
        raise AssemblyError("check needs cfn-lint and cdk-nag, which are not installed; install mlplatform-cdk[check]")


class ToolRun:
    """The tools at work on ``templates``, while the caller does something else; use it as a context.

    :param workers: processes; default: one per core.
    """

    def __init__(self, templates: Sequence[Template], *, workers: int | None = None) -> None:
        self._templates = templates
        self._pool = ProcessPoolExecutor(workers or os.cpu_count(), mp_context=get_context("spawn"))
        # A thread: it only waits for a process of its own, and a worker that waits would lint nothing.
        self._waiter = ThreadPoolExecutor(1)
        requests = [nag.request(one.path, one.account, one.region) for one in templates]
        self._nag: Future[list[dict[str, Any]]] = self._waiter.submit(nag.look, requests)
        # The largest first, so that no core waits at the end.
        self._lint = {
            one.file: self._pool.submit(lint.lint, one.path, one.region)
            for one in sorted(templates, key=lambda one: -one.path.stat().st_size)
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._waiter.shutdown(cancel_futures=True)

    def findings(self) -> Iterator[tuple[Finding, str | None]]:
        """Each finding of each tool, and why the template's own metadata ignores it, where it does."""
        answers = self._nag.result()
        for template, answer in zip(self._templates, answers, strict=True):
            for match in self._lint[template.file].result():
                yield _of_lint(template, match), match["ignored"]
            yield from ((finding, None) for finding in _of_nag(template, answer))


def _of_lint(template: Template, match: dict[str, Any]) -> Finding:
    return template.finding(
        match["rule"],
        Severity(match["severity"]),
        match["message"],
        match["logical_id"],
        property_path=match["property"],
        reason=match["reason"],
        url=match["url"],
        tools=(lint.TOOL,),
    )


def _of_nag(template: Template, answer: dict[str, Any]) -> Iterator[Finding]:
    if "error" in answer:
        yield template.finding(
            "cdk-nag-unreadable",
            Severity.WARNING,
            f"cdk-nag cannot read the template, so its packs did not look: {answer['error']}",
            tools=(nag.TOOL,),
        )
    for violation in answer.get("violations", ()):
        threw = _THREW in violation["message"]
        yield template.finding(
            violation["rule"],
            Severity.WARNING if threw else Severity(violation["severity"]),
            "cdk-nag cannot evaluate the rule here, since a value is known at deployment only"
            if threw
            else violation["message"],
            violation["logical_id"],
            url=nag.URL,
            tools=(nag.TOOL,),
        )


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each fact once: what several packs say of one resource by one rule is one finding with all their ids."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        told = finding.tools == (nag.TOOL,)
        rule = nag.same_rule(finding.rule) if told else finding.rule
        # Packs word one rule differently; cfn-lint says different things of one resource by one rule.
        words = "" if told else f"{finding.message}\n{finding.property_path}"
        groups.setdefault((finding.stack, finding.logical_id, rule, words), []).append(finding)
    return tuple(_one(group) for group in groups.values())


def _one(group: list[Finding]) -> Finding:
    first = min(group, key=lambda finding: finding.order)
    ids = dict.fromkeys(finding.rule for finding in group)
    others = tuple(rule for rule in ids if rule != first.rule)
    named = tuple(dict.fromkeys(_tool(finding) for finding in group))
    return replace(first, aliases=others, tools=named)


def _tool(finding: Finding) -> str:
    if finding.tools != (nag.TOOL,):
        return ", ".join(finding.tools)
    return f"{nag.TOOL} {finding.rule.partition('-')[0]}"
