"""The model registry: versions with everything that was said of them; moto forgets half of it and sends no event.

moto drops SourceUri, ModelLifeCycle, ModelCard, SecurityConfig and others, clears the approval, its description and the
metadata on every update, numbers a version again after a deletion, ignores the ClientToken, and cannot list a
version's tags.
"""

from __future__ import annotations

import threading
from datetime import UTC
from typing import TYPE_CHECKING, Any

from moto.core.utils import utcnow
from moto.sagemaker.models import ModelPackage, SageMakerModelBackend

from mlplatform_cdk.local.adapters import events
from mlplatform_cdk.local.adapters.sagemaker_api import (
    ConflictException,
    Request,
    Scope,
    ValidationError,
    take_over,
)

if TYPE_CHECKING:
    from datetime import datetime

CHANGED_BY_UPDATE = (
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
    "ApprovalDescription",
    "InferenceSpecification",
    "SourceUri",
    "ModelCard",
    "ModelLifeCycle",
)
APPROVALS = ("PendingManualApproval", "Approved", "Rejected")
MOST_METADATA = 50
_FORGOTTEN = {"Tags", "ClientToken"}
_REGISTERING = threading.Lock()


class KeptPackage(ModelPackage):
    """moto's record of a package, answering with all that was said of it.

    :param scope: the account and region.
    :param request: CreateModelPackage's.
    :param version: the number within the group; None for an unversioned package.
    """

    def __init__(self, scope: Scope, request: Request, version: int | None) -> None:
        self.said = {name: value for name, value in request.items() if name not in _FORGOTTEN}
        self.scope = scope
        self.tags = request.get("Tags") or []
        self.client_token = request.get("ClientToken")
        self.model_package_group_name = request.get("ModelPackageGroupName")
        self.model_package_name = request.get("ModelPackageName") or self.model_package_group_name
        self.model_package_version = version
        self.model_package_type = "Versioned" if version else "Unversioned"
        path = f"{self.model_package_name}/{version}" if version else str(self.model_package_name)
        self.arn = scope.arn("model-package", path.lower())
        self.model_package_status = "Completed"
        self.creation_time = utcnow()
        self.last_modified_time: datetime | None = None

    @property
    def model_approval_status(self) -> str | None:
        """For moto's lists."""
        return self.said.get("ModelApprovalStatus")

    def gen_response_object(self) -> dict[str, Any]:
        """The answer of DescribeModelPackage, and an entry of the lists."""
        answer = self.said | {
            "ModelPackageVersion": self.model_package_version,
            "ModelPackageArn": self.arn,
            "ModelPackageStatus": self.model_package_status,
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CertifyForMarketplace": self.said.get("CertifyForMarketplace", False),
            "CreationTime": self.creation_time,
            "CreatedBy": {},
            "LastModifiedTime": self.last_modified_time,
        }
        return {name: value for name, value in answer.items() if value is not None}

    def announce(self, changed: list[str] | None = None) -> None:
        """Send the state to EventBridge; after an update with the names of what it changed."""
        detail = self.gen_response_object() | ({"UpdatedModelPackageFields": changed} if changed else {})
        for name in ("CreationTime", "LastModifiedTime"):
            if name in detail:
                detail[name] = detail[name].replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        events.emit(self.scope, "SageMaker Model Package State Change", self.arn, detail)


def install() -> None:
    """Take over the operations on model packages."""
    take_over("CreateModelPackage", create)
    take_over("DescribeModelPackage", describe)
    take_over("UpdateModelPackage", update)
    take_over("DeleteModelPackage", delete)
    if SageMakerModelBackend._get_resource_from_arn is not _resource_from_arn:
        SageMakerModelBackend._get_resource_from_arn = _resource_from_arn


