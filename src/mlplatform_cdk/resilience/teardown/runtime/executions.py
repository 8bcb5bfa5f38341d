"""Ends what state machines are doing. May be called again after any interruption."""

from mlplatform_cdk.runtimekit import aws, logs

ERROR = "Teardown"
_CAUSE = "the stack of this state machine is being deleted"
_LOG = logs.logger("teardown")


def stop(machine_arn: str) -> list[str]:
    """Stop whatever runs; the ARNs of the executions that did.

    :param machine_arn: the state machine; one that is gone runs nothing.
    """
    running = list(_running(machine_arn))
    states = aws.client("stepfunctions")
    for arn in running:
        _LOG.info("stopping", extra={"execution_arn": arn})
        states.stop_execution(executionArn=arn, error=ERROR, cause=_CAUSE)
    return running


def is_known(execution_arn: str) -> bool:
    """Is there such an execution, whatever has become of it."""
    return bool(status_of(execution_arn))


def status_of(execution_arn: str) -> str:
    """How it is; empty: Step Functions does not know it."""
    if ":execution:" not in execution_arn:  # a drill holds the lock of a release by a name of its own
        return ""
    states = aws.client("stepfunctions")
    try:
        status: str = states.describe_execution(executionArn=execution_arn)["status"]
    except states.exceptions.ExecutionDoesNotExist:
        return ""
    return status


def _running(machine_arn: str) -> list[str]:
    states = aws.client("stepfunctions")
    pages = states.get_paginator("list_executions").paginate(stateMachineArn=machine_arn, statusFilter="RUNNING")
    try:
        return [one["executionArn"] for page in pages for one in page["executions"]]
    except states.exceptions.StateMachineDoesNotExist:
        return []
