"""How a release is looked at before it begins and ended from outside: the permissions, and the registry's veto."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core import PlatformRole, acknowledge_wildcards, dead_letters_of, permission
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release.blue_green.guard import executions_of
from mlplatform_cdk.serving import ReleasedEndpoint

_RETRIES = 8
_GIVE_UP_AFTER = Duration.hours(6)


def grant_turns(scope: Construct, role: PlatformRole, machine: sfn.StateMachine) -> None:
    """Let the steps of ``machine`` see who holds the lock and end it, by a policy of its own: no cycle that way.

    :param scope: holds the policy.
    :param role: of the function of the steps, which the machine calls.
    :param machine: whose executions hold the lock.
    """
    executions = executions_of(scope, machine)
    policy = iam.ManagedPolicy(
        scope,
        "TurnPermissions",
        description="Lets a release see whether another one runs, and end it",
        roles=[role],
        statements=[permission(["states:DescribeExecution", "states:StopExecution"], executions)],
    )
    acknowledge_wildcards(policy, {executions: "the executions of one machine, whose names come with them"})


def grant_preflight(role: PlatformRole, endpoint: ReleasedEndpoint) -> None:
    """Let ``role`` see that the image of a version is there, and what the account may run and runs.

    :param role: of the function of the steps.
    :param endpoint: what is released to.
    """
    endpoint.image.grant_find(role)
    role.allow(
        # None of these takes a resource.
        permission(
            [
                "cloudwatch:GetMetricData",
                "servicequotas:ListAWSDefaultServiceQuotas",
                "servicequotas:ListServiceQuotas",
            ],
            "*",
        )
    )


def roll_back_when_rejected(
    scope: Construct, *, registry: ModelRegistry, machine: sfn.StateMachine, starter: PlatformRole
) -> events.Rule:
    """Who rejects the live version in the registry takes it back.

    :param scope: holds the rule.
    :param registry: whose versions are released.
    :param machine: which takes it back; a version that does not serve is none of its business.
    :param starter: may start ``machine``.
    """
    return events.Rule(
        scope,
        "LiveRejected",
        description="The version in production was rejected",
        event_pattern=registry.live_rejected_pattern(),
        targets=[
            targets.SfnStateMachine(
                machine,
                input=events.RuleTargetInput.from_object(
                    {
                        "action": "rollback",
                        "model_package_arn": events.EventField.from_path("$.detail.ModelPackageArn"),
                        "by": "the registry",
                        "reason": "the version was rejected in the registry",
                    }
                ),
                role=starter,
                dead_letter_queue=dead_letters_of(scope),
                retry_attempts=_RETRIES,
                max_event_age=_GIVE_UP_AFTER,
            )
        ],
    )
