"""What every state machine of ours has: a log of every event, traces, a role of its own."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Names, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core.access import Access, allowed
from mlplatform_cdk.core.acknowledgements import accept_lint, acknowledge_wildcards
from mlplatform_cdk.core.answers import arn_of, machine_arn, machine_name, resource_of
from mlplatform_cdk.core.functions import LOG_RETENTION
from mlplatform_cdk.core.roles import PlatformRole, service_principal

_LONGEST_NAME = 100


# https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
_DELIVER_LOGS = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html
_TRACE = (
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)


class StateMachineRole(PlatformRole):
    """The role of a ``PlatformStateMachine``: it delivers logs and sends traces, whatever else it may do.

    CDK would grant that to the role of a state machine, by way of Node, Python and Node again for each statement.

    :param description: what it is for, one sentence.
    :param access: what else it may do from the start; default: nothing.
    """

    def __init__(self, scope: Construct, id: str, *, description: str, access: Sequence[Access] = ()) -> None:
        own = Access(
            [allowed(_DELIVER_LOGS, "*"), allowed(_TRACE, "*")],
            patterns={"*": "the delivery of Step Functions' logs and X-Ray's calls take no resource"},
        )
        states = service_principal("states.amazonaws.com")
        super().__init__(scope, id, assumed_by=states, description=description, access=[*access, own])


class PlatformStateMachine(sfn.StateMachine):
    """A standard state machine, logged in full to an encrypted log group and traced.

    :param definition: Amazon States Language.
    :param role: runs its states.
    :param comment: what it is for.
    :param key: encrypts its log group.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        definition: Mapping[str, Any],
        role: StateMachineRole,
        comment: str,
        key: kms.IKey,
    ) -> None:
        # Under the prefix that log delivery needs no entry in a policy of limited size for.
        name = Names.unique_resource_name(scope, max_length=_LONGEST_NAME, separator="-")
        log_group = logs.LogGroup(
            scope,
            f"{id}Logs",
            log_group_name=f"/aws/vendedlogs/states/{name}",
            encryption_key=key,
            retention=LOG_RETENTION,
            removal_policy=RemovalPolicy.DESTROY,
        )
        super().__init__(
            scope,
            id,
            comment=comment,
            # Not the stack's to_json_string: it leaves nulls out, which drop a result and say what a thing lacks.
            definition_body=sfn.DefinitionBody.from_string(json.dumps(definition)),
            role=role,
        )
        resource = resource_of(self)
        assert isinstance(resource, sfn.CfnStateMachine)
        resource.logging_configuration = _everything_to(log_group)
        resource.tracing_configuration = sfn.CfnStateMachine.TracingConfigurationProperty(enabled=True)
        accept_lint(resource, {"W3005": "CDK names the role in DependsOn besides the reference to it"})


def _everything_to(log_group: logs.ILogGroup) -> sfn.CfnStateMachine.LoggingConfigurationProperty:
    """Every event, with what went in and out."""
    group = sfn.CfnStateMachine.CloudWatchLogsLogGroupProperty(log_group_arn=log_group.log_group_arn)
    return sfn.CfnStateMachine.LoggingConfigurationProperty(
        destinations=[sfn.CfnStateMachine.LogDestinationProperty(cloud_watch_logs_log_group=group)],
        include_execution_data=True,
        level="ALL",
    )


def grant_ending(
    scope: Construct,
    id: str,
    *,
    role: PlatformRole,
    machine: sfn.StateMachine,
    description: str,
    starts: bool = False,
) -> None:
    """Let ``role`` see and end the executions of ``machine``, by a policy of its own: no cycle so.

    :param role: of who ends them.
    :param machine: whose executions.
    :param description: of the policy.
    :param starts: may it start one, too; default: no.
    """
    starting = [allowed(["states:StartExecution"], machine_arn(machine))] if starts else []
    executions = arn_of(scope, "states", f"execution:{machine_name(machine)}:*")
    ending = allowed(["states:DescribeExecution", "states:StopExecution"], executions)
    policy = iam.ManagedPolicy(
        scope,
        id,
        description=description,
        roles=[role],
        document=iam.PolicyDocument.from_json({"Statement": [ending, *starting]}),
    )
    acknowledge_wildcards(policy, {executions: "the executions of one machine, whose names come with them"})
