"""The automation documents of a template: findings, and what the roles that take their steps need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlplatform_cdk.assembly.check.automation import steps
from mlplatform_cdk.assembly.check.loose import mapping, mappings
from mlplatform_cdk.assembly.check.permissions.actions import actions_of
from mlplatform_cdk.assembly.check.references import unmarked
from mlplatform_cdk.assembly.check.states.definitions import filled
from mlplatform_cdk.assembly.check.templates import Resource, Template
from mlplatform_cdk.assembly.findings import Finding, Severity

DOCUMENT = "AWS::SSM::Document"
_REASONS = {
    steps.FLOW: "the execution ends in the wrong place, or does not begin",
    steps.CALL: "the service refuses the call, but only when the step runs",
    steps.REFERENCE: "Systems Manager refuses the document, or the step gets the reference in place of its value",
    steps.PARAMETER: "whoever starts it with its defaults is refused",
    steps.SCRIPT: "the step fails, but only when it runs",
}


def documents(template: Template) -> Iterator[tuple[Resource, Mapping[str, Any]]]:
    """The automation documents of ``template`` with their contents, references filled in."""
    for resource in template.of_type(DOCUMENT):
        content = resource.properties.get("Content")
        if resource.properties.get("DocumentType") == "Automation" and isinstance(content, Mapping):
            yield resource, filled(template.references, content)


def automations(template: Template) -> Iterator[Finding]:
    """What is wrong with each document."""
    for resource, content in documents(template):
        for problem in steps.problems(content):
            yield resource.finding(
                problem.kind,
                Severity.ERROR,
                unmarked(f"{problem.where}: {problem.text}"),
                property_path=f"Content.mainSteps.{problem.where}",
                reason=_REASONS[problem.kind],
                tools=("mlplatform",),
            )


def needs_of_document(content: Mapping[str, Any]) -> Iterator[tuple[str, frozenset[str], Mapping[str, Any]]]:
    """For each step that calls AWS its place, the IAM actions that it takes, and what it gives."""
    for step in mappings(content.get("mainSteps")):
        place = f"step {step.get('name')}"
        if step.get("action") == "aws:approve":
            yield place, frozenset({"sns:Publish"}), {"TopicArn": mapping(step.get("inputs")).get("NotificationArn")}
        found = steps.called(step)
        if found is not None:
            yield place, actions_of(found.service, found.name), steps.given(step)
