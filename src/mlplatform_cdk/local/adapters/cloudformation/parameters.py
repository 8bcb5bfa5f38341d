"""A template's parameters: defaults, types, and those that name a parameter of Systems Manager."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from moto.cloudformation.exceptions import ValidationError

from mlplatform_cdk.local.adapters.cloudformation.clients import client

_FROM_SSM = "AWS::SSM::Parameter::Value<"


def given_or_default(template: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    """The raw value of every parameter, as text; missing and unknown ones are refused."""
    declared = template.get("Parameters", {})
    unknown = sorted(given.keys() - declared.keys())
    if unknown:
        raise ValidationError(message=f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    values = {name: given.get(name, entry.get("Default")) for name, entry in declared.items()}
    missing = sorted(name for name, value in values.items() if value is None)
    if missing:
        raise ValidationError(message=f"Parameters: [{', '.join(missing)}] must have values")
    return {name: _checked(name, str(value), declared[name]) for name, value in values.items()}


def resolved(template: dict[str, Any], raw: dict[str, str], region: str) -> dict[str, Any]:
    """What ``Ref`` of each parameter gives."""
    return {name: _value(value, template["Parameters"][name]["Type"], region) for name, value in raw.items()}


def _checked(name: str, value: str, entry: dict[str, Any]) -> str:
    allowed = entry.get("AllowedValues")
    if allowed is not None and value not in map(str, allowed):
        raise ValidationError(message=f"Parameter '{name}' must be one of AllowedValues")
    return value


def _value(text: str, kind: str, region: str) -> Any:
    if kind.startswith(_FROM_SSM):
        return _value(_looked_up(text, region), kind.removeprefix(_FROM_SSM).removesuffix(">"), region)
    if kind.startswith("List<") or kind == "CommaDelimitedList":
        return [item.strip() for item in text.split(",")]
    return text


def _looked_up(name: str, region: str) -> str:
    try:
        return str(client("ssm", region).get_parameter(Name=name, WithDecryption=False)["Parameter"]["Value"])
    except ClientError:
        raise ValidationError(
            message=f"Unable to fetch parameters [{name}] from parameter store for this account."
        ) from None
