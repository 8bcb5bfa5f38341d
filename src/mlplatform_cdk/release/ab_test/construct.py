"""An A/B test as a user defines it: which endpoint, what decides, who is told, and what ends it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core import PlatformFunction, PlatformRole, dead_letters_of, partition_of
from mlplatform_cdk.core.machines import PlatformStateMachine
from mlplatform_cdk.core.tables import PlatformTable
from mlplatform_cdk.registry import ModelRegistry
from mlplatform_cdk.release.ab_test.address import publish_test
from mlplatform_cdk.release.ab_test.checks import check_names, check_released, check_templated
from mlplatform_cdk.release.ab_test.definition import RECOVER, Machine, definition
from mlplatform_cdk.release.ab_test.permissions import (
    REPORTS,
    MachineRole,
    grant_challengers,
    grant_end,
    grant_looks,
    grant_steps,
    grant_take_part,
    grant_winner,
)
from mlplatform_cdk.release.blue_green import BlueGreenRelease
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.runtimekit.ab_test.address import TestAddress
from mlplatform_cdk.runtimekit.ab_test.items import EXPIRY, PARTITION, SORT
from mlplatform_cdk.runtimekit.ab_test.plan import TestPlan
from mlplatform_cdk.serving import Endpoint, ReleasedEndpoint

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

RUNTIME = "mlplatform_cdk.release.ab_test.runtime"
_STEP_TIMEOUT = Duration.minutes(5)
_STEP_MEMORY_MIB = 512  # also its share of a processor, which the draws of the bandit use
_RETRIES = 8
_GIVE_UP_AFTER = Duration.hours(6)


class ABTest(Construct):
    """Compares up to 10 variants by what happens to those who use them, and ends with the one that is proven better.

    Callers come through an ``ABRouter``, or ask the endpoint themselves with ``mlplatform_cdk.runtimekit.ab_test``;
    the same key always meets the same variant. A state machine looks at the outcomes every ``plan.look_every``, takes
    out what is proven worse or breaks a guard, moves the shares (Thompson sampling, if the plan says so), and ends the
    test: a winner, no challenger left, an alarm, or its time is over. However often it looks, the chance of any wrong
    conclusion is at most ``plan.error_rate``.

    *On an endpoint that a template owns*, the variants are the template's; start a test with ``{}``. The winner gets
    all requests until the template says otherwise. *On one that releases own*, start it with
    ``{"challengers": ["arn:…:model-package/…", …]}``: they come up beside the live variant, answer their golden
    requests, and go again at the end; a winner is then approved and released like any other version. Test versions that
    wait for approval: the approval of a version starts its release.

    A test holds the lock of the endpoint's releases while it runs: a release waits for its end, a rollback ends it, and
    a test does not begin beside a release. It ends, and its traffic goes back, when its execution is stopped.

    :param test_name: 1 to 40 lower-case letters, digits and single hyphens; callers name the test by it.
    :param endpoint: a ``ReleasedEndpoint``, or any other with the variants of a template.
    :param plan: what is measured, and by which rules it ends.
    :param records: where every decision is recorded, and the lock lies: that of the endpoint's releases.
    :param artifacts: where reports go, under ``ab-tests/``, and the models' manifests lie, under ``runs/``.
    :param key: encrypts the table of the outcomes; the key of the notifications.
    :param variants: of a template's endpoint, the control first; default: all that the endpoint names.
    :param registry: of whose versions the challengers are, on an endpoint that releases own.
    :param release: the releases of such an endpoint, which wait for the test; they release its winner.
    :param release_winner: is a winner approved and released there at once; default: yes; else people hear of it.
    :param alarms: any of them in alarm ends the test, at the next look; at most 10.
    :param notifications: where the end is told; default: nowhere.
    :param removal_policy: what happens to the outcomes when the stack goes; default: they are kept.
    """

    def __init__(  # noqa: PLR0913 - what an endpoint of either kind needs
        self,
        scope: Construct,
        id: str,
        *,
        test_name: str,
        endpoint: Endpoint,
        plan: TestPlan,
        records: ReleaseRecords,
        artifacts: s3.IBucket,
        key: kms.IKey,
        variants: Sequence[str] = (),
        registry: ModelRegistry | None = None,
        release: BlueGreenRelease | None = None,
        release_winner: bool = True,
        alarms: "Sequence[cloudwatch.IAlarm]" = (),
        notifications: sns.ITopic | None = None,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self.test_name, self.endpoint, self.plan, self.key = test_name, endpoint, plan, key
        check_names(self, test_name, alarms=len(alarms))
        if isinstance(endpoint, ReleasedEndpoint):
            check_released(self, variants, registry, release, records)
            chosen: Sequence[str] = ()
        else:
            chosen = variants or endpoint.variants
            check_templated(self, plan, chosen, releases=registry is not None or release is not None)
        self.table = PlatformTable(
            self,
            "Outcomes",
            partition_key=PARTITION,
            sort_key=SORT,
            expiry=EXPIRY,
            key=key,
            removal_policy=removal_policy,
        )
        names = [alarm.alarm_name for alarm in alarms]
        self.function = PlatformFunction(
            self,
            "Steps",
            package=RUNTIME,
            description=f"Looks at the A/B test {test_name} and moves its traffic",
            timeout=_STEP_TIMEOUT,
            memory_mib=_STEP_MEMORY_MIB,
            environment=dict(records.environment),
            key=key,
        )
        grant_steps(self.function, endpoint=endpoint, table=self.table, artifacts=artifacts, key=key, alarms=names)
        records.grant_write(self.function, endpoint.endpoint_name)
        if isinstance(endpoint, ReleasedEndpoint) and registry is not None:
            grant_challengers(self.function, endpoint=endpoint, registry=registry, artifacts=artifacts)
        else:
            grant_looks(self.function)
        test = {
            "name": test_name,
            "endpoint": endpoint.endpoint_name,
            "table": self.table.table_name,
            "plan": plan.to_mapping(),
            "variants": [*chosen],
            "group": registry.model_package_group_name if registry is not None else "",
            "alarms": names,
            "reports": f"s3://{artifacts.bucket_name}/{REPORTS}",
            "releases": release is not None and release_winner,
        }
        if isinstance(endpoint, ReleasedEndpoint) and endpoint.specification.environment:
            test["environment"] = dict(endpoint.specification.environment)
        winners = release.state_machine if release is not None and release_winner else None
        grant_winner(self.function, registry if winners is not None else None)
        self.state_machine = self._define_machine(test, notifications, winners)
        if release is not None:
            grant_end(self, release.function.platform_role, self.state_machine)
        #: Starts a recovery when a test is ended from outside; a ``Teardown`` takes it away before it ends tests.
        self.recovery = self._define_recovery()
        publish_test(
            self,
            TestAddress(
                name=test_name,
                endpoint=endpoint.endpoint_name,
                machine=self.state_machine.state_machine_arn,
                table=self.table.table_name,
                records=records.table_name,
                bus=records.bus_name,
                reports=f"s3://{artifacts.bucket_name}/{REPORTS}",
            ),
        )

    def grant_take_part(self, grantee: iam.IGrantable) -> None:
        """Let ``grantee`` use ``mlplatform_cdk.runtimekit.ab_test``: ask the variants, and report outcomes."""
        grant_take_part(grantee, endpoint=self.endpoint, table=self.table, key=self.key)

    def grant_start(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` start the test, and nothing more."""
        return iam.Grant.add_to_principal(
            grantee=grantee, actions=["states:StartExecution"], resource_arns=[self.state_machine.state_machine_arn]
        )

    def metric_failed(self, *, statistic: str = "sum") -> "cloudwatch.Metric":
        """Tests that could not go on; anything else through ``.with_(...)``."""
        return self.state_machine.metric_failed(statistic=statistic)

    def _define_machine(
        self, test: Mapping[str, Any], topic: sns.ITopic | None, release: sfn.IStateMachine | None
    ) -> PlatformStateMachine:
        machine = Machine(
            partition=partition_of(self),
            function_arn=self.function.function_arn,
            test=test,
            look_every_s=int(self.plan.look_every.total_seconds()),
            topic_arn=topic.topic_arn if topic is not None else None,
            release_arn=release.state_machine_arn if release is not None else None,
            slow_start_s=self.endpoint.specification.slow_start_s if isinstance(self.endpoint, ReleasedEndpoint) else 0,
        )
        role = MachineRole(
            self,
            "MachineRole",
            name=self.test_name,
            function=self.function,
            topic=topic,
            key=self.key,
            release=release,
        )
        return PlatformStateMachine(
            self,
            "Machine",
            definition=definition(machine),
            role=role,
            comment=f"Runs the A/B test {self.test_name} on {self.endpoint.endpoint_name}",
            key=self.key,
        )

    def _define_recovery(self) -> events.Rule:
        """A test that is ended from outside is taken over by an execution that leaves the endpoint as it should be."""
        starter = PlatformRole(
            self,
            "RecoveryRole",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
            description=f"Recovers the A/B test {self.test_name} when it is ended from outside",
        )
        self.grant_start(starter)
        dead = events.EventField.from_path("$.detail.executionArn")
        return events.Rule(
            self,
            "EndedFromOutside",
            description=f"The A/B test {self.test_name} was ended from outside",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [self.state_machine.state_machine_arn],
                    "status": ["ABORTED", "TIMED_OUT", "FAILED"],
                },
            ),
            targets=[
                targets.SfnStateMachine(
                    self.state_machine,
                    input=events.RuleTargetInput.from_object({"action": RECOVER, "execution_arn": dead}),
                    role=starter,
                    dead_letter_queue=dead_letters_of(self),
                    retry_attempts=_RETRIES,
                    max_event_age=_GIVE_UP_AFTER,
                )
            ],
        )
