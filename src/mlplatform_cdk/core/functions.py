"""What every Lambda function of ours has: a current runtime, JSON logs, traces, dead letters, a role of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import jsii
from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from mlplatform_cdk.core.access import Access, allowed
from mlplatform_cdk.core.acknowledgements import (
    accept_checkov,
    accept_lint,
    acknowledge_controls,
    acknowledge_wildcards,
)
from mlplatform_cdk.core.answers import arn_of, queue_arn, resource_of
from mlplatform_cdk.core.assets import runtime_code
from mlplatform_cdk.core.dead_letters import dead_letters_of
from mlplatform_cdk.core.durations import minutes
from mlplatform_cdk.core.roles import PlatformRole, permission, service_principal

# The one place to move when a runtime ages; a test rejects a deprecated one.
LAMBDA_RUNTIME = lambda_.Runtime.PYTHON_3_14
LAMBDA_ARCHITECTURE = lambda_.Architecture.ARM_64
ONE_MINUTE = minutes(1)
LOG_RETENTION = logs.RetentionDays.SIX_MONTHS


class PlatformFunction(lambda_.Function):
    """A Lambda function that runs ``<package>.<module>.handle`` from the pruned asset of ``package``.

    :param package: the dotted name of a ``runtime`` package.
    :param description: what it is for, one sentence.
    :param module: the package's module with ``handle(event, context)``; functions of one package that do different
        things have one each, so that none can do, or has to load, what another does; default: ``handler``.
    :param timeout: the most that one call may take; default: one minute.
    :param memory_mib: memory in MiB, which also sets the share of a processor; default: 256.
    :param most_at_once: how many calls may run at a time, reserved from the account's pool; default: what is free.
    :param environment: settings, by name; default: none.
    :param key: encrypts the settings and the log group; default: keys that AWS owns.
    :param vpc: where its network interfaces are; default: outside any VPC.
    :param security_groups: what its interfaces may reach; default: a group of its own, if in a VPC.
    :param access: what it may do from the start; a grant later costs more messages to Node; default: nothing.
    :param hook: a folder of the user's own code, which the function finds as ``hook/``; default: none.
    """

    def __init__(  # noqa: PLR0913 - each argument but the first four has a default
        self,
        scope: Construct,
        id: str,
        *,
        package: str,
        description: str,
        module: str = "handler",
        timeout: Duration = ONE_MINUTE,
        memory_mib: int = 256,
        most_at_once: int | None = None,
        environment: Mapping[str, str] | None = None,
        key: kms.IKey | None = None,
        vpc: ec2.IVpc | None = None,
        security_groups: Sequence[ec2.ISecurityGroup] | None = None,
        access: Sequence[Access] = (),
        hook: Path | None = None,
    ) -> None:
        # jsii gives `self` its identity in super().__init__, so role and log group are siblings.
        role = PlatformRole(
            scope,
            f"{id}Role",
            assumed_by=service_principal("lambda.amazonaws.com"),
            description=f"Runs: {description}",
        )
        log_group = logs.LogGroup(
            scope, f"{id}Logs", retention=LOG_RETENTION, removal_policy=RemovalPolicy.DESTROY, encryption_key=key
        )
        dead_letters = dead_letters_of(scope)
        role.give(_own_access(log_group, dead_letters), *access)
        super().__init__(
            scope,
            id,
            runtime=LAMBDA_RUNTIME,
            architecture=LAMBDA_ARCHITECTURE,
            code=runtime_code(package, hook),
            handler=f"{package}.{module}.handle",
            description=description,
            timeout=timeout,
            memory_size=memory_mib,
            reserved_concurrent_executions=most_at_once,
            environment=environment,
            environment_encryption=key,
            role=role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            vpc=vpc,
            security_groups=security_groups,
        )
        self.platform_role = role
        self._dead_letters = dead_letters
        self._configure(dead_letters)
        self._accept_findings(outside_vpc=vpc is None, unreserved=most_at_once is None)
        if vpc is not None:
            self._grant_network_interfaces(role)

    @property
    @jsii.member(jsii_name="deadLetterQueue")
    def dead_letter_queue(self) -> sqs.IQueue:
        """Where events go that the function could not handle."""
        return self._dead_letters

    def _configure(self, dead_letters: sqs.IQueue) -> None:
        """Set on the resource what CDK's arguments would set, too, but with two grants by way of Node and back."""
        resource = resource_of(self)
        assert isinstance(resource, lambda_.CfnFunction)
        resource.dead_letter_config = lambda_.CfnFunction.DeadLetterConfigProperty(target_arn=queue_arn(dead_letters))
        resource.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode="Active")

    def _accept_findings(self, *, outside_vpc: bool, unreserved: bool) -> None:
        controls, checks = {}, {}
        if unreserved:
            reason = (
                "a reservation is taken from the account's pool, ten in a new account; what calls it (one queue, one "
                "state machine, one rule) bounds it"
            )
            controls["LambdaConcurrency"] = checks["CKV_AWS_115"] = reason
        if outside_vpc:
            reason = (
                "it calls AWS's own APIs alone, signed by its role; a VPC adds an endpoint per service and no guard"
            )
            controls["LambdaInsideVPC"] = checks["CKV_AWS_117"] = reason
        if controls:
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


def _own_access(log_group: logs.ILogGroup, dead_letters: sqs.IQueue) -> Access:
    """What every function does, whatever it is for: it logs, hands on what it could not handle, and traces."""
    return Access(
        [
            allowed(["logs:CreateLogStream", "logs:PutLogEvents"], log_group.log_group_arn),
            allowed(["sqs:SendMessage"], queue_arn(dead_letters)),
            allowed(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*"),
        ],
        patterns={"*": "X-Ray's PutTraceSegments and PutTelemetryRecords take no resource"},
    )
