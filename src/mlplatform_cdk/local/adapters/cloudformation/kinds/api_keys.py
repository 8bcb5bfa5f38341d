"""Who may call an API, how often, and who writes its logs: keys, usage plans, authorizers, the account's role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.apigateway.models import apigateway_backends

from mlplatform_cdk.local.adapters.cloudformation.api import ApiKind
from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, parameters
from mlplatform_cdk.local.adapters.cloudformation.kinds.service_logs import WELCOME, open_log_group

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind, Resource


class UsagePlanKind(CodedKind):
    """A usage plan with its throttle; a quota is kept and not counted."""

    service = "apigateway"
    name = "UsagePlanName"
    fixed = frozenset({"ApiStages"})

    def make(self, resource: Resource) -> None:
        """Create it."""
        api, given = self.api(resource), resource.properties
        stages = [{"apiId": one["ApiId"], "stage": one["Stage"]} for one in given.get("ApiStages", [])]
        values = {"name": given["UsagePlanName"], "description": given.get("Description", ""), "apiStages": stages}
        values |= {"throttle": given["Throttle"]} if "Throttle" in given else {}
        made = api.create_usage_plan(**parameters(api, "create_usage_plan", values, resource.lost))
        resource.physical_resource_id = made["id"]
        resource.attributes = {"Id": made["id"]}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """The throttle of a changed one."""
        if before is None:
            return
        plan = apigateway_backends[resource.account][resource.region].usage_plans[resource.physical_resource_id]
        given = resource.properties.get("Throttle", {})
        plan.throttle = {name[0].lower() + name[1:]: float(value) for name, value in given.items()}
        plan.description = resource.properties.get("Description", "")

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        self.api(resource).delete_usage_plan(usagePlanId=resource.physical_resource_id)


class AccountKind(CodedKind):
    """The role by which API Gateway writes logs; it stays when its stack goes, as in AWS."""

    service = "apigateway"

    def make(self, resource: Resource) -> None:
        """Name the setting; ``settle`` sets it."""
        resource.physical_resource_id = resource.generated_name()
        resource.attributes = {"Id": resource.physical_resource_id}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:  # noqa: ARG002 -- the same whether new or changed
        """Set it; API Gateway tries a role by writing a welcome."""
        role = resource.properties.get("CloudWatchRoleArn", "")
        patch = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
        self.api(resource).update_account(patchOperations=[patch])
        if role:
            open_log_group(resource, WELCOME)

    def unmake(self, resource: Resource) -> None:
        """Nothing: it is the account's."""


class AuthorizerKind(CodedKind):
    """A function that knows tokens. User pools are kept, and whoever comes with a token of theirs is refused."""

    service = "apigateway"
    name = "Name"
    fixed = frozenset({"RestApiId", "Type"})

    def make(self, resource: Resource) -> None:
        """Create it."""
        api, given = self.api(resource), dict(resource.properties.items())
        made = api.create_authorizer(**parameters(api, "create_authorizer", given, resource.lost))
        resource.physical_resource_id = made["id"]
        resource.attributes = {"AuthorizerId": made["id"]}
        if given["Type"] != "TOKEN":
            resource.lost.append("Type")

    def settle(self, resource: Resource, before: Resource | None = None) -> None:  # noqa: ARG002 -- new or changed
        """What moto's creation drops, and what changed."""
        names = ("AuthorizerUri", "AuthorizerResultTtlInSeconds", "IdentitySource", "IdentityValidationExpression")
        given = {name[0].lower() + name[1:]: resource.properties.get(name) for name in names}
        self.api(resource).update_authorizer(
            restApiId=resource.properties["RestApiId"],
            authorizerId=resource.physical_resource_id,
            patchOperations=[
                {"op": "replace", "path": f"/{name}", "value": str(value)}
                for name, value in given.items()
                if value is not None
            ],
        )

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        self.api(resource).delete_authorizer(
            restApiId=resource.properties["RestApiId"], authorizerId=resource.physical_resource_id
        )


KINDS: dict[str, Kind] = {
    "AWS::ApiGateway::Authorizer": AuthorizerKind(),
    "AWS::ApiGateway::Account": AccountKind(),
    "AWS::ApiGateway::UsagePlan": UsagePlanKind(),
    "AWS::ApiGateway::ApiKey": ApiKind(
        type="AWS::ApiGateway::ApiKey",
        service="apigateway",
        create_operation="create_api_key",
        delete_operation="delete_api_key",
        physical_id="id",
        name="Name",
        key={"apiKey": "#"},
        attributes={"APIKeyId": "#"},
    ),
    "AWS::ApiGateway::UsagePlanKey": ApiKind(
        type="AWS::ApiGateway::UsagePlanKey",
        service="apigateway",
        create_operation="create_usage_plan_key",
        delete_operation="delete_usage_plan_key",
        physical_id="id",
        key={"usagePlanId": "=UsagePlanId", "keyId": "=KeyId"},
        attributes={"Id": "#"},
    ),
}
