"""The SageMaker API's operations on jobs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from mlplatform_cdk.local.adapters.sagemaker_api import (
    Request,
    ResourceInUseException,
    Scope,
    ValidationError,
    require_assumable,
)

if TYPE_CHECKING:
    from typing import Any

    from mlplatform_cdk.local.adapters.jobs.job import Job

_CREATING = threading.Lock()
_TAKEN = {
    "Training": "Training job names must be unique within an AWS account and region, and a training job with this name "
    "already exists ({arn})",
    "Processing": "Job name must be unique within an AWS account and region, and a job with this name already exists "
    "({arn})",
    "Transform": "Job name must be unique within an AWS account and region, and a job with this name already exists "
    "({arn})",
}


def create(kind: type[Job], scope: Scope, request: Request) -> Request:
    """Start a job; its state moves on by itself."""
    job = kind(scope, request)
    require_assumable(scope, job.role_arn)
    with _CREATING:
        if job.name in _jobs(kind, scope):
            raise ResourceInUseException(_TAKEN[kind.KIND].format(arn=job.arn))
        _jobs(kind, scope)[job.name] = job
    job.begin()
    return {f"{kind.KIND}JobArn": job.arn}


def describe(kind: type[Job], scope: Scope, request: Request) -> Request:
    """The request as it came, and the state."""
    return _find(kind, scope, request).describe()


def stop(kind: type[Job], scope: Scope, request: Request) -> None:
    """Ask the job to end."""
    job = _find(kind, scope, request)
    if job.status != "InProgress" and kind.KIND == "Training":
        raise ValidationError(f"The request was rejected because the training job is in status {job.status}.")
    job.stop()


def _find(kind: type[Job], scope: Scope, request: Request) -> Job:
    name = request[f"{kind.KIND}JobName"]
    job: Job | None = _jobs(kind, scope).get(name)
    if job is None:
        raise ValidationError(
            "Requested resource not found."
            if kind.KIND == "Training"
            else f"Could not find requested job with name: {name}"
        )
    return job


def _jobs(kind: type[Job], scope: Scope) -> dict[str, Any]:
    """Moto's own store, which its lists, searches and tags read."""
    return getattr(scope.backend, f"{kind.KIND.lower()}_jobs")
