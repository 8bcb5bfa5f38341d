"""The state machine as a resource: its role, its log, its traces."""

from aws_cdk import Names, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core import PlatformRole
from mlplatform_cdk.training.pipeline.definition import Plan, definition

_LONGEST_NAME = 100


def define_machine(scope: Construct, plan: Plan, *, role: PlatformRole, key: kms.IKey) -> sfn.StateMachine:
    """Define the state machine of ``plan`` in ``scope``; every event of every run is logged and traced."""
    return sfn.StateMachine(
        scope,
        "Machine",
        comment=f"Retrains {plan.model_name}",
        definition_body=sfn.DefinitionBody.from_string(Stack.of(scope).to_json_string(definition(plan))),
        role=role,
        logs=sfn.LogOptions(destination=_log_group(scope, key), level=sfn.LogLevel.ALL, include_execution_data=True),
        tracing_enabled=True,
    )


def _log_group(scope: Construct, key: kms.IKey) -> logs.LogGroup:
    """Under the prefix that log delivery needs no entry in a policy of limited size for."""
    name = Names.unique_resource_name(scope, max_length=_LONGEST_NAME, separator="-")
    return logs.LogGroup(
        scope,
        "MachineLogs",
        log_group_name=f"/aws/vendedlogs/states/{name}",
        encryption_key=key,
        retention=logs.RetentionDays.SIX_MONTHS,
        removal_policy=RemovalPolicy.DESTROY,
    )