def create(scope: Scope, request: Request) -> Request:
    """Register a version, once per ClientToken."""
    group, name = request.get("ModelPackageGroupName"), request.get("ModelPackageName")
    if bool(group) == bool(name):
        raise ValidationError("Exactly one of ModelPackageGroupName and ModelPackageName must be given.")
    _check(request)
    packages = scope.backend.model_packages
    with _REGISTERING:
        known = [package for package in packages.values() if isinstance(package, KeptPackage)]
        token = request.get("ClientToken")
        again = next((package for package in known if token and package.client_token == token), None)
        if again is not None:
            return {"ModelPackageArn": again.arn}
        package = KeptPackage(scope, _in_group(scope, request), _next_version(scope, group) if group else None)
        if package.arn in packages:
            raise ConflictException(f"Model package {package.arn} already exists.")
        packages[package.arn] = package
        scope.backend.model_package_name_mapping[package.arn] = package.arn
        if name:
            scope.backend.model_package_name_mapping[name] = package.arn
    package.announce()
    return {"ModelPackageArn": package.arn}


def describe(scope: Scope, request: Request) -> Request:
    """All that was said of a package."""
    return _find(scope, request["ModelPackageName"]).gen_response_object()


def update(scope: Scope, request: Request) -> Request:
    """Change what the request names, and nothing else."""
    package = _find(scope, request["ModelPackageArn"])
    _check(request)
    metadata = dict(package.said.get("CustomerMetadataProperties") or {})
    metadata |= request.get("CustomerMetadataProperties") or {}
    for key in request.get("CustomerMetadataPropertiesToRemove") or []:
        metadata.pop(key, None)
    if len(metadata) > MOST_METADATA:
        raise ValidationError(f"A model package holds at most {MOST_METADATA} customer metadata properties.")
    said = package.said | {name: request[name] for name in CHANGED_BY_UPDATE if request.get(name) is not None}
    added = request.get("AdditionalInferenceSpecificationsToAdd")
    if added:
        said["AdditionalInferenceSpecifications"] = [*said.get("AdditionalInferenceSpecifications", []), *added]
    package.said = said | ({"CustomerMetadataProperties": metadata} if metadata else {})
    if not metadata:
        package.said.pop("CustomerMetadataProperties", None)
    package.last_modified_time = utcnow()
    package.announce([name for name in [*CHANGED_BY_UPDATE, "CustomerMetadataProperties"] if name in request])
    return {"ModelPackageArn": package.arn}


def delete(scope: Scope, request: Request) -> None:
    """Forget a version; its number is not used again."""
    package = _find(scope, request["ModelPackageName"])
    del scope.backend.model_packages[package.arn]
    package.model_package_status = "Deleting"
    package.announce()


def _find(scope: Scope, name: str) -> KeptPackage:
    arn = scope.backend.model_package_name_mapping.get(name, name)
    if not arn.startswith("arn:"):
        arn = scope.arn("model-package", arn.lower())
    package = scope.backend.model_packages.get(arn)
    if not isinstance(package, KeptPackage):
        raise ValidationError(f"ModelPackage {arn} does not exist")
    return package


def _check(request: Request) -> None:
    status = request.get("ModelApprovalStatus")
    if status is not None and status not in APPROVALS:
        raise ValidationError(
            f"1 validation error detected: Value '{status}' at 'modelApprovalStatus' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(APPROVALS)}]"
        )


def _in_group(scope: Scope, request: Request) -> Request:
    """The request with the group's plain name, which must exist, and SageMaker's default approval."""
    group = request.get("ModelPackageGroupName")
    if group is None:
        return request
    plain = group.rsplit("/", 1)[-1]
    if plain not in scope.backend.model_package_groups:
        raise ValidationError(f"Model Package Group {scope.arn('model-package-group', plain)} does not exist.")
    return {"ModelApprovalStatus": "PendingManualApproval", **request, "ModelPackageGroupName": plain}


def _next_version(scope: Scope, group: str) -> int:
    record: Any = scope.backend.model_package_groups[group.rsplit("/", 1)[-1]]
    record.last_version = getattr(record, "last_version", 0) + 1
    return int(record.last_version)


_moto_resource_from_arn = SageMakerModelBackend._get_resource_from_arn


def _resource_from_arn(self: SageMakerModelBackend, arn: str) -> Any:
    """Find a model package too, whose ARN has one part more than moto reads."""
    if ":model-package/" in arn:
        return _find(Scope(self.account_id, self.region_name), arn)
    return _moto_resource_from_arn(self, arn)
