"""State machines as CloudFormation would deploy them: a template's definition with its references filled in."""

import json
from collections.abc import Mapping
from typing import Any

from mlplatform_cdk.assembly.check.references import References, unmarked
from mlplatform_cdk.assembly.check.states import definitions


def machines(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The definition of each state machine in ``template``, by logical id."""
    found = {}
    for name, definition in definitions(References(template)):
        assert isinstance(definition, dict), definition
        found[name] = json.loads(unmarked(json.dumps(definition, ensure_ascii=False)))
    return found


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
