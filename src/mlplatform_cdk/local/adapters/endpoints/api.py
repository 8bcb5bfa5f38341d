"""The SageMaker API's operations on endpoints."""

from __future__ import annotations

import threading

from mlplatform_cdk.local.adapters.endpoints import configs
from mlplatform_cdk.local.adapters.endpoints.endpoint import LiveEndpoint
from mlplatform_cdk.local.adapters.endpoints.invocations import METRICS
from mlplatform_cdk.local.adapters.sagemaker_api import Request, Scope, ValidationError, take_over

_CREATING = threading.Lock()


def install() -> None:
    """Take over the operations on endpoints."""
    take_over("CreateEndpoint", create)
    take_over("DescribeEndpoint", describe)
    take_over("UpdateEndpoint", update)
    take_over("UpdateEndpointWeightsAndCapacities", shift)
    take_over("DeleteEndpoint", delete)


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
    METRICS.watch()
    return {"EndpointArn": endpoint.arn}


def describe(scope: Scope, request: Request) -> Request:
    """The live state."""
    return find(scope, request["EndpointName"]).describe()


def update(scope: Scope, request: Request) -> Request:
    """Begin to bring another configuration up."""
    endpoint = find(scope, request["EndpointName"])
    config = configs.find(scope, request["EndpointConfigName"])
    excluded = {entry["VariantPropertyType"] for entry in request.get("ExcludeRetainedVariantProperties") or []}
    endpoint.update(
        config,
        retain=bool(request.get("RetainAllVariantProperties")),
        excluded=excluded,
        deployment=request.get("DeploymentConfig"),
    )
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
