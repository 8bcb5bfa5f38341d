"""A release as a user defines it: which endpoint, whose versions, by which strategy, whom to tell."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import (
    PlatformFunction,
    function_arn,
    is_known,
    machine_arn,
    minutes,
    partition_of,
    topic_arn,
)
from mlplatform_cdk.core.instances import instance_type_of
from mlplatform_cdk.core.machines import PlatformStateMachine
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release.blue_green.alarms import ReleaseAlarms
from mlplatform_cdk.release.blue_green.changes import Release
from mlplatform_cdk.release.blue_green.checks import check_release
from mlplatform_cdk.release.blue_green.definition import definition
from mlplatform_cdk.release.blue_green.guard import ReleaseGuard
from mlplatform_cdk.release.blue_green.permissions import (
    MachineRole,
    grant_changes,
    grant_restart,
    grant_turn,
    seeing_alarms,
    stepping,
)
from mlplatform_cdk.release.blue_green.tasks import Tasks
from mlplatform_cdk.release.blue_green.triggers import ReleaseTriggers
from mlplatform_cdk.release.records import ReleaseRecords, publish_address
from mlplatform_cdk.release.report import ReleaseReport
from mlplatform_cdk.runtimekit.release_address import ReleaseAddress
from mlplatform_cdk.runtimekit.release_strategy import Strategy
from mlplatform_cdk.serving import ReleasedEndpoint

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

    from mlplatform_cdk.release.gates import Gates

RUNTIME = "mlplatform_cdk.release.blue_green.runtime"
_STEP_TIMEOUT = minutes(5)


class BlueGreenRelease(Construct):
    """Brings each approved version to ``endpoint``: beside the live one, tested, then step by step, watched.

    Green comes up beside blue without traffic and is asked the golden requests of its manifest directly. Then it gets
    its traffic by the strategy's steps, each with a window in which it must hold what the rules ask of it, alone and
    beside blue; an alarm on it acts within seconds. Gates wait for a person. When it has baked with all requests, blue
    is scaled down and kept as an instant way back, and retires at the end of its retention.

    Whatever fails on the way, and whoever stops it, the traffic goes back to blue in one call, the version is marked as
    rejected with the reason where that is its fault, and ``notifications`` hear of it; SageMaker's silent rollbacks
    count as failures. The first version of an endpoint has no blue: it has the endpoint's traffic from its first
    moment, is tested at once, and the endpoint goes again if it fails.

    SageMaker brings every update up on a new fleet of instances and then drops the old one: a release takes up to twice
    the instances of both variants for a while, and quota for them.

    One release at a time: a newer one waits for its turn, or ends the older one where the strategy lets it supersede.
    Every decision is a record in ``records`` and an event on its bus.

    Start one by hand with ``{"model_package_arn": "..."}``, and a way back with ``{"action": "rollback"}`` and ``who``
    and ``reason``; docs/releases.md has the rest.

    :param endpoint: what to release to.
    :param registry: whose approved versions are released.
    :param artifacts: where the models' manifests lie, under ``runs/``; the reports of releases go to ``releases/``.
    :param strategy: how green gets its traffic; default: 5 percent, then 15 more at a time, ten minutes each, a day
        of bake, a week of retention.
    :param alarms: what acts while green is watched; default: a ``ReleaseAlarms`` by the rules, where one watches.
    :param records: where decisions are kept; default: a ``ReleaseRecords`` of its own.
    :param gates: who is asked at the strategy's gates, and how; default: ``notifications``, answered by command line.
    :param notifications: where releases and failures are told, encrypted by the endpoint's key; default: nowhere.
    :param business: the caller's own alarms in a ``ReleaseAlarms`` by the rules; default: none.
    :param on_approval: does an approval start a release; False where a ``ReleaseTrain`` does; default: yes.
    """

    default_strategy: ClassVar[Strategy] = Strategy.linear()

    def __init__(  # noqa: PLR0913 - each argument but the first three has a default
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: ReleasedEndpoint,
        registry: ModelRegistry,
        artifacts: s3.IBucket,
        strategy: Strategy | None = None,
        alarms: ReleaseAlarms | None = None,
        records: ReleaseRecords | None = None,
        gates: "Gates | None" = None,
        notifications: sns.ITopic | None = None,
        business: "Sequence[cloudwatch.IAlarm]" = (),
        on_approval: bool = True,
    ) -> None:
        super().__init__(scope, id)
        self.strategy, self.endpoint, self._registry = strategy or self.default_strategy, endpoint, registry
        check_release(
            self,
            endpoint_name=endpoint.endpoint_name,
            strategy=self.strategy,
            wrong=self._wrong_strategy(),
            gates=gates,
            told_twice=alarms is not None and bool(business),
        )
        self.records = records or ReleaseRecords(self, "Records", key=endpoint.key)
        self._business = alarms.business if alarms is not None else tuple(business)
        self.alarms = alarms or self._own_alarms(notifications)
        self.gates = gates or self._own_gates(notifications)
        self.report = ReleaseReport(
            self,
            "Report",
            endpoint_name=endpoint.endpoint_name,
            records=self.records,
            artifacts=artifacts,
            key=endpoint.key,
        )
        self.function = self._define_steps(artifacts)
        self.state_machine = self._define_machine(notifications)
        grant_turn(self, self.function.platform_role, self.state_machine)
        if self.gates is not None:
            self.gates.open_for(self.state_machine)
        self.guard = ReleaseGuard(
            self,
            "Guard",
            endpoint=endpoint,
            machine=self.state_machine,
            records=self.records,
            alarms=self._alarms(),
            notifications=notifications,
        )
        self.triggers = ReleaseTriggers(
            self, "Triggers", registry=registry, machine=self.state_machine, on_approval=on_approval
        )
        self._publish()

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` start releases and rollbacks by hand, and nothing more."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["states:StartExecution"], resource_arns=[self.state_machine.state_machine_arn]
        )

    def metric_failed(self, *, statistic: str = "sum") -> "cloudwatch.Metric":
        """Releases that failed or were refused; anything else through ``.with_(...)``."""
        return self.state_machine.metric_failed(statistic=statistic)

    def _wrong_strategy(self) -> str:
        """Why the strategy is none of this kind of release; empty: it is one."""
        return ""

    def _own_alarms(self, notifications: sns.ITopic | None) -> ReleaseAlarms | None:
        if not self.strategy.most_looks:
            return None
        return ReleaseAlarms(
            self,
            "Alarms",
            endpoint=self.endpoint,
            rules=self.strategy.rules,
            business=self._business,
            notifications=notifications,
        )

    def _own_gates(self, notifications: sns.ITopic | None) -> "Gates | None":
        if not self.strategy.gates:
            return None
        from mlplatform_cdk.release.gates import Gates

        return Gates(
            self,
            "Gates",
            endpoint_name=self.endpoint.endpoint_name,
            records=self.records,
            key=self.endpoint.key,
            notifications=notifications,
        )

    def _alarms(self) -> "Mapping[str, Sequence[cloudwatch.IAlarm]]":
        """The alarms by the variant that they watch; those of the business watch whichever is green."""
        if self.alarms is None:
            return {"business": self._business}
        own = {variant: self.alarms.of_variant(variant) for variant in self.endpoint.variants}
        return {**own, "business": self._business}

    def _define_steps(self, artifacts: s3.IBucket) -> PlatformFunction:
        endpoint, replays = self.endpoint, bool(self.strategy.replay_requests)
        function = PlatformFunction(
            self,
            "Steps",
            package=RUNTIME,
            description=f"Decides and tests in releases to {endpoint.endpoint_name}",
            timeout=_STEP_TIMEOUT,
            environment={
                "MODEL_PACKAGE_GROUP_NAME": self._registry.model_package_group_name,
                **self.records.environment,
            },
            key=endpoint.key,
            access=[
                *stepping(endpoint=endpoint, registry=self._registry, artifacts=artifacts, replays=replays),
                seeing_alarms(self._alarms()),
                self.records.writing(endpoint.endpoint_name),
            ],
        )
        grant_changes(self, function.platform_role, endpoint)
        return function

    def _define_machine(self, topic: sns.ITopic | None) -> PlatformStateMachine:
        endpoint, asks = self.endpoint, self.gates.function if self.gates is not None else None
        alarms = {whose: [one.alarm_name for one in group] for whose, group in self._alarms().items()}
        release = Release(
            tasks=Tasks(partition_of(self), function_arn(self.function), endpoint.endpoint_name),
            specification=endpoint.specification,
            strategy=self.strategy,
            alarms=alarms,
            machine=_machine_of(endpoint.specification.instance_type),
            gate_arn=function_arn(asks) if asks is not None else None,
            report_arn=function_arn(self.report.function),
            topic_arn=topic_arn(topic) if topic else None,
        )
        role = MachineRole(
            self,
            "MachineRole",
            endpoint=endpoint,
            functions=[self.function, self.report.function, *([asks] if asks is not None else [])],
            topic=topic,
        )
        machine = PlatformStateMachine(
            self,
            "Machine",
            definition=definition(release),
            role=role,
            comment=f"Releases model versions to {endpoint.endpoint_name}",
            key=endpoint.key,
        )
        if self.strategy.retention:
            grant_restart(self, role, machine)
        return machine

    def _publish(self) -> None:
        specification = self.endpoint.specification
        publish_address(
            self,
            ReleaseAddress(
                endpoint=specification.endpoint_name,
                machine=machine_arn(self.state_machine),
                table=self.records.table_name,
                bus=self.records.bus_name,
                instance_type=specification.instance_type,
                minimum=specification.minimum,
                maximum=specification.maximum,
                strategy=self.strategy.to_mapping(),
                group=self._registry.model_package_group_name,
            ),
        )


def _machine_of(instance_type: str) -> dict[str, int]:
    """Of how many parts SageMaker's percentages are."""
    known = instance_type_of(instance_type) if is_known(instance_type) else None
    return {"cores": known.vcpus, "gpus": max(known.gpus, 1)} if known else {"cores": 1, "gpus": 1}
