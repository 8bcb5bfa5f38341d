"""The state machines of a template against the services that they call."""

from __future__ import annotations

from collections.abc import Iterator

from mlplatform_cdk.assembly.check.references import unmarked
from mlplatform_cdk.assembly.check.states import machine
from mlplatform_cdk.assembly.check.states.definitions import definitions
from mlplatform_cdk.assembly.check.templates import Template
from mlplatform_cdk.assembly.findings import Finding, Severity

TOOL = "mlplatform"
_SEVERITIES = {
    machine.FLOW: Severity.ERROR,
    machine.CALL: Severity.ERROR,
    machine.EXPRESSION: Severity.ERROR,
    machine.TIMEOUT: Severity.WARNING,
    machine.RETRY: Severity.INFO,
    machine.CATCH: Severity.INFO,
}
_REASONS = {
    machine.FLOW: "the run would fail, or end in the wrong place",
    machine.CALL: "the service refuses the call, but only when the state runs",
    machine.EXPRESSION: "the run fails, or hands on the path instead of its value",
    machine.TIMEOUT: "a task that hears nothing waits for a year",
    machine.RETRY: "one throttled call fails the whole run, or many runs hammer the service at once",
    machine.CATCH: "a failure ends the run without a word to anyone",
}


def state_machines(template: Template) -> Iterator[Finding]:
    """What is wrong with each state machine."""
    for name, definition in definitions(template.references, lambda key: _text(template, key)):
        if isinstance(definition, str):
            yield template.finding("asl-unreadable", Severity.WARNING, unmarked(definition), name, tools=(TOOL,))
            continue
        for problem in machine.problems(definition):
            yield template.finding(
                problem.kind,
                _SEVERITIES[problem.kind],
                unmarked(str(problem)),
                name,
                property_path=f"Definition.States.{problem.state}",
                reason=_REASONS[problem.kind],
                tools=(TOOL,),
            )


def _text(template: Template, key: str) -> str | None:
    path = template.assets.get(key)
    return path.read_text(encoding="utf-8") if path and path.is_file() else None
