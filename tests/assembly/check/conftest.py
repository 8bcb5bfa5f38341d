"""Templates by hand, so that each check is seen to find one thing and to let its mended form be."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mlplatform_cdk.assembly.check.templates import Template

Make = Callable[..., Template]
TRUST = {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "x.amazonaws.com"}}]}


@pytest.fixture
def template(tmp_path: Path) -> Make:
    """Make a template of these resources."""

    def make(resources: Mapping[str, Any], **more: Any) -> Template:
        outputs = more.pop("outputs", {})
        path = tmp_path / "stack.template.json"
        document = {"Resources": dict(resources), "Outputs": outputs}
        path.write_text(json.dumps(document))
        values = {"account": "123456789012", "region": "eu-west-1", **more}
        return Template(stack="App/Stack", file=path.name, path=path, document=document, **values)

    return make


def role(*actions: str, **properties: Any) -> dict[str, Any]:
    """A role with one inline policy."""
    statement = {"Effect": "Allow", "Action": [*actions], "Resource": "*"}
    policy = {"PolicyName": "Inline", "PolicyDocument": {"Statement": [statement]}}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {"AssumeRolePolicyDocument": TRUST, "Policies": [policy], **properties},
    }


def function(code: str, **properties: Any) -> dict[str, Any]:
    """A function whose code stands in the template, under the role ``Role``."""
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.13",
            "Handler": "index.handle",
            "Code": {"ZipFile": code},
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            **properties,
        },
    }


def machine(*states: Mapping[str, Any], **properties: Any) -> dict[str, Any]:
    """A state machine of these tasks, under the role ``Role``."""
    chain = {
        f"S{index}": {"Type": "Task", "TimeoutSeconds": 60, **state, "Next": f"S{index + 1}"}
        for index, state in enumerate(states)
    }
    definition = {"StartAt": "S0", "States": {**chain, f"S{len(states)}": {"Type": "Succeed"}}}
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            "DefinitionString": json.dumps(definition),
            **properties,
        },
    }
