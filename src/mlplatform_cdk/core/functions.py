"""What every Lambda function of ours has: a current runtime, JSON logs, traces, dead letters, a role of its own."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from mlplatform_cdk.core.acknowledgements import (
    accept_checkov,
    accept_lint,
    acknowledge,
    acknowledge_controls,
    acknowledge_wildcards,
)
from mlplatform_cdk.core.answers import arn_of, resource_of
from mlplatform_cdk.core.assets import runtime_code
from mlplatform_cdk.core.dead_letters import dead_letters_of
from mlplatform_cdk.core.roles import PlatformRole, permission

# The one place to move when a runtime ages; a test rejects a deprecated one.
LAMBDA_RUNTIME = lambda_.Runtime.PYTHON_3_14
LAMBDA_ARCHITECTURE = lambda_.Architecture.ARM_64
ONE_MINUTE = Duration.minutes(1)
LOG_RETENTION = logs.RetentionDays.SIX_MONTHS
_LAMBDA = iam.ServicePrincipal("lambda.amazonaws.com")


class PlatformFunction(lambda_.Function):
    """A Lambda function that runs ``<package>.handler.handle`` from the pruned asset of ``package``.

    :param package: the dotted name of a ``runtime`` package; it holds ``handler.py`` with ``handle(event, context)``.
    :param description: what it is for, one sentence.
    :param timeout: the most that one call may take; default: one minute.
    :param memory_mib: memory in MiB, which also sets the share of a processor; default: 256.
    :param environment: settings, by name; default: none.
    :param key: encrypts the settings and the log group; default: keys that AWS owns.
    :param vpc: where its network interfaces are; default: outside any VPC.
    :param security_groups: what its interfaces may reach; default: a group of its own, if in a VPC.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        package: str,
        description: str,
        timeout: Duration = ONE_MINUTE,
        memory_mib: int = 256,
        environment: Mapping[str, str] | None = None,
        key: kms.IKey | None = None,
        vpc: ec2.IVpc | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
    ) -> None:
        # jsii gives `self` its identity in super().__init__, so role and log group are siblings.
        role = PlatformRole(
            scope,
            f"{id}Role",
            assumed_by=_LAMBDA,
            description=f"Runs: {description}",
        )
        log_group = logs.LogGroup(
            scope, f"{id}Logs", retention=LOG_RETENTION, removal_policy=RemovalPolicy.DESTROY, encryption_key=key
        )
        role.allow(_writes_to(log_group))
        super().__init__(
            scope,
            id,
            runtime=LAMBDA_RUNTIME,
            architecture=LAMBDA_ARCHITECTURE,
            code=runtime_code(package),
            handler=f"{package}.handler.handle",
            description=description,
            timeout=timeout,
            memory_size=memory_mib,
            environment=environment,
            environment_encryption=key,
            role=role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE,
            dead_letter_queue=dead_letters_of(scope),
            vpc=vpc,
            security_groups=security_groups,
        )
        self.platform_role = role
        acknowledge(
            role,
            {"AwsSolutions-IAM5[Resource::*]": "X-Ray's PutTraceSegments and PutTelemetryRecords take no resource"},
        )
        self._accept_findings(outside_vpc=vpc is None)
        if vpc is not None:
            self._grant_network_interfaces(role)

    def _accept_findings(self, *, outside_vpc: bool) -> None:
        reason = (
            "a reservation is taken from the account's pool, ten in a new account; what calls it (one queue, one state "
            "machine, one rule) bounds it"
        )
        controls, checks = {"LambdaConcurrency": reason}, {"CKV_AWS_115": reason}
        if outside_vpc:
            reason = (
                "it calls AWS's own APIs alone, signed by its role; a VPC adds an endpoint per service and no guard"
            )
            controls["LambdaInsideVPC"] = checks["CKV_AWS_117"] = reason
        acknowledge_controls(self, controls)
        accept_checkov(self, checks, is_new=True)
        accept_lint(resource_of(self), {"W3005": "CDK names the role in DependsOn besides the reference to it"})

    @staticmethod
    def _grant_network_interfaces(role: PlatformRole) -> None:
        """What Lambda needs to stand in a VPC, on all of its account and region: Lambda names the interfaces.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
        """
        changes = [
            "ec2:AssignPrivateIpAddresses",
            "ec2:CreateNetworkInterface",
            "ec2:DeleteNetworkInterface",
            "ec2:UnassignPrivateIpAddresses",
        ]
        looks = ["ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets"]
        everywhere = arn_of(role, "ec2", "*/*")
        role.allow(
            permission(changes, everywhere),
            permission(looks, "*"),
        )
        acknowledge_wildcards(role, {everywhere: "Lambda makes and names the network interfaces of its functions"})


def _writes_to(log_group: logs.ILogGroup) -> iam.PolicyStatement:
    """What ``grant_write`` would add by way of Node and back."""
    return permission(["logs:CreateLogStream", "logs:PutLogEvents"], log_group.log_group_arn)
