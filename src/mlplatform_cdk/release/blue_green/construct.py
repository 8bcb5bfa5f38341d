"""A release as a user defines it: which endpoint, whose versions, whom to tell."""

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core import PlatformFunction, PlatformRole, dead_letters_of, partition_of
from mlplatform_cdk.core.machines import PlatformStateMachine
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release.blue_green.changes import Release
from mlplatform_cdk.release.blue_green.definition import definition
from mlplatform_cdk.release.blue_green.permissions import MachineRole, grant_steps, grant_turn
from mlplatform_cdk.release.blue_green.tasks import Tasks
from mlplatform_cdk.serving import ReleasedEndpoint

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

RUNTIME = "mlplatform_cdk.release.blue_green.runtime"
_STEP_TIMEOUT = Duration.minutes(5)
_RETRIES = 8
_GIVE_UP_AFTER = Duration.hours(6)


class BlueGreenRelease(Construct):
    """Brings each approved version to ``endpoint``: beside the live one, tested, switched, alone.

    Green comes up beside blue without traffic, is asked the golden requests of its manifest directly, gets all traffic
    at once, and blue goes when that is seen to hold. A failure on the way puts blue back, marks the version as rejected
    with the reason, and tells ``notifications``; SageMaker's silent rollbacks count as failures. The first version of
    an endpoint has no blue: it has the endpoint's traffic from its first moment, is tested at once, and the endpoint
    goes again if it fails. After blue is gone there is no way back but another release, and a failure then only says
    what is left to do.

    SageMaker brings every update up on a new fleet of instances and then drops the old one: a release takes up to twice
    the instances for a while, and quota for them.

    One release at a time: while an older execution of the machine runs, a newer one waits for its turn (up to an hour,
    and then refuses); two that begin in the same second may both miss the other in the list of executions, which is
    eventually consistent. An execution that is stopped leaves the endpoint where it was; nothing is marked as in
    production until all is done, and the next release goes on from what it finds.

    Start one by hand with ``{"model_package_arn": "..."}``; a version that is live already is left alone.

    :param endpoint: what to release to.
    :param registry: whose approved versions are released.
    :param artifacts: where the models' manifests lie, under ``runs/``.
    :param notifications: where releases and failures are told, encrypted by the endpoint's key; default: nowhere.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: ReleasedEndpoint,
        registry: ModelRegistry,
        artifacts: s3.IBucket,
        notifications: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.function = PlatformFunction(
            self,
            "Steps",
            package=RUNTIME,
            description=f"Decides and tests in releases to {endpoint.endpoint_name}",
            timeout=_STEP_TIMEOUT,
            environment={"MODEL_PACKAGE_GROUP_NAME": registry.model_package_group_name},
            key=endpoint.key,
        )
        role = self.function.platform_role
        grant_steps(self.function, role, endpoint=endpoint, registry=registry, artifacts=artifacts)
        self.state_machine = self._define_machine(endpoint, registry, notifications)
        grant_turn(self, role, self.state_machine)
        self._define_trigger(registry)

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` start releases by hand, and nothing more."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["states:StartExecution"], resource_arns=[self.state_machine.state_machine_arn]
        )

    def metric_failed(self, *, statistic: str = "sum") -> "cloudwatch.Metric":
        """Releases that failed or were refused; anything else through ``.with_(...)``."""
        return self.state_machine.metric_failed(statistic=statistic)

    def _define_machine(
        self, endpoint: ReleasedEndpoint, registry: ModelRegistry, topic: sns.ITopic | None
    ) -> sfn.StateMachine:
        release = Release(
            tasks=Tasks(partition_of(self), self.function.function_arn),
            specification=endpoint.specification,
            topic_arn=topic.topic_arn if topic else None,
        )
        role = MachineRole(
            self, "MachineRole", endpoint=endpoint, registry=registry, function=self.function, topic=topic
        )
        return PlatformStateMachine(
            self,
            "Machine",
            definition=definition(release),
            role=role,
            comment=f"Releases model versions to {endpoint.endpoint_name}",
            key=endpoint.key,
        )

    def _define_trigger(self, registry: ModelRegistry) -> None:
        """An approval starts a release; a version that was in production is brought back by hand only."""
        starter = PlatformRole(
            self,
            "TriggerRole",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
            description="Starts a release when a version is approved",
        )
        self.grant_start(starter)
        approved = registry.approved_pattern()
        # The marks of a release are changes of an approved version too, and would start the next one.
        detail = {**(approved.detail or {}), "ModelLifeCycle": {"Stage": [{"exists": False}]}}
        events.Rule(
            self,
            "Approved",
            description="A model version was approved",
            event_pattern=events.EventPattern(source=approved.source, detail_type=approved.detail_type, detail=detail),
            targets=[
                targets.SfnStateMachine(
                    self.state_machine,
                    input=events.RuleTargetInput.from_object(
                        {
                            "model_package_arn": events.EventField.from_path("$.detail.ModelPackageArn"),
                            "by": "approval",
                        }
                    ),
                    role=starter,
                    dead_letter_queue=dead_letters_of(self),
                    retry_attempts=_RETRIES,
                    max_event_age=_GIVE_UP_AFTER,
                )
            ],
        )
