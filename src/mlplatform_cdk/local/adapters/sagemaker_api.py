"""What our SageMaker adapters share: taking over an operation of moto's, names of things, SageMaker's own errors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.sagemaker.exceptions import ConflictException, ResourceInUseException, ValidationError
from moto.sagemaker.models import sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse
from moto.utilities.utils import get_partition

from mlplatform_cdk.local import roles

if TYPE_CHECKING:
    from collections.abc import Callable

    from moto.sagemaker.models import SageMakerModelBackend

__all__ = ["ConflictException", "Request", "ResourceInUseException", "Scope", "ValidationError", "take_over"]

Request = dict[str, Any]
INSTANCE_TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9-]+")


@dataclass(frozen=True, slots=True)
class Scope:
    """The account and region that a request is for."""

    account: str
    region: str

    @property
    def backend(self) -> SageMakerModelBackend:
        """Moto's store of the SageMaker resources here."""
        return sagemaker_backends[self.account][self.region]

    @property
    def partition(self) -> str:
        """Such as ``aws``."""
        return str(get_partition(self.region))

    def arn(self, kind: str, name: str) -> str:
        """Of a SageMaker resource here."""
        return f"arn:{self.partition}:sagemaker:{self.region}:{self.account}:{kind}/{name}"


def take_over(operation: str, handler: Callable[[Scope, Request], Request | None]) -> None:
    """Let ``handler`` answer an operation of the SageMaker API; it gets the whole request, whatever moto drops."""

    def answer(self: SageMakerResponse) -> ActionResult:
        scope = Scope(self.current_account, self.region)
        return ActionResult(handler(scope, dict(self.params)) or {})

    answer.__name__ = camelcase_to_underscores(operation)
    setattr(SageMakerResponse, answer.__name__, answer)


def require_assumable(scope: Scope, role_arn: str) -> None:
    """Refuse a role that SageMaker could not assume, as SageMaker does when it is told to use it."""
    try:
        roles.credentials_for(scope.account, scope.region, role_arn, "SageMaker", service="sagemaker.amazonaws.com")
    except roles.RoleCannotBeAssumed as refused:
        raise ValidationError(
            f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
            "'sagemaker.amazonaws.com' to assume the role."
        ) from refused


def require_instance_type(value: str | None) -> None:
    """Refuse what cannot be an instance type; one that botocore does not know yet is none of our business."""
    if value is not None and not INSTANCE_TYPE.fullmatch(value):
        raise ValidationError(
            f"1 validation error detected: Value '{value}' at 'instanceType' failed to satisfy constraint: "
            "Member must satisfy enum value set: an instance type such as ml.m5.xlarge"
        )
