"""Custom resources: the function behind ``ServiceToken`` is invoked, and answers by calling ``ResponseURL``.

moto waits for no answer and knows creations only.
"""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from mlplatform_cdk.local import settings
from mlplatform_cdk.local.adapters.cloudformation.clients import client
from mlplatform_cdk.local.adapters.cloudformation.resource import CannotProvision

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Resource

PATIENCE_SECONDS = 120.0
PATH = "/moto-api/custom-resource/"


@dataclass(slots=True)
class _Waiting:
    answered: threading.Event = field(default_factory=threading.Event)
    answer: dict[str, Any] = field(default_factory=dict)


_waiting: dict[str, _Waiting] = {}


def answered(request_id: str, body: str) -> bool:
    """Take the answer to a request; False when nobody waits for it."""
    waiting = _waiting.get(request_id)
    if waiting is None:
        return False
    waiting.answer = json.loads(body)
    waiting.answered.set()
    return True


@dataclass(frozen=True, slots=True)
class CustomKind:
    """A resource that a function of the template (or of another one) makes."""

    stand_in: str = ""

    def create(self, resource: Resource) -> None:
        """Ask the function for a new resource."""
        self._take(resource, _ask(resource, "Create", {}))

    def update(self, resource: Resource, before: Resource) -> None:
        """Ask the function for a change; with another physical id in its answer, the old one is deleted later."""
        resource.physical_resource_id = before.physical_resource_id
        self._take(resource, _ask(resource, "Update", {"OldResourceProperties": _plain(before)}))

    def delete(self, resource: Resource) -> None:
        """Ask the function to delete the resource."""
        _ask(resource, "Delete", {})

    def attribute(self, resource: Resource, name: str) -> Any:
        """Look into the ``Data`` of the last answer."""
        return resource.attributes[name]

    def _take(self, resource: Resource, answer: dict[str, Any]) -> None:
        resource.physical_resource_id = str(answer.get("PhysicalResourceId") or resource.generated_name(256))
        resource.attributes = answer.get("Data") or {}


def _ask(resource: Resource, request: str, more: dict[str, Any]) -> dict[str, Any]:
    request_id = str(uuid.uuid4())
    event: dict[str, Any] = {
        "RequestType": request,
        "ResponseURL": f"{settings.current().endpoint_url}{PATH}{request_id}",
        "StackId": resource.stack_id,
        "RequestId": request_id,
        "LogicalResourceId": resource.logical_resource_id,
        "ResourceType": resource.cf_resource_type,
        "ResourceProperties": _plain(resource),
        **more,
    }
    if request != "Create":
        event["PhysicalResourceId"] = resource.physical_resource_id
    waiting = _waiting[request_id] = _Waiting()
    try:
        _invoke(resource, event, waiting)
        if not waiting.answered.wait(PATIENCE_SECONDS):
            raise CannotProvision(f"the custom resource did not answer within {PATIENCE_SECONDS:.0f} seconds")
    finally:
        del _waiting[request_id]
    if waiting.answer.get("Status") != "SUCCESS":
        raise CannotProvision(f"Received response status [FAILED] from custom resource. {waiting.answer.get('Reason')}")
    return waiting.answer


def _invoke(resource: Resource, event: dict[str, Any], waiting: _Waiting) -> None:
    """Invoke and look at the outcome at once: a function that fails before it answers would be waited for in vain."""
    token = resource.properties["ServiceToken"]
    payload = json.dumps(event | {"ServiceToken": token})
    if ":sns:" in token:
        client("sns", resource.region).publish(TopicArn=token, Message=payload)
        return
    try:
        answer = client("lambda", resource.region).invoke(FunctionName=token, Payload=payload)
    except ClientError as error:
        raise CannotProvision(f"invoking {token}: {error.response['Error']['Message']}") from None
    if "FunctionError" in answer and not waiting.answered.is_set():
        raise CannotProvision(f"the function of the custom resource failed: {answer['Payload'].read().decode()}")


def _plain(resource: Resource) -> dict[str, Any]:
    """The properties with every scalar as text, as CloudFormation sends them."""
    return {key: _stringly(value) for key, value in resource.properties.items()}


def _stringly(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _stringly(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_stringly(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
