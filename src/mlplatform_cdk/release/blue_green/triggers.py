"""What starts a release, and a rollback: the registry's events about versions."""

from collections.abc import Mapping

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core import PlatformRole, dead_letters_of, hours, machine_arn, permission, service_principal
from mlplatform_cdk.registry import ModelRegistry

_RETRIES = 8
_GIVE_UP_AFTER = hours(6)


class ReleaseTriggers(Construct):
    """Starts a release when a version is approved, and a rollback when the live one is rejected.

    :param registry: whose versions are released.
    :param machine: which releases them.
    :param on_approval: does an approval start a release.
    """

    def __init__(
        self, scope: Construct, id: str, *, registry: ModelRegistry, machine: sfn.StateMachine, on_approval: bool
    ) -> None:
        super().__init__(scope, id)
        starts = "a release when a version is approved, and " if on_approval else ""
        starter = PlatformRole(
            self,
            "Role",
            assumed_by=service_principal("events.amazonaws.com"),
            description=f"Starts {starts}a rollback when the live one is rejected",
        )
        starter.allow(permission(["states:StartExecution"], machine_arn(machine)))
        if on_approval:
            start_on_approval(self, registry=registry, machine=machine, role=starter)
        start_on(
            self,
            "Rejected",
            "The version in production was rejected",
            registry.live_rejected_pattern(),
            {"action": "rollback", "by": "rejection", "reason": "it was rejected in the registry"},
            machine=machine,
            role=starter,
        )


def start_on_approval(scope: Construct, *, registry: ModelRegistry, machine: sfn.StateMachine, role: iam.IRole) -> None:
    """Start ``machine`` with each version that is approved for the first time."""
    approved = registry.approved_pattern()
    # The marks of a release are changes of an approved version too, and would start the next one; a version that
    # was in production is brought back by hand only.
    detail = {**(approved.detail or {}), "ModelLifeCycle": {"Stage": [{"exists": False}]}}
    pattern = events.EventPattern(source=approved.source, detail_type=approved.detail_type, detail=detail)
    request = {"by": "approval"}
    start_on(scope, "Approved", "A model version was approved", pattern, request, machine=machine, role=role)


def start_on(
    scope: Construct,
    id: str,
    description: str,
    pattern: events.EventPattern,
    request: Mapping[str, str],
    *,
    machine: sfn.StateMachine,
    role: iam.IRole,
) -> None:
    """Start ``machine`` with the version of each event that fits ``pattern``, and with ``request``."""
    version = events.EventField.from_path("$.detail.ModelPackageArn")
    events.Rule(
        scope,
        id,
        description=description,
        event_pattern=pattern,
        targets=[
            targets.SfnStateMachine(
                machine,
                input=events.RuleTargetInput.from_object({"model_package_arn": version, **request}),
                role=role,
                dead_letter_queue=dead_letters_of(scope),
                retry_attempts=_RETRIES,
                max_event_age=_GIVE_UP_AFTER,
            )
        ],
    )
