"""CDK's ``AwsCustomResource``: calls of AWS written down in a template, against the services' own models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from mlplatform_cdk.assembly.check.loose import mapping
from mlplatform_cdk.assembly.check.references import quoted_marks, unmarked
from mlplatform_cdk.assembly.check.service_model import Caller, operation, service_model
from mlplatform_cdk.assembly.check.states.calls import botocore_name
from mlplatform_cdk.assembly.check.templates import Resource, Template
from mlplatform_cdk.assembly.findings import Finding, Severity

_KIND = "Custom::AWS"
_MOMENTS = ("Create", "Update", "Delete")
_PHYSICAL_ID = "PHYSICAL:RESOURCEID:"


def sdk_calls(template: Template) -> Iterator[Finding]:
    """Unknown services and actions, and parameters that the service would refuse."""
    for resource in template.of_type(_KIND):
        for moment in _MOMENTS:
            for problem in _problems(resource, moment):
                yield resource.finding(
                    "sdk-call",
                    Severity.ERROR,
                    unmarked(problem),
                    property_path=moment,
                    reason="the service refuses the call, but only when the stack is deployed",
                    tools=("mlplatform",),
                )


def _problems(resource: Resource, moment: str) -> Iterator[str]:
    written = resource.properties.get(moment)
    if written is None:
        return
    try:
        call = mapping(json.loads(quoted_marks(resource.template.references.text(written))))
    except json.JSONDecodeError:
        yield f"{moment} is not the JSON of a call"
        return
    found = _operation(str(call.get("service", "")), str(call.get("action", "")))
    if isinstance(found, str):
        yield f"{moment}: {found}"
    else:
        caller = Caller(expression=lambda value: isinstance(value, str) and value.startswith(_PHYSICAL_ID))
        yield from found.check(call.get("parameters", {}), f"{moment}.parameters", caller)


def _operation(service: str, action: str) -> Any:
    """By JavaScript's names: ``S3`` or ``@aws-sdk/client-s3``, ``putObject`` or ``PutObjectCommand``."""
    squeezed = re.sub(r"[^a-z0-9]", "", service.lower().removeprefix("@aws-sdk/client-"))
    name = botocore_name(squeezed)
    model = service_model(name)
    if model is None:
        return f"the service {service!r} does not exist"
    wanted = action.removesuffix("Command").lower()
    spelling = next((one for one in model.operation_names if one.lower() == wanted), None)
    return operation(name, spelling) if spelling else f"the service {service!r} has no action {action!r}"
