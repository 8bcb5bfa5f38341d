"""Automation documents of Systems Manager: one breaks something and waits, the other mends it.

They are two, since an execution that is cancelled, as AWS FIS does where an alarm stops an experiment, has little time
left for what is to be done then, and SageMaker takes minutes until it lets an endpoint be changed again: it is enough
to start the one that mends. Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-actions.html
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-executeScript.html
_RUNTIME = "python3.11"
_SCRIPTS = Path(__file__).parent / "runtime"


def breaking(
    script: str, *, given: Mapping[str, str], kept: Sequence[str], lasts: str, mending: str, mending_role: str
) -> dict[str, Any]:
    """The content of the document that breaks, waits, and has it mended, however the wait ends.

    :param script: a module of ``runtime``, whose ``break_it`` it runs.
    :param given: what the function gets.
    :param kept: what the function answers, all texts, for the document that mends.
    :param lasts: how long, in ISO 8601, such as ``PT10M``.
    :param mending: the name of the document that mends.
    :param mending_role: the ARN of the role that mends.
    """
    outputs = [{"Name": name, "Selector": f"$.Payload.{name}", "Type": "String"} for name in kept]
    told = {"AutomationAssumeRole": [mending_role], **{name: [f"{{{{ Break.{name} }}}}"] for name in kept}}
    return _document(
        [
            {**_run("Break", script, "break_it", given), "outputs": outputs, "onFailure": "Abort", "nextStep": "Wait"},
            {
                "name": "Wait",
                "action": "aws:sleep",
                "inputs": {"Duration": lasts},
                "onFailure": "step:Mend",
                "onCancel": "step:Mend",
                "nextStep": "Mend",
            },
            {
                "name": "Mend",
                "action": "aws:executeAwsApi",
                "maxAttempts": 3,
                "inputs": {
                    "Service": "ssm",
                    "Api": "StartAutomationExecution",
                    "DocumentName": mending,
                    "Parameters": told,
                },
                "isEnd": True,
            },
        ]
    )


def mending(script: str, *, given: Mapping[str, str], kept: Sequence[str]) -> dict[str, Any]:
    """The content of the document that mends.

    :param script: a module of ``runtime``, whose ``mend`` it runs.
    :param given: what the function gets.
    :param kept: what it gets besides, from the one that broke.
    """
    payload = {**given, **{name: f"{{{{ {name} }}}}" for name in kept}}
    return _document([{**_run("Mend", script, "mend", payload), "maxAttempts": 3, "isEnd": True}], kept)


def _document(steps: Sequence[Mapping[str, Any]], parameters: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "schemaVersion": "0.3",
        "assumeRole": "{{ AutomationAssumeRole }}",
        "parameters": {
            "AutomationAssumeRole": {"type": "AWS::IAM::Role::Arn"},
            **{name: {"type": "String"} for name in parameters},
        },
        "mainSteps": [*steps],
    }


def _run(name: str, script: str, handler: str, payload: Mapping[str, str]) -> dict[str, Any]:
    code = (_SCRIPTS / f"{script}.py").read_text(encoding="utf-8")
    inputs = {"Runtime": _RUNTIME, "Handler": handler, "Script": code, "InputPayload": {**payload}}
    return {"name": name, "action": "aws:executeScript", "inputs": inputs}
