"""What a release may touch: one endpoint, the models and configurations of its prefix, the versions of one group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    PlatformRole,
    Statement,
    acknowledge_wildcards,
    allowed,
    arn_of,
    decrypting,
    encrypting,
    function_arn,
    key_arn,
    machine_arn,
    permission,
    reading,
    role_arn,
    topic_arn,
)
from mlplatform_cdk.core.machines import StateMachineRole, grant_ending
from mlplatform_cdk.core.scaling import WHY_ANY_TARGET, behind_scaling, scaling
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.serving import ReleasedEndpoint

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

# The role by which application auto scaling changes variants; AWS makes it at an account's first scalable variant.
_SERVICE = "sagemaker.application-autoscaling.amazonaws.com"
_SERVICE_ROLE = f"aws-service-role/{_SERVICE}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
# Lists, metrics, alarms and quotas: AWS lets none of them be named here.
_LOOKS = (
    "cloudwatch:GetMetricData",
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListModels",
    "servicequotas:ListAWSDefaultServiceQuotas",
    "servicequotas:ListServiceQuotas",
)
_SCALING_LOOKS = (
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
)
_STARS = (
    "X-Ray's calls, SageMaker's lists, CloudWatch's metrics, quotas and the descriptions of application auto scaling "
    "take no resource"
)


@dataclass(frozen=True, slots=True)
class Territory:
    """The ARNs of what one endpoint's releases make and change."""

    endpoint: str
    configurations: str
    models: str
    targets: str
    alarms: str
    service_role: str

    @staticmethod
    def of(endpoint: ReleasedEndpoint) -> "Territory":
        """The territory of ``endpoint``."""
        name, prefix = endpoint.endpoint_name, endpoint.specification.name_prefix
        return Territory(
            endpoint=endpoint.endpoint_arn,
            configurations=arn_of(endpoint, "sagemaker", f"endpoint-config/{prefix}*"),
            models=arn_of(endpoint, "sagemaker", f"model/{prefix}*"),
            targets=arn_of(endpoint, "application-autoscaling", "scalable-target/*"),
            alarms=arn_of(endpoint, "cloudwatch", f"alarm:TargetTracking-endpoint/{name}/variant/*"),
            service_role=arn_of(endpoint, "iam", f"role/{_SERVICE_ROLE}", region=""),
        )


def stepping(
    *, endpoint: ReleasedEndpoint, registry: ModelRegistry, artifacts: s3.IBucket, replays: bool
) -> list[Access]:
    """What the function of the steps needs to look at everything, ask green, and mark versions.

    :param replays: whether it reads what production was asked, too.
    """
    territory, name = Territory.of(endpoint), endpoint.endpoint_name
    captured = replays and endpoint.specification.capture_uri
    return [
        Access(
            [
                allowed(["sagemaker:DeleteEndpointConfig"], territory.configurations),
                allowed(["sagemaker:DeleteModel", "sagemaker:DescribeModel"], territory.models),
                allowed(_LOOKS, "*"),
                allowed(_SCALING_LOOKS, "*"),
            ],
            patterns=_wildcards(territory),
        ),
        endpoint.invoking(),
        endpoint.image.finding(),
        registry.reading(),
        registry.approving(),
        reading(artifacts, prefix="runs/"),
        *([reading(artifacts, prefix=f"capture/{name}/")] if captured else []),
        Access([], patterns={"*": _STARS}),
        decrypting(endpoint.key),
    ]


def grant_changes(scope: Construct, role: PlatformRole, endpoint: ReleasedEndpoint) -> None:
    """Let the function of the steps make the calls that change the endpoint, by a policy of their own.

    One policy does not hold all that it may do.
    """
    territory = Territory.of(endpoint)
    passed = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    statements = [
        allowed(["sagemaker:CreateModel"], territory.models),
        allowed(["sagemaker:CreateEndpointConfig"], territory.configurations, territory.models),
        allowed(["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"], territory.endpoint, territory.configurations),
        allowed(["sagemaker:DeleteEndpoint"], territory.endpoint),
        allowed(["iam:PassRole"], role_arn(endpoint.model_role), conditions=passed),
        # SageMaker encrypts the volumes by a grant that it makes in the caller's name.
        allowed(["kms:CreateGrant"], key_arn(endpoint.key), conditions=for_aws),
        *_scaling(territory, owner=endpoint.endpoint_name),
    ]
    policy = iam.ManagedPolicy(
        scope,
        "ChangePermissions",
        description=f"Lets a release change the endpoint {endpoint.endpoint_name}",
        roles=[role],
        document=iam.PolicyDocument.from_json({"Statement": statements}),
    )
    acknowledge_wildcards(policy, _wildcards(territory))


def seeing_alarms(alarms: "Mapping[str, Sequence[cloudwatch.IAlarm]]") -> Access:
    """What the function needs to see which of ``alarms`` ring.

    CloudWatch tells of a composite alarm only those who may look at all alarms, and the business may have some:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    """
    arns = [one.alarm_arn for group in alarms.values() for one in group]
    seen = ["*"] if alarms["business"] else arns
    return Access([allowed(["cloudwatch:DescribeAlarms"], *seen)] if arns else [])


def grant_turn(scope: Construct, role: PlatformRole, machine: sfn.StateMachine) -> None:
    """Let the function see and end the executions of the machine that calls it, and start a rollback."""
    what = "Lets a release see whether another one is running, end it, and start a rollback"
    grant_ending(scope, "TurnPermissions", role=role, machine=machine, description=what, starts=True)


def grant_restart(scope: Construct, role: PlatformRole, machine: sfn.StateMachine) -> None:
    """Let the machine start the execution that retires blue later, by a policy of its own: no cycle so."""
    iam.ManagedPolicy(
        scope,
        "RetirementPermissions",
        description="Lets a release start the execution that retires blue",
        roles=[role],
        statements=[permission(["states:StartExecution"], machine_arn(machine))],
    )


class MachineRole(StateMachineRole):
    """The role of a release's state machine: exactly the calls of its states, which leave the changes to a function.

    :param endpoint: what it releases to.
    :param functions: that its states call.
    :param topic: where it tells people; None: nowhere.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: ReleasedEndpoint,
        functions: Sequence[lambda_.IFunction],
        topic: sns.ITopic | None,
    ) -> None:
        calling = Access([allowed(["lambda:InvokeFunction"], *map(function_arn, functions))])
        telling = [] if topic is None else [allowed(["sns:Publish"], topic_arn(topic))]
        super().__init__(
            scope,
            id,
            description=f"Runs the states of releases to {endpoint.endpoint_name}",
            access=[calling, *([Access(telling), encrypting(endpoint.key)] if telling else [])],
        )


def _scaling(territory: Territory, *, owner: str) -> tuple[Statement, ...]:
    """The endpoint's own variants may scale, and what AWS asks of who lets them."""
    return (
        *scaling(territory.targets, owner=owner),
        *behind_scaling(endpoint=territory.endpoint, configurations=territory.configurations, alarms=territory.alarms),
        allowed(
            ["iam:CreateServiceLinkedRole"],
            territory.service_role,
            conditions={"StringEquals": {"iam:AWSServiceName": _SERVICE}},
        ),
    )


def _wildcards(territory: Territory) -> dict[str, str]:
    """Why some ARNs hold a star."""
    return {
        territory.configurations: "the configurations that releases make for one endpoint, by their common prefix",
        territory.models: "the models that releases make for one endpoint, by their common prefix",
        territory.targets: WHY_ANY_TARGET,
        territory.alarms: "the alarms by which AWS scales one endpoint, with ids that AWS chooses",
    }
