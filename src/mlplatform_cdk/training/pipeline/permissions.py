"""What the state machine itself may do: exactly the calls of its states."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import PlatformRole, acknowledge, acknowledge_wildcards, grant_encrypt, grant_read

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

    :param functions: what it calls.
    :param job_role: what it hands to the jobs that it starts.
    :param artifacts: where it reads evaluation's verdict.
    :param topic: where it tells of failures.
    :param key: encrypts the artifacts and the topic.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        functions: Sequence[lambda_.IFunction],
        job_role: iam.IRole,
        artifacts: s3.IBucket,
        topic: sns.ITopic,
        key: kms.IKey,
    ) -> None:
        super().__init__(
            scope,
            id,
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description="Runs the states of a retraining pipeline",
        )
        self._grant(["lambda:InvokeFunction"], [function.function_arn for function in functions])
        self._grant(["sns:Publish"], [topic.topic_arn])
        grant_encrypt(key, self)
        grant_read(artifacts, self, prefix="runs/")
        self._grant_jobs(job_role)
        acknowledge_wildcards(self, {"*": "log delivery and X-Ray, which CDK grants a state machine, take no resource"})

    def _grant_jobs(self, job_role: iam.IRole) -> None:
        stack = Stack.of(self)
        for kind, actions in _JOBS.items():
            arns = [
                stack.format_arn(service="sagemaker", resource=kind, resource_name=f"*-{step}") for step in _STEPS[kind]
            ]
            self._grant([*actions, "sagemaker:AddTags", "sagemaker:ListTags"], arns)
            reason = "Step Functions asks for it where a job has tags, by connect-sagemaker of its guide"
            acknowledge(self, {"permission-unused[sagemaker:ListTags]": reason})
            acknowledge_wildcards(self, dict.fromkeys(arns, "jobs of this pipeline's steps, which carry the run's id"))
        rules = [
            stack.format_arn(
                service="events", resource="rule", resource_name=name, arn_format=ArnFormat.SLASH_RESOURCE_NAME
            )
            for name in _MANAGED_RULES
        ]
        self._grant(["events:DescribeRule", "events:PutRule", "events:PutTargets"], rules)
        self.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[job_role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        )

    def _grant(self, actions: Sequence[str], resources: Sequence[str]) -> None:
        iam.Grant.add_to_principal(grantee=self, actions=list(actions), resource_arns=list(resources))
