"""What the state machine itself may do: exactly the calls of its states."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import (
    PlatformRole,
    acknowledge,
    acknowledge_wildcards,
    arn_of,
    grant_encrypt,
    grant_read,
    permission,
)

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


class PipelineRole(PlatformRole):
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
        super().__init__(
            scope,
            id,
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description="Runs the states of a retraining pipeline",
        )
        self.allow(
            permission(["lambda:InvokeFunction"], *function_arns),
            permission(["sns:Publish"], topic.topic_arn),
        )
        grant_encrypt(key, self)
        grant_read(artifacts, self, prefix="runs/")
        self._grant_jobs(job_role, job_prefix, more_steps)
        acknowledge_wildcards(self, {"*": "log delivery and X-Ray, which CDK grants a state machine, take no resource"})

    def _grant_jobs(self, job_role: iam.IRole, prefix: str, more_steps: Sequence[str]) -> None:
        steps = {**_STEPS, "processing-job": (*_STEPS["processing-job"], *more_steps)}
        statements: list[iam.PolicyStatement] = []
        patterns: dict[str, str] = {}
        for kind, actions in _JOBS.items():
            jobs = [arn_of(self, "sagemaker", f"{kind}/{prefix}-*-{step}") for step in steps[kind]]
            tagged = [*actions, "sagemaker:AddTags", "sagemaker:ListTags"]
            statements.append(permission(tagged, *jobs))
            patterns |= dict.fromkeys(jobs, "jobs of this pipeline's steps, which carry the model and the run's id")
        self.allow(
            *statements,
            permission(
                ["events:DescribeRule", "events:PutRule", "events:PutTargets"],
                *(arn_of(self, "events", f"rule/{name}") for name in _MANAGED_RULES),
            ),
            permission(
                ["iam:PassRole"],
                job_role.role_arn,
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            ),
        )
        acknowledge_wildcards(self, patterns)
        reason = "Step Functions asks for it where a job has tags, by connect-sagemaker of its guide"
        acknowledge(self, {"permission-unused[sagemaker:ListTags]": reason})
