"""Removes what releases made for an endpoint. May be called again after any interruption."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from mlplatform_cdk.runtimekit import aws, logs, scalable_targets
from mlplatform_cdk.runtimekit.endpoint_specification import CHALLENGERS, SEPARATOR, VARIANTS, log_group_name
from mlplatform_cdk.runtimekit.errors import KnownError

_LOG = logs.logger("removal")
_FIRST_LOOK_S, _POLL_S = 0.5, 5.0
_BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


class RemovalError(KnownError):
    """The endpoint is still there."""


def remove(endpoint_name: str, *, seconds_left: Callable[[], float], logs_go: bool = False) -> None:
    """Take the endpoint away, its scaling before it, its configurations and models after it.

    :param endpoint_name: the endpoint; one that is not there is no error.
    :param seconds_left: how much longer this may take.
    :param logs_go: does the log group that SageMaker made for it go, too; default: it is kept.
    """
    variants = (*VARIANTS, *CHALLENGERS)  # an A/B test that was ended with the stack has left its own
    scalable_targets.deregister(scalable_targets.registered(endpoint_name, variants), owner=endpoint_name)
    _delete_endpoint(endpoint_name, seconds_left)
    sagemaker, prefix = aws.client("sagemaker"), f"{endpoint_name}{SEPARATOR}"
    for name in _named("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", prefix):
        _forget(sagemaker.delete_endpoint_config, EndpointConfigName=name)
    for name in _named("list_models", "Models", "ModelName", prefix):
        _forget(sagemaker.delete_model, ModelName=name)
    if logs_go:
        _delete_logs(endpoint_name)


def _delete_logs(endpoint_name: str) -> None:
    cloudwatch_logs = aws.client("logs")
    try:
        cloudwatch_logs.delete_log_group(logGroupName=log_group_name(endpoint_name))
    except cloudwatch_logs.exceptions.ResourceNotFoundException:
        _LOG.info("there were no logs", extra={"endpoint": endpoint_name})


def _delete_endpoint(name: str, seconds_left: Callable[[], float]) -> None:
    """SageMaker refuses to delete an endpoint that is changing: wait for that, and then for its end."""
    sagemaker, pause = aws.client("sagemaker"), min(_FIRST_LOOK_S, _POLL_S)
    while (status := _status(name)) is not None:
        if seconds_left() <= 0:
            message = f"endpoint {name} must be gone for the stack to go, got status {status}; delete the stack again"
            raise RemovalError(message)
        if status not in _BUSY:
            _LOG.info("deleting", extra={"endpoint": name, "status": status})
            _forget(sagemaker.delete_endpoint, EndpointName=name)
        time.sleep(min(pause, max(seconds_left(), 0.0)))
        pause = min(2 * pause, _POLL_S)


def _status(name: str) -> str | None:
    sagemaker = aws.client("sagemaker")
    try:
        status: str = sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"]
    except sagemaker.exceptions.ClientError as error:
        if _is_absent(error):
            return None
        raise
    return status


def _named(operation: str, list_name: str, member: str, prefix: str) -> Iterator[str]:
    """The names that begin with ``prefix``; SageMaker's own filter finds it anywhere in the name."""
    pages = aws.client("sagemaker").get_paginator(operation).paginate(NameContains=prefix)
    names = [one[member] for page in pages for one in page[list_name]]
    yield from (name for name in names if name.startswith(prefix))


def _forget(delete: Callable[..., Any], **name: str) -> None:
    try:
        delete(**name)
    except aws.client("sagemaker").exceptions.ClientError as error:
        if not _is_absent(error):
            raise
        _LOG.info("was gone already", extra=name)


def _is_absent(error: Any) -> bool:
    """SageMaker has no error of its own for what does not exist."""
    detail = error.response["Error"]
    return detail["Code"] == "ValidationException" and "Could not find" in detail["Message"]
