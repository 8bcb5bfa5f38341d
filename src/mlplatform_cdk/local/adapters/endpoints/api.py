"""The SageMaker API's operations on endpoints, and what CloudFormation calls in their place."""

from __future__ import annotations

import threading
from typing import Any

from moto.sagemaker.models import FakeEndpoint, SageMakerModelBackend

from mlplatform_cdk.local.adapters.endpoints import configs
from mlplatform_cdk.local.adapters.endpoints.endpoint import LiveEndpoint
from mlplatform_cdk.local.adapters.sagemaker_api import Request, Scope, ValidationError, take_over

_CREATING = threading.Lock()


def install() -> None:
    """Take over the operations on endpoints."""
    take_over("CreateEndpoint", create)
    take_over("DescribeEndpoint", describe)
    take_over("UpdateEndpoint", update)
    take_over("UpdateEndpointWeightsAndCapacities", shift)
    take_over("DeleteEndpoint", delete)
    SageMakerModelBackend.create_endpoint = _create_for_cloudformation
    SageMakerModelBackend.delete_endpoint = _delete_for_cloudformation
    FakeEndpoint.update_from_cloudformation_json = classmethod(_update_for_cloudformation)


def create(scope: Scope, request: Request) -> Request:
    """Begin to bring an endpoint up."""
    name = request["EndpointName"]
    config = configs.find(scope, request["EndpointConfigName"])
    with _CREATING:
        if name in scope.backend.endpoints:
            raise ValidationError(f'Cannot create already existing endpoint "{scope.arn("endpoint", name)}".')
        endpoint = LiveEndpoint(scope, request, config)
        scope.backend.endpoints[name] = endpoint
    endpoint.create()
    return {"EndpointArn": endpoint.arn}


def describe(scope: Scope, request: Request) -> Request:
    """The live state."""
    return find(scope, request["EndpointName"]).describe()


def update(scope: Scope, request: Request) -> Request:
    """Begin to bring another configuration up."""
    endpoint = find(scope, request["EndpointName"])
    config = configs.find(scope, request["EndpointConfigName"])
    excluded = {entry["VariantPropertyType"] for entry in request.get("ExcludeRetainedVariantProperties") or []}
    endpoint.update(config, retain=bool(request.get("RetainAllVariantProperties")), excluded=excluded)
    return {"EndpointArn": endpoint.arn}


def shift(scope: Scope, request: Request) -> Request:
    """Begin to change weights and instance counts."""
    endpoint = find(scope, request["EndpointName"])
    endpoint.shift(request["DesiredWeightsAndCapacities"])
    return {"EndpointArn": endpoint.arn}


def delete(scope: Scope, request: Request) -> None:
    """Begin to take an endpoint down."""
    name = request["EndpointName"]

    def forget() -> None:
        scope.backend.endpoints.pop(name, None)

    find(scope, name).delete(forget)


def find(scope: Scope, name: str) -> LiveEndpoint:
    """The endpoint ``name``."""
    endpoint = scope.backend.endpoints.get(name)
    if endpoint is None:
        raise ValidationError(f'Could not find endpoint "{scope.arn("endpoint", name)}".')
    assert isinstance(endpoint, LiveEndpoint)
    return endpoint


def _create_for_cloudformation(
    self: SageMakerModelBackend, endpoint_name: str, endpoint_config_name: str, tags: list[dict[str, str]]
) -> LiveEndpoint:
    scope = Scope(self.account_id, self.region_name)
    create(scope, {"EndpointName": endpoint_name, "EndpointConfigName": endpoint_config_name, "Tags": tags})
    return _settle(find(scope, endpoint_name), endpoint_config_name)


def _delete_for_cloudformation(self: SageMakerModelBackend, endpoint_name: str) -> None:
    scope = Scope(self.account_id, self.region_name)
    endpoint = find(scope, endpoint_name)
    delete(scope, {"EndpointName": endpoint_name})
    endpoint.settled.wait()


def _update_for_cloudformation(
    cls: type[FakeEndpoint],  # noqa: ARG001 - a class method
    original_resource: LiveEndpoint,
    new_resource_name: str,  # noqa: ARG001 - moto's signature
    cloudformation_json: Any,
    account_id: str,  # noqa: ARG001
    region_name: str,  # noqa: ARG001
) -> LiveEndpoint:
    properties = cloudformation_json["Properties"]
    endpoint, name = original_resource, properties["EndpointConfigName"]
    if name != endpoint.endpoint_config_name:
        request = {key: properties[key] for key in ("RetainAllVariantProperties",) if key in properties}
        update(endpoint.scope, {"EndpointName": endpoint.endpoint_name, "EndpointConfigName": name, **request})
    return _settle(endpoint, name)


def _settle(endpoint: LiveEndpoint, config_name: str) -> LiveEndpoint:
    """Wait as CloudFormation does: in service on the configuration asked for, or an error."""
    endpoint.settled.wait()
    if endpoint.endpoint_status != "InService" or endpoint.endpoint_config_name != config_name:
        reason = endpoint.failure_reason or f"it stayed on {endpoint.endpoint_config_name}"
        raise ValidationError(f"endpoint {endpoint.endpoint_name} did not stabilize: {reason}")
    return endpoint
