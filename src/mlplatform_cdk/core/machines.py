"""What every state machine of ours has: a log of every event, traces, a role of its own."""

import json
from collections.abc import Mapping
from typing import Any

from aws_cdk import Names, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core.acknowledgements import accept_lint, acknowledge_wildcards
from mlplatform_cdk.core.answers import arn_of, resource_of
from mlplatform_cdk.core.functions import LOG_RETENTION
from mlplatform_cdk.core.roles import PlatformRole, permission

_LONGEST_NAME = 100


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
        role: PlatformRole,
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
            logs=sfn.LogOptions(destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=True),
            tracing_enabled=True,
        )
        accept_lint(resource_of(self), {"W3005": "CDK names the role in DependsOn besides the reference to it"})


def grant_ending(scope: Construct, id: str, *, role: PlatformRole, machine: sfn.StateMachine, description: str) -> None:
    """Let ``role`` see and end the executions of ``machine``, by a policy of its own: no cycle so."""
    executions = arn_of(scope, "states", f"execution:{machine.state_machine_name}:*")
    policy = iam.ManagedPolicy(
        scope,
        id,
        description=description,
        roles=[role],
        statements=[permission(["states:DescribeExecution", "states:StopExecution"], executions)],
    )
    acknowledge_wildcards(policy, {executions: "the executions of one machine, whose names come with them"})
