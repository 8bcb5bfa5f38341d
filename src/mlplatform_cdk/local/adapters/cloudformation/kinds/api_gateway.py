"""REST APIs and what belongs to them. How they answer is the API Gateway adapter's; here they get their settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.apigateway.models import apigateway_backends

from mlplatform_cdk.local.adapters.cloudformation.api import ApiKind, changes
from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, pairs, parameters
from mlplatform_cdk.local.adapters.cloudformation.kinds.api_keys import KINDS as KEYS
from mlplatform_cdk.local.adapters.cloudformation.kinds.domain_names import KINDS as DOMAIN_NAMES
from mlplatform_cdk.local.adapters.cloudformation.kinds.service_logs import EXECUTIONS, open_log_group
from mlplatform_cdk.local.adapters.cloudformation.resource import CannotProvision

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind, Resource

# What moto's backend calls the settings that CloudFormation gives a stage's methods.
_SETTINGS = {
    "CacheDataEncrypted": "caching/dataEncrypted",
    "CacheTtlInSeconds": "caching/ttlInSeconds",
    "CachingEnabled": "caching/enabled",
    "DataTraceEnabled": "logging/dataTrace",
    "LoggingLevel": "logging/loglevel",
    "MetricsEnabled": "metrics/enabled",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "ThrottlingRateLimit": "throttling/rateLimit",
}
# What is kept, and nothing here acts on it.
_UNHONOURED = ("CachingEnabled", "DataTraceEnabled", "LoggingLevel", "MetricsEnabled")


class RestApiKind(CodedKind):
    """An API; its address at API Gateway is shut where the template shuts it."""

    service = "apigateway"
    name = "Name"
    fixed = frozenset({"EndpointConfiguration", "ApiKeySourceType"})
    changes_tags = True
    _later = ("BinaryMediaTypes", "Description", "DisableExecuteApiEndpoint")

    def make(self, resource: Resource) -> None:
        """Create it."""
        api, given = self.api(resource), dict(resource.properties.items())
        if not given.keys().isdisjoint({"Body", "BodyS3Location"}):
            raise CannotProvision("the embedded AWS reads no OpenAPI definitions: define resources and methods")
        values = {key: value for key, value in given.items() if key not in {"ApiKeySourceType", "Tags"}}
        values |= {"tags": pairs(given.get("Tags"))}
        if "ApiKeySourceType" in given:
            values["apiKeySource"] = given["ApiKeySourceType"]
        made = api.create_rest_api(**parameters(api, "create_rest_api", values, resource.lost))
        resource.physical_resource_id = made["id"]
        root = api.get_resources(restApiId=made["id"])["items"][0]["id"]
        resource.attributes = {"RestApiId": made["id"], "RootResourceId": root}
        resource.lost.extend(name for name in ("MinimumCompressionSize", "Policy") if name in given)

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """What moto's own operations drop, and for a changed one what its patches cannot."""
        standing = apigateway_backends[resource.account][resource.region].apis[resource.physical_resource_id]
        given = resource.properties
        standing.binaryMediaTypes = list(given.get("BinaryMediaTypes", []))
        if before is None:
            return
        standing.description = given.get("Description", "")
        standing.disableExecuteApiEndpoint = str(given.get("DisableExecuteApiEndpoint", False)).lower() == "true"
        standing.tags = pairs(given.get("Tags"))
        resource.lost.extend(changes(resource, before) - {*self._later, "Tags"})

    def unmake(self, resource: Resource) -> None:
        """Delete it with all that belongs to it."""
        self.api(resource).delete_rest_api(restApiId=resource.physical_resource_id)


