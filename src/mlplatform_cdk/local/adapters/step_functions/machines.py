"""``AWS::StepFunctions::StateMachine`` in the backend that executes, with all its properties.

moto puts a template's machine into the backend that only records, and reads its definition, role and name alone.
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.s3.models import s3_backends
from moto.stepfunctions.models import StateMachine
from moto.stepfunctions.responses import get_backend
from moto.stepfunctions.utils import cfn_to_api_tags
from moto.utilities.utils import get_partition

LONGEST_NAME = 80
ATTRIBUTES = ("Arn", "Name", "StateMachineRevisionId", "DefinitionString", "RoleArn", "StateMachineName", "Tags")


def install() -> None:
    """Replace moto's CloudFormation hooks of a state machine."""
    StateMachine.create_from_cloudformation_json = classmethod(_create)  # type: ignore[arg-type]
    StateMachine.update_from_cloudformation_json = classmethod(_update)
    StateMachine.delete_from_cloudformation_json = classmethod(_delete)
    StateMachine.has_cfn_attr = classmethod(lambda _cls, attr: attr in ATTRIBUTES)
    if not hasattr(StateMachine, "_moto_get_cfn_attribute"):
        StateMachine._moto_get_cfn_attribute = StateMachine.get_cfn_attribute
    StateMachine.get_cfn_attribute = _get_attribute


def _create(
    _cls: type[StateMachine],
    resource_name: str,
    cloudformation_json: dict[str, Any],
    account_id: str,
    region_name: str,
    **_: Any,
) -> StateMachine:
    properties = cloudformation_json["Properties"]
    name = properties.get("StateMachineName") or _name_within_the_limit(resource_name)
    return get_backend(account_id, region_name).create_state_machine(
        name,
        definition_of(properties, account_id, region_name),
        properties["RoleArn"],
        tags=cfn_to_api_tags(properties.get("Tags", [])),
        sm_type=properties.get("StateMachineType"),
        **_configurations(properties),
    )


def _update(
    cls: type[StateMachine],
    original_resource: StateMachine,
    new_resource_name: str,
    cloudformation_json: dict[str, Any],
    account_id: str,
    region_name: str,
) -> StateMachine:
    properties = cloudformation_json["Properties"]
    name = properties.get("StateMachineName", original_resource.name)
    machine_type = properties.get("StateMachineType", "STANDARD")
    if name != original_resource.name or machine_type != original_resource.type:
        replaced = _create(cls, new_resource_name, cloudformation_json, account_id, region_name)
        _delete(cls, original_resource.arn, cloudformation_json, account_id, region_name)
        return replaced
    backend = get_backend(account_id, region_name)
    settings = _configurations(properties)
    machine = backend.update_state_machine(
        original_resource.arn,
        definition=definition_of(properties, account_id, region_name),
        role_arn=properties["RoleArn"],
        logging_configuration=settings["loggingConfiguration"],
        tracing_configuration=settings["tracingConfiguration"],
        encryption_configuration=settings["encryptionConfiguration"],
    )
    backend.tagger.tag_resource(machine.arn, cfn_to_api_tags(properties.get("Tags", [])))
    return machine


def _delete(
    _cls: type[StateMachine],
    resource_name: str,
    cloudformation_json: dict[str, Any],  # noqa: ARG001 -- moto's signature
    account_id: str,
    region_name: str,
) -> None:
    get_backend(account_id, region_name).delete_state_machine(resource_name)


def _get_attribute(machine: StateMachine, attribute_name: str) -> Any:
    if attribute_name == "Arn":
        return machine.arn
    if attribute_name == "StateMachineRevisionId":
        return f"{machine.name}-{machine.update_date.timestamp()}"
    return machine._moto_get_cfn_attribute(attribute_name)


def definition_of(properties: dict[str, Any], account_id: str, region_name: str) -> str:
    """The definition as text: inline, as an object or out of S3, with its substitutions made."""
    if "DefinitionString" in properties:
        text = str(properties["DefinitionString"])
    elif "Definition" in properties:
        text = json.dumps(properties["Definition"])
    else:
        place = properties["DefinitionS3Location"]
        bucket = s3_backends[account_id][get_partition(region_name)]
        text = bucket.get_object(place["Bucket"], place["Key"], version_id=place.get("Version")).value.decode()
    substitutions = properties.get("DefinitionSubstitutions", {})
    return re.sub(r"\$\{([^}]+)\}", lambda found: str(substitutions.get(found[1], found[0])), text)


def _configurations(properties: dict[str, Any]) -> dict[str, Any]:
    logging, tracing = properties.get("LoggingConfiguration"), properties.get("TracingConfiguration")
    return {
        "loggingConfiguration": _lower(logging) if logging else None,
        "tracingConfiguration": {"enabled": _is_true(tracing.get("Enabled"))} if tracing else None,
        "encryptionConfiguration": _lower(properties.get("EncryptionConfiguration")),
    }


def _lower(value: Any) -> Any:
    """CloudFormation writes ``LogGroupArn`` where the API has ``logGroupArn``."""
    if isinstance(value, dict):
        return {
            key[0].lower() + key[1:]: _is_true(inner) if key == "IncludeExecutionData" else _lower(inner)
            for key, inner in value.items()
        }
    return [_lower(inner) for inner in value] if isinstance(value, list) else value


def _is_true(value: object) -> bool:
    return str(value).lower() == "true"


def _name_within_the_limit(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 14]}-{name[-13:].lstrip('-')}"
