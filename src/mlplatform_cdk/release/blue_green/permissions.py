"""What a release may touch: one endpoint, the models and configurations of its prefix, the versions of one group."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core import (
    PlatformRole,
    acknowledge,
    acknowledge_wildcards,
    grant_decrypt,
    grant_encrypt,
    grant_read,
)
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.serving import ReleasedEndpoint

# The role by which application auto scaling changes variants; AWS makes it at an account's first scalable variant.
_SERVICE = "sagemaker.application-autoscaling.amazonaws.com"
_SERVICE_ROLE = f"aws-service-role/{_SERVICE}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


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
        stack, name, prefix = Stack.of(endpoint), endpoint.endpoint_name, endpoint.specification.name_prefix
        return Territory(
            endpoint=endpoint.endpoint_arn,
            configurations=stack.format_arn(
                service="sagemaker", resource="endpoint-config", resource_name=f"{prefix}*"
            ),
            models=stack.format_arn(service="sagemaker", resource="model", resource_name=f"{prefix}*"),
            targets=stack.format_arn(service="application-autoscaling", resource="scalable-target", resource_name="*"),
            alarms=stack.format_arn(
                service="cloudwatch", resource=f"alarm:TargetTracking-endpoint/{name}/variant", resource_name="*"
            ),
            service_role=stack.format_arn(service="iam", region="", resource="role", resource_name=_SERVICE_ROLE),
        )


def grant_steps(
    function: lambda_.IFunction,
    role: PlatformRole,
    *,
    endpoint: ReleasedEndpoint,
    registry: ModelRegistry,
    artifacts: s3.IBucket,
) -> None:
    """Let the function of the steps look at everything, ask green, hold scaling still and mark versions."""
    territory = Territory.of(endpoint)
    _allow(role, ["sagemaker:DescribeEndpoint"], [territory.endpoint])
    _allow(role, ["sagemaker:DescribeEndpointConfig"], [territory.configurations])
    _allow(role, ["sagemaker:DescribeModel"], [territory.models])
    _allow(
        role,
        ["application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies"],
        ["*"],
    )
    endpoint.grant_invoke(function)
    registry.grant_read(function)
    registry.grant_approve(function)
    grant_read(artifacts, function, prefix="runs/")
    _allow_scaling(role, territory, "application-autoscaling:DeregisterScalableTarget")
    _acknowledge(role, territory)


def grant_turn(scope: Construct, role: PlatformRole, machine: sfn.IStateMachine) -> None:
    """Let the function see the executions of the machine that calls it, by a policy of its own: no cycle that way."""
    iam.ManagedPolicy(
        scope,
        "TurnPermissions",
        description="Lets a release see whether another one is running",
        roles=[role],
        statements=[iam.PolicyStatement(actions=["states:ListExecutions"], resources=[machine.state_machine_arn])],
    )


class MachineRole(PlatformRole):
    """The role of a release's state machine: exactly the calls of its states.

    :param endpoint: what it releases to.
    :param registry: whose versions it rejects.
    :param function: of the steps.
    :param topic: where it tells people; None: nowhere.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: ReleasedEndpoint,
        registry: ModelRegistry,
        function: lambda_.IFunction,
        topic: sns.ITopic | None,
    ) -> None:
        super().__init__(
            scope,
            id,
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            description=f"Runs the states of releases to {endpoint.endpoint_name}",
        )
        territory = Territory.of(endpoint)
        self._grant_sagemaker(territory, endpoint)
        _allow(self, ["lambda:InvokeFunction"], [function.function_arn])
        registry.grant_update(self)
        if endpoint.specification.scales:
            _allow_scaling(self, territory)
        if topic is not None:
            _allow(self, ["sns:Publish"], [topic.topic_arn])
            grant_encrypt(endpoint.key, self)
        _acknowledge(self, territory)

    def _grant_sagemaker(self, territory: Territory, endpoint: ReleasedEndpoint) -> None:
        _allow(self, ["sagemaker:CreateModel"], [territory.models])
        _allow(self, ["sagemaker:CreateEndpointConfig"], [territory.configurations, territory.models])
        _allow(
            self,
            ["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"],
            [territory.endpoint, territory.configurations],
        )
        _allow(self, ["sagemaker:DeleteEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"], [territory.endpoint])
        self.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[endpoint.model_role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            )
        )
        # SageMaker encrypts the volumes by a grant that it makes in the caller's name.
        grant_decrypt(endpoint.key, self)
        self.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["kms:CreateGrant"],
                resources=[endpoint.key.key_arn],
                conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            )
        )


def _allow_scaling(role: PlatformRole, territory: Territory, *more: str) -> None:
    """What application auto scaling asks of who registers a variant.

    https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html
    """
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=[
                "application-autoscaling:PutScalingPolicy",
                "application-autoscaling:RegisterScalableTarget",
                *more,
            ],
            resources=[territory.targets],
            conditions={"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}},
        )
    )
    _allow(
        role,
        ["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"],
        [territory.alarms],
    )
    _allow(
        role,
        ["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"],
        [territory.endpoint],
    )
    _allow(role, ["sagemaker:DescribeEndpointConfig"], [territory.configurations])
    role.add_to_principal_policy(
        iam.PolicyStatement(
            actions=["iam:CreateServiceLinkedRole"],
            resources=[territory.service_role],
            conditions={"StringEquals": {"iam:AWSServiceName": _SERVICE}},
        )
    )


def _allow(role: PlatformRole, actions: Sequence[str], resources: Sequence[str]) -> None:
    iam.Grant.add_to_principal(grantee=role, actions=list(actions), resource_arns=list(resources))


def _acknowledge(role: PlatformRole, territory: Territory) -> None:
    acknowledge_wildcards(
        role,
        {
            territory.configurations: "the configurations that releases make for one endpoint, by their common prefix",
            territory.models: "the models that releases make for one endpoint, by their common prefix",
            territory.targets: "scalable targets have ids that AWS chooses; the condition keeps to SageMaker's",
            territory.alarms: "the alarms by which AWS scales one endpoint, with ids that AWS chooses",
        },
    )
    acknowledge(
        role,
        {
            "AwsSolutions-IAM5[Resource::*]": "X-Ray's calls, the delivery of Step Functions' logs and the "
            "descriptions of application auto scaling take no resource"
        },
    )
