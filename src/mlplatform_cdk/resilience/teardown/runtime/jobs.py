"""Ends the SageMaker jobs of a pipeline's executions: stopping an execution asks for that, and promises nothing."""

from collections.abc import Callable, Iterator
from typing import Any

from mlplatform_cdk.resilience.teardown.runtime import executions
from mlplatform_cdk.runtimekit import aws, logs

_LOG = logs.logger("teardown")
_ENDING = ("InProgress", "Stopping")


def stop(*, prefix: str, machine_arn: str) -> list[str]:
    """Stop the jobs that still run; the names of those that do.

    :param prefix: what their names begin with, before the run's id.
    :param machine_arn: whose executions are the runs; another environment's jobs may have the same prefix.
    """
    sagemaker = aws.client("sagemaker")
    going = []
    for operation, list_name, kind, ends in (
        ("list_training_jobs", "TrainingJobSummaries", "TrainingJob", sagemaker.stop_training_job),
        ("list_processing_jobs", "ProcessingJobSummaries", "ProcessingJob", sagemaker.stop_processing_job),
    ):
        for name, status in _named(operation, list_name, kind, f"{prefix}-"):
            if _is_of(name, prefix, machine_arn):
                going.append(name)
                if status == "InProgress":
                    _stop(ends, **{f"{kind}Name": name})
    return going


def run_of(job_name: str, prefix: str) -> str:
    """The run's id in ``<prefix>-<run>-<step>``. Pure."""
    return job_name.removeprefix(f"{prefix}-").rpartition("-")[0]


def _is_of(job_name: str, prefix: str, machine_arn: str) -> bool:
    arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{run_of(job_name, prefix)}"
    return executions.is_known(arn)


def _named(operation: str, list_name: str, kind: str, prefix: str) -> Iterator[tuple[str, str]]:
    """Names and states of the jobs that run and begin with ``prefix``; SageMaker's filter finds it anywhere."""
    paginator = aws.client("sagemaker").get_paginator(operation)
    for status in _ENDING:
        for page in paginator.paginate(NameContains=prefix, StatusEquals=status):
            found = [one[f"{kind}Name"] for one in page[list_name]]
            yield from ((name, status) for name in found if name.startswith(prefix))


def _stop(ends: Callable[..., Any], **name: str) -> None:
    sagemaker = aws.client("sagemaker")
    try:
        ends(**name)
    except sagemaker.exceptions.ClientError as error:  # it has ended meanwhile
        if error.response["Error"]["Code"] not in {"ValidationException", "ResourceNotFound"}:
            raise
        _LOG.info("had ended already", extra=name)
