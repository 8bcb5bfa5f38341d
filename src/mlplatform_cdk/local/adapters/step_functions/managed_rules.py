"""The EventBridge rule that AWS makes for ``.sync``: a role that may not write it cannot run such a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.utilities.utils import get_partition

from mlplatform_cdk.local.adapters.iam import access
from mlplatform_cdk.local.adapters.step_functions import failures

if TYPE_CHECKING:
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (
        StateTaskService,
    )
    from moto.stepfunctions.parser.asl.eval.environment import Environment

RULES = {
    "createHyperParameterTuningJob": "StepFunctionsGetEventsForSageMakerTuningJobsRule",
    "createLabelingJob": "StepFunctionsGetEventsForSageMakerLabelingJobsRule",
    "createProcessingJob": "StepFunctionsGetEventsForSageMakerProcessingJobsRule",
    "createTrainingJob": "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
    "createTransformJob": "StepFunctionsGetEventsForSageMakerTransformJobsRule",
    "startExecution": "StepFunctionsGetEventsForStepFunctionsExecutionRule",
}
ACTIONS = ("events:PutTargets", "events:PutRule", "events:DescribeRule")


def check(task: StateTaskService, env: Environment, role_arn: str, region: str) -> None:
    """Fail ``task`` unless its role may write the rule.

    :param task: a task with ``.sync``.
    :param env: where it runs.
    :param role_arn: the machine's role.
    :param region: where it runs.
    """
    account = role_arn.split(":")[4]
    rule = RULES[task.resource.api_action]
    arn = f"arn:{get_partition(region)}:events:{region}:{account}:rule/{rule}"
    for action in ACTIONS:
        if not access.role_may(role_arn, action, arn, region=region):
            cause = f"'{role_arn}' is not authorized to create managed-rule: {action} on {arn} is not allowed"
            raise failures.task_failed(task, env, "States.Runtime", cause)
