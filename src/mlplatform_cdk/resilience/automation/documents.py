"""What an automation document consists of: parameters that are checked before anything runs, and steps.

Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Step = Mapping[str, Any]
# The role is a parameter where another service starts the document, and gives it.
ASSUMED = "AutomationAssumeRole"
# https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-executeScript.html
SCRIPT_RUNTIME = "python3.11"
LONGEST_WAIT_S = 604_800  # https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-waitForAwsResourceProperty.html


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What whoever starts a document gives.

    :param description: one sentence.
    :param pattern: what a text must match as a whole; default: anything.
    :param values: the only ones; default: any.
    :param default: for those who give none; default: it must be given.
    """

    description: str
    pattern: str | None = None
    values: Sequence[str] | None = None
    default: str | None = None

    def to_mapping(self) -> dict[str, Any]:
        """As the document has it."""
        found: dict[str, Any] = {"type": "String", "description": self.description}
        if self.pattern is not None:
            found["allowedPattern"] = f"^{self.pattern}$"
        if self.values is not None:
            found["allowedValues"] = [*self.values]
        if self.default is not None:
            found["default"] = self.default
        return found


def document(
    steps: Sequence[Step],
    *,
    description: str,
    parameters: Mapping[str, Parameter] | None = None,
    role: str | None = None,
    outputs: Sequence[str] = (),
) -> dict[str, Any]:
    """A document's content.

    :param steps: in their order; each goes on to the next one, unless it says otherwise.
    :param description: what it does, in Markdown.
    :param parameters: by name; default: none.
    :param role: the ARN of the role that takes the steps; default: a parameter of its own.
    :param outputs: what an execution tells at its end, such as ``Start.executionArn``.
    """
    given = {name: one.to_mapping() for name, one in (parameters or {}).items()}
    if role is None:
        given = {ASSUMED: {"type": "AWS::IAM::Role::Arn"}, **given}
    content: dict[str, Any] = {
        "schemaVersion": "0.3",
        "description": description,
        "assumeRole": f"{{{{ {ASSUMED} }}}}" if role is None else role,
        "parameters": given,
        "mainSteps": [*steps],
    }
    return content | ({"outputs": [*outputs]} if outputs else {})


def ask_api(
    name: str,
    service: str,
    api: str,
    inputs: Mapping[str, Any],
    *,
    outputs: Mapping[str, tuple[str, str]] | None = None,
    **more: Any,
) -> Step:
    """A call of AWS.

    :param service: boto3's name of it.
    :param api: such as ``StartExecution``.
    :param inputs: the call's parameters, by their names in the API.
    :param outputs: what later steps read: a JSONPath into the answer and its type by name.
    :param more: members of the step, such as ``nextStep``.
    """
    return _step(name, "aws:executeAwsApi", {"Service": service, "Api": api, **inputs}, _outputs(outputs), more)


def wait_for(
    name: str,
    service: str,
    api: str,
    inputs: Mapping[str, Any],
    *,
    path: str,
    values: Sequence[str],
    within_s: int,
    **more: Any,
) -> Step:
    """Ask again and again, until what ``path`` finds in the answer is one of ``values``.

    :param within_s: seconds; then the step has failed.
    """
    asked = {"Service": service, "Api": api, **inputs, "PropertySelector": path, "DesiredValues": [*values]}
    return _step(name, "aws:waitForAwsResourceProperty", asked, {}, {"timeoutSeconds": within_s, **more})


def expect(
    name: str, service: str, api: str, inputs: Mapping[str, Any], *, path: str, values: Sequence[str], **more: Any
) -> Step:
    """Ask once, and fail unless what ``path`` finds in the answer is one of ``values``."""
    asked = {"Service": service, "Api": api, **inputs, "PropertySelector": path, "DesiredValues": [*values]}
    return _step(name, "aws:assertAwsResourceProperty", asked, {}, more)


def run_script(
    name: str,
    file: Path,
    handler: str,
    payload: Mapping[str, str],
    *,
    outputs: Mapping[str, tuple[str, str]] | None = None,
    **more: Any,
) -> Step:
    """Run a function of ours, of one file of standard library and boto3, for ten minutes at most.

    :param file: the module; its whole text goes into the document.
    :param handler: the function's name.
    :param payload: what it gets.
    """
    code = file.read_text(encoding="utf-8")
    inputs = {"Runtime": SCRIPT_RUNTIME, "Handler": handler, "Script": code, "InputPayload": {**payload}}
    return _step(name, "aws:executeScript", inputs, _outputs(outputs), more)


def branch(name: str, *, on: str, ways: Mapping[str, str], otherwise: str) -> Step:
    """Go on where a value leads.

    :param on: what is compared, such as ``{{ Look.MustGo }}``.
    :param ways: the step by the value.
    :param otherwise: the step for every other value.
    """
    choices = [{"NextStep": step, "Variable": on, "StringEquals": value} for value, step in ways.items()]
    return {"name": name, "action": "aws:branch", "inputs": {"Choices": choices, "Default": otherwise}}


def approve(name: str, *, approvers: Sequence[str], topic: str, message: str, **more: Any) -> Step:
    """Wait until one of ``approvers`` has looked, for a day at most.

    :param approvers: ARNs of roles.
    :param topic: the ARN of the topic that tells them.
    """
    inputs = {"NotificationArn": topic, "Message": message, "MinRequiredApprovals": 1, "Approvers": [*approvers]}
    return _step(name, "aws:approve", inputs, {}, {"timeoutSeconds": 86_400, "onFailure": "Abort", **more})


def _step(name: str, action: str, inputs: Mapping[str, Any], made: Mapping[str, Any], more: Mapping[str, Any]) -> Step:
    return {"name": name, "action": action, "inputs": {**inputs}, **made, **more}


def _outputs(outputs: Mapping[str, tuple[str, str]] | None) -> dict[str, Any]:
    if not outputs:
        return {}
    return {"outputs": [{"Name": name, "Selector": path, "Type": kind} for name, (path, kind) in outputs.items()]}
