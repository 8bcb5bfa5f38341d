"""SageMaker models: kept whole, checked as SageMaker checks them, and read as what a server needs to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.core.utils import utcnow
from moto.sagemaker.models import Model

from mlplatform_cdk.local.adapters.sagemaker_api import (
    Request,
    Scope,
    ValidationError,
    require_assumable,
    take_over,
)
from mlplatform_cdk.local.role_storage import StorageError, storage_of

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModel:
    """What runs behind a variant.

    :param arn: of the SageMaker model.
    :param made: when; a name may be used again for another model.
    :param image: the container image's URI.
    :param data: the S3 URI of the model's data, or None.
    :param packed: whether the data is one model.tar.gz; a prefix otherwise.
    :param environment: of the container.
    :param role_arn: under which it runs.
    :param multi: whether the data is a prefix of archives, loaded one by one when asked for.
    """

    arn: str
    made: datetime
    image: str
    data: str | None
    packed: bool
    environment: dict[str, str]
    role_arn: str
    multi: bool = False


class KeptModel(Model):
    """moto's model with the whole request: it forgets network isolation and the execution mode."""

    request: Request

    @property
    def response_object(self) -> dict[str, Any]:
        """The answer of DescribeModel."""
        kept = {name: value for name, value in self.request.items() if name != "Tags"}
        return kept | {"ModelArn": self.arn, "CreationTime": self.creation_time}


def install() -> None:
    """Take over CreateModel."""
    take_over("CreateModel", create)


def create(scope: Scope, request: Request) -> Request:
    """Keep a model, once its role and its data are seen to be there."""
    arn = scope.arn("model", request["ModelName"])
    if request["ModelName"] in scope.backend._models:
        raise ValidationError(f'Cannot create already existing model "{arn}".')
    container = _only_container(request)
    if container.get("ModelPackageName") is None and container.get("Image") is None:
        raise ValidationError("The request must include either Image or ModelPackageName in the container definition.")
    if not request.get("ExecutionRoleArn"):
        raise ValidationError("the embedded AWS serves models that have an ExecutionRoleArn")
    require_assumable(scope, request["ExecutionRoleArn"])
    model = KeptModel(
        account_id=scope.account,
        region_name=scope.region,
        model_name=request["ModelName"],
        execution_role_arn=request["ExecutionRoleArn"],
        primary_container=container,
        vpc_config=request.get("VpcConfig") or {},
        tags=request.get("Tags") or [],
    )
    model.request = request
    _require_data(scope, served(scope, model))
    scope.backend._models[model.model_name] = model
    return {"ModelArn": arn}


def find(scope: Scope, name: str) -> ServedModel:
    """What a variant of the model ``name`` runs."""
    return served(scope, scope.backend.describe_model(name))


def served(scope: Scope, model: Model) -> ServedModel:
    """What a server needs to know of a model, its model package included."""
    container = dict(model.primary_container or model.containers[0])
    if container.get("ModelPackageName"):
        package = scope.backend.describe_model_package(container["ModelPackageName"])
        inside = package.gen_response_object()["InferenceSpecification"]["Containers"][0]
        variables = {**(inside.get("Environment") or {}), **(container.get("Environment") or {})}
        container = {**inside, "Environment": variables}
    source = (container.get("ModelDataSource") or {}).get("S3DataSource")
    return ServedModel(
        arn=model.arn,
        made=model.creation_time or utcnow(),
        image=container["Image"],
        data=source["S3Uri"] if source else container.get("ModelDataUrl"),
        packed=source is None or source["CompressionType"] == "Gzip",
        environment=container.get("Environment") or {},
        role_arn=model.execution_role_arn,
        multi=container.get("Mode") == "MultiModel",
    )


def _only_container(request: Request) -> dict[str, Any]:
    containers = [entry for entry in [request.get("PrimaryContainer"), *(request.get("Containers") or [])] if entry]
    if len(containers) != 1:
        raise ValidationError(f"the embedded AWS serves models of one container, got {len(containers)}")
    return dict(containers[0])


def _require_data(scope: Scope, model: ServedModel) -> None:
    if model.multi and not str(model.data).startswith("s3://"):
        raise ValidationError("A MultiModel container needs a ModelDataUrl that is an S3 prefix of model archives.")
    if model.data is None or model.multi:
        return  # what lies under the prefix of a multi-model container may come later
    storage = storage_of(scope.region, model.role_arn)
    try:
        if model.packed:
            storage.head(model.data)
        else:
            storage.keys(model.data)
    except StorageError as error:
        raise ValidationError(
            f'Could not access model data at {model.data}. Please ensure that the role "{model.role_arn}" exists and '
            'that its trust relationship policy allows the action "sts:AssumeRole" for the service principal '
            '"sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" permissions and that the '
            f"object is located in {scope.region}. Error message from S3: {error}"
        ) from error
