"""What the state machine itself may do: exactly the calls of its states."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import Access, Statement, allowed, arn_of, encrypting, reading, role_arn, topic_arn
from mlplatform_cdk.core.machines import StateMachineRole

# The rules that Step Functions makes for itself to hear of a job's end:
# https://docs.aws.amazon.com/step-functions/latest/dg/connect-sagemaker.html
_MANAGED_RULES = (
    "StepFunctionsGetEventsForSageMakerTrainingJobsRule",
    "StepFunctionsGetEventsForSageMakerProcessingJobsRule",
)
_JOBS = {
    "training-job": ("sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:StopTrainingJob"),
    "processing-job": (
        "sagemaker:CreateProcessingJob",
        "sagemaker:DescribeProcessingJob",
        "sagemaker:StopProcessingJob",
    ),
}
_STEPS = {"training-job": ("train",), "processing-job": ("preprocess", "evaluate")}


class PipelineRole(StateMachineRole):
    """The role of a pipeline's state machine.

    :param function_arns: what it calls.
    :param job_prefix: what the names of its jobs begin with.
    :param job_role: what it hands to the jobs that it starts.
    :param artifacts: where it reads evaluation's verdict.
    :param topic: where it tells of failures.
    :param key: encrypts the artifacts and the topic.
    :param more_steps: the processing jobs beside preprocessing and evaluation; default: none.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        function_arns: Sequence[str],
        job_prefix: str,
        job_role: iam.IRole,
        artifacts: s3.IBucket,
        topic: sns.ITopic,
        key: kms.IKey,
        more_steps: Sequence[str] = (),
    ) -> None:
        states = [allowed(["lambda:InvokeFunction"], *function_arns), allowed(["sns:Publish"], topic_arn(topic))]
        super().__init__(
            scope,
            id,
            description="Runs the states of a retraining pipeline",
            access=[
                Access(states),
                encrypting(key),
                reading(artifacts, prefix="runs/"),
                _running_jobs(scope, job_role, job_prefix, more_steps),
            ],
        )


def _running_jobs(scope: Construct, job_role: iam.IRole, prefix: str, more_steps: Sequence[str]) -> Access:
    steps = {**_STEPS, "processing-job": (*_STEPS["processing-job"], *more_steps)}
    statements: list[Statement] = []
    patterns: dict[str, str] = {}
    for kind, actions in _JOBS.items():
        jobs = [arn_of(scope, "sagemaker", f"{kind}/{prefix}-*-{step}") for step in steps[kind]]
        statements.append(allowed([*actions, "sagemaker:AddTags", "sagemaker:ListTags"], *jobs))
        patterns |= dict.fromkeys(jobs, "jobs of this pipeline's steps, which carry the model and the run's id")
    rules = [arn_of(scope, "events", f"rule/{name}") for name in _MANAGED_RULES]
    passed = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    return Access(
        [
            *statements,
            allowed(["events:DescribeRule", "events:PutRule", "events:PutTargets"], *rules),
            allowed(["iam:PassRole"], role_arn(job_role), conditions=passed),
        ],
        patterns=patterns,
        findings={
            "permission-unused[sagemaker:ListTags]": "Step Functions asks for it where a job has tags, by "
            "connect-sagemaker of its guide"
        },
    )
