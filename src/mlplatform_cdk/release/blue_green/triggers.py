"""What starts a release, and a rollback: the registry's events about versions."""

from collections.abc import Mapping

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core import PlatformRole, dead_letters_of, permission
from mlplatform_cdk.registry import ModelRegistry

_RETRIES = 8
_GIVE_UP_AFTER = Duration.hours(6)


class ReleaseTriggers(Construct):
    """Starts a release when a version is approved, and a rollback when the live one is rejected.

    :param registry: whose versions are released.
    :param machine: which releases them.
    """

    def __init__(self, scope: Construct, id: str, *, registry: ModelRegistry, machine: sfn.StateMachine) -> None:
        super().__init__(scope, id)
        self._machine = machine
        self._starter = PlatformRole(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
            description="Starts a release when a version is approved, and a rollback when the live one is rejected",
        )
        self._starter.allow(permission(["states:StartExecution"], machine.state_machine_arn))
        approved = registry.approved_pattern()
        # The marks of a release are changes of an approved version too, and would start the next one; a version that
        # was in production is brought back by hand only.
        detail = {**(approved.detail or {}), "ModelLifeCycle": {"Stage": [{"exists": False}]}}
        pattern = events.EventPattern(source=approved.source, detail_type=approved.detail_type, detail=detail)
        self._define("Approved", "A model version was approved", pattern, {"by": "approval"})
        self._define(
            "Rejected",
            "The version in production was rejected",
            registry.live_rejected_pattern(),
            {"action": "rollback", "by": "rejection", "reason": "it was rejected in the registry"},
        )

    def _define(self, id: str, description: str, pattern: events.EventPattern, request: Mapping[str, str]) -> None:
        version = events.EventField.from_path("$.detail.ModelPackageArn")
        events.Rule(
            self,
            id,
            description=description,
            event_pattern=pattern,
            targets=[
                targets.SfnStateMachine(
                    self._machine,
                    input=events.RuleTargetInput.from_object({"model_package_arn": version, **request}),
                    role=self._starter,
                    dead_letter_queue=dead_letters_of(self),
                    retry_attempts=_RETRIES,
                    max_event_age=_GIVE_UP_AFTER,
                )
            ],
        )
