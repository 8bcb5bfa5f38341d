"""What an A/B test may touch: one endpoint, its table and reports, and what it adds where releases own the endpoint."""

from collections.abc import Sequence

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    PlatformFunction,
    PlatformRole,
    acknowledge,
    acknowledge_wildcards,
    allowed,
    arn_of,
    encrypting,
    function_arn,
    give,
    grant,
    grant_encrypt,
    grant_read,
    grant_write,
    key_arn,
    machine_arn,
    permission,
    topic_arn,
)
from mlplatform_cdk.core.machines import StateMachineRole, grant_ending
from mlplatform_cdk.core.scaling import WHY_ANY_TARGET, scaling
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release.ab_test.findings import ON_A_TEMPLATE, WITHOUT_ALARMS, WITHOUT_RELEASE
from mlplatform_cdk.release.ab_test.runtime.preparation import MARK
from mlplatform_cdk.runtimekit.endpoint_specification import CHALLENGER
from mlplatform_cdk.serving import Endpoint, ReleasedEndpoint

REPORTS = "ab-tests/"


def grant_steps(
    function: PlatformFunction,
    *,
    endpoint: Endpoint,
    table: dynamodb.ITable,
    artifacts: s3.IBucket,
    key: kms.IKey,
    alarms: Sequence[str],
) -> None:
    """Let the steps see and move the endpoint's weights, read what was gathered, and write reports.

    CloudWatch tells of a composite alarm only those who may look at all alarms, and ``alarms`` may have some:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
    """
    role = function.platform_role
    role.allow(
        permission(
            ["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"], endpoint.endpoint_arn
        ),
        permission(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], table.table_arn),
    )
    grant_encrypt(key, function)
    grant_write(artifacts, function, prefix=REPORTS)
    if alarms:
        role.allow(permission(["cloudwatch:DescribeAlarms"], "*"))
    else:
        acknowledge(role, WITHOUT_ALARMS)
    acknowledge(
        role,
        {"AwsSolutions-IAM5[Resource::*]": "X-Ray's calls take no resource, and composite alarms are told of so only"},
    )


def grant_looks(function: PlatformFunction) -> None:
    """Let the steps see which version a variant of a template runs; CloudFormation names what is asked."""
    role = function.platform_role
    configurations = arn_of(function, "sagemaker", "endpoint-config/*")
    models = arn_of(function, "sagemaker", "model/*")
    role.allow(
        permission(["sagemaker:DescribeEndpointConfig"], configurations),
        permission(["sagemaker:DescribeModel"], models),
    )
    reason = "the template's configurations and models are named by CloudFormation; they are only described"
    acknowledge_wildcards(role, {configurations: reason, models: reason})
    acknowledge(role, ON_A_TEMPLATE)


def grant_challengers(
    function: PlatformFunction, *, endpoint: ReleasedEndpoint, registry: ModelRegistry, artifacts: s3.IBucket
) -> None:
    """Let the steps bring challengers up beside the live variant of an endpoint that releases own, and down again."""
    role, prefix = function.platform_role, endpoint.specification.name_prefix
    configurations = arn_of(function, "sagemaker", f"endpoint-config/{prefix}*")
    models = arn_of(function, "sagemaker", f"model/{prefix}*")
    own_configurations = arn_of(function, "sagemaker", f"endpoint-config/{prefix}{MARK}*")
    own_models = arn_of(function, "sagemaker", f"model/{prefix}{MARK}*")
    role.allow(
        permission(["sagemaker:DescribeEndpointConfig"], configurations),
        permission(["sagemaker:DescribeModel"], models),
        permission(["sagemaker:UpdateEndpoint"], endpoint.endpoint_arn, configurations),
        permission(["sagemaker:CreateEndpointConfig"], own_configurations, models),
        permission(["sagemaker:DeleteEndpointConfig"], own_configurations),
        permission(["sagemaker:CreateModel", "sagemaker:DeleteModel"], own_models),
        permission(
            ["iam:PassRole"],
            endpoint.model_role.role_arn,
            conditions={"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        ),
        # SageMaker encrypts the volumes by a grant that it makes in the caller's name.
        permission(
            ["kms:CreateGrant"], key_arn(endpoint.key), conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}}
        ),
    )
    give(function, endpoint.invoking())
    registry.grant_describe(function)
    grant_read(artifacts, function, prefix="runs/")
    common = "what releases and tests make for one endpoint, by their common prefix"
    acknowledge_wildcards(role, dict.fromkeys((configurations, models, own_configurations, own_models), common))
    _grant_scaling(function, endpoint)


def _grant_scaling(function: PlatformFunction, endpoint: ReleasedEndpoint) -> None:
    """Let the steps scale challengers as the control does, by a policy of its own: one does not hold it all.

    https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html
    """
    targets = arn_of(function, "application-autoscaling", "scalable-target/*")
    alarms = arn_of(
        function, "cloudwatch", f"alarm:TargetTracking-endpoint/{endpoint.endpoint_name}/variant/{CHALLENGER}*"
    )
    looks = ["application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScalingPolicies"]
    statements = [
        *scaling(targets, owner=endpoint.endpoint_name),
        allowed(looks, "*"),
        allowed(["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"], alarms),
    ]
    policy = iam.ManagedPolicy(
        function,
        "ScalingPermissions",
        description=f"Lets an A/B test scale challengers on {endpoint.endpoint_name}",
        roles=[function.platform_role],
        document=iam.PolicyDocument.from_json({"Statement": statements}),
    )
    acknowledge_wildcards(
        policy,
        {
            targets: WHY_ANY_TARGET,
            alarms: "the alarms by which AWS scales challengers of one endpoint, with ids that AWS chooses",
        },
    )
    acknowledge(
        policy, {"AwsSolutions-IAM5[Resource::*]": "the descriptions of application auto scaling take no resource"}
    )


def grant_winner(function: PlatformFunction, registry: ModelRegistry | None) -> None:
    """Let the steps approve a winner in ``registry``; None: the test releases none."""
    if registry is not None:
        registry.grant_approve(function)
    else:
        acknowledge(function.platform_role, WITHOUT_RELEASE)


def grant_take_part(grantee: iam.IGrantable, *, endpoint: Endpoint, table: dynamodb.ITable, key: kms.IKey) -> None:
    """Let ``grantee`` ask the variants, and write requests and outcomes."""
    give(grantee, endpoint.invoking())
    grant(grantee, permission(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"], table.table_arn))
    grant_encrypt(key, grantee)


def grant_end(scope: Construct, role: PlatformRole, machine: sfn.StateMachine) -> None:
    """Let a release see whether the test runs, and a rollback end it."""
    what = "Lets a release see whether an A/B test is running, and a rollback end it"
    grant_ending(scope, "ReleasePermissions", role=role, machine=machine, description=what)


class MachineRole(StateMachineRole):
    """The role of a test's state machine: exactly the calls of its states.

    :param name: of the test.
    :param function: of the steps.
    :param topic: where it tells people; None: nowhere.
    :param key: that the topic is encrypted with.
    :param release: the machine that it starts; None: none.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        function: PlatformFunction,
        topic: sns.ITopic | None,
        key: kms.IKey,
        release: sfn.IStateMachine | None,
    ) -> None:
        access = [Access([allowed(["lambda:InvokeFunction"], function_arn(function))])]
        if topic is not None:
            access += [Access([allowed(["sns:Publish"], topic_arn(topic))]), encrypting(key)]
        if release is not None:
            access.append(Access([allowed(["states:StartExecution"], machine_arn(release))]))
        super().__init__(scope, id, description=f"Runs the states of the A/B test {name}", access=access)
