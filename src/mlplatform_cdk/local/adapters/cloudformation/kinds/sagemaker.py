"""SageMaker: models, endpoints and registries are real; what of Studio moto has no API for is recorded."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from moto.core.utils import camelcase_to_underscores
from moto.sagemaker.models import sagemaker_backends

from mlplatform_cdk.local.adapters.cloudformation.api import ApiKind, changes
from mlplatform_cdk.local.adapters.cloudformation.resource import CannotProvision, MustReplace, Resource
from mlplatform_cdk.local.adapters.cloudformation.stand_ins import RecordedKind

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind

ENDPOINT_PATIENCE_SECONDS = 300.0
_STUDIO = "Studio's users, spaces and applications do not run in a rehearsal"
_ARN = "arn:aws:sagemaker:{region}:{account}:"


class EndpointKind(ApiKind):
    """An endpoint is there when it is in service, on the configuration that was asked for."""

    def create(self, resource: Resource) -> None:
        """Create it and wait."""
        super().create(resource)
        self._wait(resource)

    def update(self, resource: Resource, before: Resource) -> None:
        """Update it and wait."""
        super().update(resource, before)
        self._wait(resource)

    def delete(self, resource: Resource) -> None:
        """Delete it and wait: its servers take a moment to end."""
        super().delete(resource)
        deadline = time.monotonic() + ENDPOINT_PATIENCE_SECONDS
        with suppress(ClientError):  # the description of what is gone
            while time.monotonic() < deadline:
                self._learn(resource)
                time.sleep(0.05)

    def _wait(self, resource: Resource) -> None:
        deadline = time.monotonic() + ENDPOINT_PATIENCE_SECONDS
        while True:
            self._learn(resource)
            status = resource.attributes["EndpointStatus"]
            if status == "InService":
                break
            if status in {"Failed", "OutOfService"} or time.monotonic() > deadline:
                raise CannotProvision(f"endpoint is {status}: {resource.attributes.get('FailureReason', 'no reason')}")
            time.sleep(0.1)
        live, wanted = resource.attributes["EndpointConfigName"], resource.properties["EndpointConfigName"]
        if live != str(wanted).rpartition("/")[2]:
            raise CannotProvision(f"the endpoint went back to configuration {live}, instead of {wanted}")


class DomainKind(ApiKind):
    """moto has no UpdateDomain: the settings that may change are changed where moto keeps them."""

    def update(self, resource: Resource, before: Resource) -> None:
        """Change the settings; who may sign in, and where it lives, is fixed."""
        resource.physical_resource_id = before.physical_resource_id
        self.keep_name(resource, before)
        changed = changes(resource, before)
        if changed & {"AuthMode", "DomainName", "KmsKeyId", "VpcId"}:
            raise MustReplace
        domain = sagemaker_backends[resource.account][resource.region].domains[resource.physical_resource_id]
        for name in changed:
            setattr(domain, camelcase_to_underscores(name), resource.properties.get(name))
        self._learn(resource)


class GroupKind(ApiKind):
    """A group of model packages, which SageMaker keeps while it holds one; moto can create groups only."""

    def delete(self, resource: Resource) -> None:
        """Take it out of moto's dictionary, unless it holds versions."""
        backend = sagemaker_backends[resource.account][resource.region]
        name = resource.properties["ModelPackageGroupName"]
        held = [one for one in backend.model_packages.values() if one.model_package_group_name == name]
        if held:
            raise CannotProvision(
                f"Model Package Group {name} cannot be deleted: it contains {len(held)} model package(s)"
            )
        backend.model_package_groups.pop(name, None)


class BackendOwnedKind(ApiKind):
    """moto can create these and not delete them: they are taken out of where moto keeps them."""

    def delete(self, resource: Resource) -> None:
        """Take it out of moto's dictionary, whose name is the noun's plural."""
        backend = sagemaker_backends[resource.account][resource.region]
        noun = camelcase_to_underscores(self.type.rpartition("::")[2])
        kept: dict[str, Any] = getattr(backend, f"{noun}s")
        for key, value in list(kept.items()):
            if resource.physical_resource_id in {key, getattr(value, "arn", None), getattr(value, f"{noun}_arn", None)}:
                del kept[key]


def _type(noun: str, name: str, factory: type[ApiKind] = ApiKind, **more: Any) -> tuple[str, ApiKind]:
    """A type whose operations and keys follow SageMaker's own pattern."""
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", noun).lower()
    facts: dict[str, Any] = {
        "create_operation": f"create_{snake}",
        "describe": f"describe_{snake}",
        "delete_operation": f"delete_{snake}",
        "physical_id": f"{noun}Arn",
        "name": name,
        "key": {name: f"={name}"},
    }
    resource_type = f"AWS::SageMaker::{noun}"
    return resource_type, factory(type=resource_type, service="sagemaker", **(facts | more))


def _studio(noun: str, name: str, path: str, **more: Any) -> tuple[str, RecordedKind]:
    return f"AWS::SageMaker::{noun}", RecordedKind(
        why=_STUDIO, name=name, attributes={f"{noun}Arn": _ARN + path}, **more
    )


KINDS: dict[str, Kind] = dict(
    [
        _type("Model", "ModelName"),
        _type("EndpointConfig", "EndpointConfigName"),
        _type("Endpoint", "EndpointName", EndpointKind, update_operation="update_endpoint"),
        _type("ModelPackageGroup", "ModelPackageGroupName", GroupKind),
        _type(
            "ModelPackage",
            "",
            BackendOwnedKind,
            key={"ModelPackageName": "#"},
            update_operation="update_model_package",
            rename={},
        ),
        _type("FeatureGroup", "FeatureGroupName", BackendOwnedKind, physical_id="=FeatureGroupName"),
        _type(
            "Pipeline",
            "PipelineName",
            physical_id="=PipelineName",
            update_operation="update_pipeline",
            constants={"ClientRequestToken": "embedded-aws-makes-it-exactly-once"},
        ),
        _type(
            "Domain",
            "DomainName",
            DomainKind,
            physical_id="DomainArn/",
            key={"DomainId": "#"},
            describe="describe_domain",
        ),
        *(
            _type(f"{what}JobDefinition", "JobDefinitionName", physical_id="JobDefinitionArn")
            for what in ("DataQuality", "ModelQuality", "ModelBias", "ModelExplainability")
        ),
        *(
            _type(
                noun,
                f"{noun}Name",
                physical_id=f"{noun}Arn",
                key={"DomainId": "=DomainId", f"{noun}Name": f"={noun}Name"},
                update_operation=f"update_{snake}",
            )
            for noun, snake in (("UserProfile", "user_profile"), ("Space", "space"))
        ),
        _studio(
            "StudioLifecycleConfig",
            "StudioLifecycleConfigName",
            "studio-lifecycle-config/{id}",
            fixed=frozenset({"StudioLifecycleConfigContent", "StudioLifecycleConfigAppType"}),
        ),
        _studio("AppImageConfig", "AppImageConfigName", "app-image-config/{id}"),
        _studio("Image", "ImageName", "image/{id}", physical_id=_ARN + "image/{ImageName}"),
        _studio("MlflowTrackingServer", "TrackingServerName", "mlflow-tracking-server/{id}"),
        (
            "AWS::SageMaker::MonitoringSchedule",
            RecordedKind(
                why="monitoring schedules do not run in a rehearsal",
                name="MonitoringScheduleName",
                physical_id=_ARN + "monitoring-schedule/{MonitoringScheduleName}",
                attributes={"MonitoringScheduleArn": "{id}"},
            ),
        ),
    ]
)