class MethodKind(CodedKind):
    """A method with its integration and the responses of both."""

    service = "apigateway"
    fixed = frozenset({"HttpMethod", "ResourceId", "RestApiId"})

    def make(self, resource: Resource) -> None:
        """Put it."""
        given = resource.properties
        resource.physical_resource_id = "/".join(self._key(given).values())
        self._put(resource, dict(given.items()))

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Put a changed one whole: what it no more has goes with the old one."""
        if before is not None and changes(resource, before):
            self._put(resource, dict(resource.properties.items()))

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        self.api(resource).delete_method(**self._key(resource.properties))

    def _put(self, resource: Resource, given: dict[str, Any]) -> None:
        api, key = self.api(resource), self._key(given)
        integration, responses = dict(given.pop("Integration", {})), given.pop("MethodResponses", [])
        api.put_method(**parameters(api, "put_method", {**given, **key}, resource.lost))
        for one in responses:
            api.put_method_response(**parameters(api, "put_method_response", {**one, **key}, resource.lost))
        if not integration:
            return
        answers = integration.pop("IntegrationResponses", [])
        if "IntegrationHttpMethod" not in integration and integration.get("Type") == "MOCK":
            integration["IntegrationHttpMethod"] = key["httpMethod"]
        api.put_integration(**parameters(api, "put_integration", {**integration, **key}, resource.lost))
        for one in answers:
            values = {"SelectionPattern": "", **one, **key}
            api.put_integration_response(**parameters(api, "put_integration_response", values, resource.lost))
        cached = ("CacheKeyParameters", "CacheNamespace", "ConnectionType", "ConnectionId", "TlsConfig")
        resource.lost.extend(f"Integration.{name}" for name in cached if integration.get(name))

    @staticmethod
    def _key(given: Any) -> dict[str, str]:
        names = ("RestApiId", "ResourceId", "HttpMethod")
        return {name[0].lower() + name[1:]: str(given[name]) for name in names}


class StageKind(CodedKind):
    """A stage, its throttling, its access log; a new deployment takes the place of the old one."""

    service = "apigateway"
    fixed = frozenset({"RestApiId", "StageName"})
    changes_tags = True

    def make(self, resource: Resource) -> None:
        """Create it."""
        given, api = resource.properties, self.api(resource)
        names = ("RestApiId", "StageName", "DeploymentId", "Description", "Variables", "TracingEnabled")
        values = {name: given[name] for name in names if name in given}
        values["tags"] = pairs(given.get("Tags"))
        api.create_stage(**parameters(api, "create_stage", values, resource.lost))
        resource.physical_resource_id = given["StageName"]

    def settle(self, resource: Resource, before: Resource | None = None) -> None:  # noqa: ARG002 -- the same whether new or changed
        """Set what the creation does not, and what changed."""
        given = resource.properties
        changed = {"/deploymentId": given.get("DeploymentId"), "/description": given.get("Description")}
        changed |= {f"/variables/{name}": value for name, value in given.get("Variables", {}).items()}
        log = given.get("AccessLogSetting", {})
        changed |= {"/accessLogSettings/destinationArn": log.get("DestinationArn")}
        changed |= {"/accessLogSettings/format": log.get("Format")}
        for setting in given.get("MethodSettings", []):
            place = f"/{setting.get('ResourcePath', '/*').removeprefix('/')}/{setting.get('HttpMethod', '*')}"
            changed |= {f"{place}/{path}": setting.get(name) for name, path in _SETTINGS.items()}
            lost = {name for name in _UNHONOURED if str(setting.get(name, "")).upper() not in {"", "FALSE", "OFF"}}
            resource.lost.extend(f"MethodSettings.{name}" for name in lost)
            if "LoggingLevel" in lost:  # nothing is written to it
                open_log_group(resource, f"{EXECUTIONS}{given['RestApiId']}/{resource.physical_resource_id}")
        patches = [
            {"op": "replace", "path": path, "value": _text(value)}
            for path, value in changed.items()
            if value is not None
        ]
        self.api(resource).update_stage(
            restApiId=given["RestApiId"], stageName=resource.physical_resource_id, patchOperations=patches
        )

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        given = resource.properties
        self.api(resource).delete_stage(restApiId=given["RestApiId"], stageName=resource.physical_resource_id)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


KINDS: dict[str, Kind] = {
    **DOMAIN_NAMES,
    **KEYS,
    "AWS::ApiGateway::RestApi": RestApiKind(),
    "AWS::ApiGateway::Method": MethodKind(),
    "AWS::ApiGateway::Stage": StageKind(),
    "AWS::ApiGateway::Resource": ApiKind(
        type="AWS::ApiGateway::Resource",
        service="apigateway",
        create_operation="create_resource",
        delete_operation="delete_resource",
        physical_id="id",
        key={"restApiId": "=RestApiId", "resourceId": "#"},
        attributes={"ResourceId": "#"},
    ),
    "AWS::ApiGateway::Deployment": ApiKind(
        type="AWS::ApiGateway::Deployment",
        service="apigateway",
        create_operation="create_deployment",
        delete_operation="delete_deployment",
        physical_id="id",
        key={"restApiId": "=RestApiId", "deploymentId": "#"},
        attributes={"DeploymentId": "#"},
    ),
}
