"""State machines as CloudFormation would deploy them: a template's definition with its references filled in."""

import json
import re
from collections.abc import Mapping
from typing import Any

_ACCOUNT, _REGION = "123456789012", "us-east-1"
_PSEUDO = {
    "AWS::Partition": "aws",
    "AWS::Region": _REGION,
    "AWS::AccountId": _ACCOUNT,
    "AWS::URLSuffix": "amazonaws.com",
}
_ARNS = {
    "AWS::IAM::Role": f"arn:aws:iam::{_ACCOUNT}:role/{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{_REGION}:{_ACCOUNT}:function:{{}}",
    "AWS::KMS::Key": f"arn:aws:kms:{_REGION}:{_ACCOUNT}:key/{{}}",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
}


def machines(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The definition of each state machine in ``template``, by logical id."""
    return {
        name: json.loads(_text(template, resource["Properties"]["DefinitionString"]))
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    }


def granted_actions(template: Mapping[str, Any], machine: str) -> set[str]:
    """The actions that the policies of the role of ``machine`` allow."""
    role = template["Resources"][machine]["Properties"]["RoleArn"]["Fn::GetAtt"][0]
    attached = {one["Ref"] for one in template["Resources"][role]["Properties"].get("ManagedPolicyArns", [])}
    actions: set[str] = set()
    for name, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if name in attached or {"Ref": role} in properties.get("Roles", []):
            for statement in properties["PolicyDocument"]["Statement"]:
                named = statement["Action"]
                actions |= {named} if isinstance(named, str) else set(named)
    return actions


def _text(template: Mapping[str, Any], value: Any) -> str:
    """``value`` with references replaced by plausible names."""
    match value:
        case str():
            return value
        case {"Fn::Join": [delimiter, parts]}:
            return str(delimiter).join(_text(template, part) for part in parts)
        case {"Fn::Sub": str() as text}:
            return re.sub(r"\$\{([^}]*)\}", lambda found: _reference(template, found[1]), text)
        case {"Ref": name}:
            return _reference(template, name)
        case {"Fn::GetAtt": [name, _]}:
            kind = template["Resources"][name]["Type"]
            return _ARNS.get(kind, f"arn:aws:other:{_REGION}:{_ACCOUNT}:{{}}").format(name)
        case {"Fn::ImportValue": _} | {"Fn::FindInMap": _} | {"Fn::Select": _}:
            return "looked-up"
    raise AssertionError(f"a definition must hold references that are known here, got {value!r}")


def _reference(template: Mapping[str, Any], name: str) -> str:
    if name in _PSEUDO:
        return _PSEUDO[name]
    kind = template["Resources"].get(name, {}).get("Type", "")
    if kind == "AWS::SNS::Topic":
        return f"arn:aws:sns:{_REGION}:{_ACCOUNT}:{name}"
    return name.lower() if kind == "AWS::S3::Bucket" else name
