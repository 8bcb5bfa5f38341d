"""Functions and what belongs to them. How they run is the Lambda adapter's; here they get all their settings."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.adapters.cloudformation.api import ApiKind, changes
from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, pairs, parameters

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind, Resource

_NOT_CREATED_WITH = {"ReservedConcurrentExecutions", "Tags"}
_CODE = {"Code", "Architectures"}


class FunctionKind(CodedKind):
    """A function from an archive in S3, from an image, or from text in the template."""

    service = "lambda"
    name = "FunctionName"
    fixed = frozenset({"PackageType"})

    def make(self, resource: Resource) -> None:
        """Create it."""
        api, given = self.api(resource), resource.properties
        values = {key: value for key, value in given.items() if key not in _NOT_CREATED_WITH}
        values["Code"] = code(given["Code"], str(given.get("Runtime", "")))
        fit = parameters(api, "create_function", values, resource.lost)
        fit["Tags"] = pairs(given.get("Tags"))
        answer = api.create_function(**fit)
        resource.physical_resource_id = answer["FunctionName"]
        resource.attributes = {"Arn": answer["FunctionArn"]}

    def settle(self, resource: Resource, before: Resource | None = None) -> None:
        """Concurrency; for a changed function its code and configuration too."""
        api, given, name = self.api(resource), resource.properties, resource.physical_resource_id
        if before is not None:
            changed = changes(resource, before)
            if changed & _CODE:
                values = {"FunctionName": name, **code(given["Code"], str(given.get("Runtime", "")))}
                if "Architectures" in given:
                    values["Architectures"] = given["Architectures"]
                api.update_function_code(**parameters(api, "update_function_code", values, resource.lost))
            self._configure(resource, before, changed - _CODE - _NOT_CREATED_WITH)
        if "ReservedConcurrentExecutions" in given:
            reserved = int(given["ReservedConcurrentExecutions"])
            api.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        self.api(resource).delete_function(FunctionName=resource.physical_resource_id)

    def _configure(self, resource: Resource, before: Resource, changed: set[str]) -> None:
        if not changed:
            return
        api = self.api(resource)
        values = {key: resource.properties[key] for key in changed if key in resource.properties}
        gone = changed - values.keys()
        if "Environment" in gone:
            values["Environment"] = {"Variables": {}}
        fit = parameters(api, "update_function_configuration", values, resource.lost)
        api.update_function_configuration(FunctionName=before.physical_resource_id, **fit)


def code(given: dict[str, Any], runtime: str) -> dict[str, Any]:
    """Where the code is; text in the template becomes an archive with a module ``index``."""
    if "ZipFile" not in given:
        return given
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py" if runtime.startswith("python") else "index.js", given["ZipFile"])
    return {"ZipFile": archive.getvalue()}


class VersionKind(CodedKind):
    """A frozen version of a function; every change makes another one."""

    service = "lambda"
    fixed = frozenset({"FunctionName", "Description", "CodeSha256"})

    def make(self, resource: Resource) -> None:
        """Publish it."""
        api = self.api(resource)
        values = dict(resource.properties.items())
        answer = api.publish_version(**parameters(api, "publish_version", values, resource.lost))
        arn = answer["FunctionArn"]
        version = str(answer["Version"])
        qualified = arn if arn.endswith(f":{version}") else f"{arn}:{version}"
        resource.physical_resource_id = qualified
        resource.attributes = {"FunctionArn": qualified, "Version": version}

    def unmake(self, resource: Resource) -> None:
        """Delete this version and no other."""
        function, _, version = resource.physical_resource_id.rpartition(":")
        self.api(resource).delete_function(FunctionName=function, Qualifier=version)


class PermissionKind(CodedKind):
    """Who else may invoke a function."""

    service = "lambda"
    fixed = frozenset({
        "Action", "EventSourceToken", "FunctionName", "FunctionUrlAuthType", "InvokedViaFunctionUrl", "Principal",
        "PrincipalOrgID", "SourceAccount", "SourceArn",
    })  # fmt: skip

    def make(self, resource: Resource) -> None:
        """Add the statement."""
        api, statement = self.api(resource), resource.generated_name(100)
        values = {**dict(resource.properties.items()), "StatementId": statement}
        api.add_permission(**parameters(api, "add_permission", values, resource.lost))
        resource.physical_resource_id = statement
        resource.attributes = {"Id": statement}

    def unmake(self, resource: Resource) -> None:
        """Remove the statement."""
        self.api(resource).remove_permission(
            FunctionName=resource.properties["FunctionName"], StatementId=resource.physical_resource_id
        )


KINDS: dict[str, Kind] = {
    "AWS::Lambda::Function": FunctionKind(),
    "AWS::Lambda::Version": VersionKind(),
    "AWS::Lambda::Permission": PermissionKind(),
    "AWS::Lambda::Alias": ApiKind(
        type="AWS::Lambda::Alias",
        service="lambda",
        create_operation="create_alias",
        update_operation="update_alias",
        delete_operation="delete_alias",
        physical_id="AliasArn",
        key={"FunctionName": "=FunctionName", "Name": "=Name"},
        attributes={"AliasArn": "#"},
    ),
    "AWS::Lambda::EventSourceMapping": ApiKind(
        type="AWS::Lambda::EventSourceMapping",
        service="lambda",
        create_operation="create_event_source_mapping",
        update_operation="update_event_source_mapping",
        delete_operation="delete_event_source_mapping",
        physical_id="UUID",
        key={"UUID": "#"},
        attributes={"Id": "#"},
    ),
    "AWS::Lambda::EventInvokeConfig": ApiKind(
        type="AWS::Lambda::EventInvokeConfig",
        service="lambda",
        create_operation="put_function_event_invoke_config",
        update_operation="put_function_event_invoke_config",
        delete_operation="delete_function_event_invoke_config",
        physical_id="=FunctionName",
        key={"FunctionName": "=FunctionName", "Qualifier": "=Qualifier"},
    ),
    "AWS::Lambda::Url": ApiKind(
        type="AWS::Lambda::Url",
        service="lambda",
        create_operation="create_function_url_config",
        update_operation="update_function_url_config",
        delete_operation="delete_function_url_config",
        physical_id="FunctionArn",
        rename={"TargetFunctionArn": "FunctionName"},
        key={"FunctionName": "=TargetFunctionArn"},
    ),
}
