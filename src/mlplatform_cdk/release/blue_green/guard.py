"""What watches a release from outside its machine: alarms that act within seconds, and ends that were no end.

EventBridge tells of an alarm and of an execution's end in about a second, whatever the machine is waiting for.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from mlplatform_cdk.core import (
    Access,
    ConfigurationError,
    PlatformFunction,
    WayOut,
    account_of,
    acknowledge_controls,
    allowed,
    arn_of,
    dead_letters_of,
    encrypting,
    hours,
    is_known,
    machine_arn,
    machine_name,
    region_of,
    topic_arn,
)
from mlplatform_cdk.release.blue_green.alarms import alarm_prefix, let_alarms_in
from mlplatform_cdk.release.blue_green.runtime.guard import GIVEN_UP, NAMESPACE
from mlplatform_cdk.release.records import ReleaseRecords
from mlplatform_cdk.runtimekit.endpoint_specification import SEPARATOR, VARIANTS
from mlplatform_cdk.runtimekit.runbook_names import Runbook
from mlplatform_cdk.serving import ReleasedEndpoint

RUNTIME = "mlplatform_cdk.release.blue_green.runtime"
ENDED_BADLY = ("ABORTED", "FAILED", "TIMED_OUT")
_RETRIES = 8
_GIVE_UP_AFTER = hours(6)
_THIS_EVENT = "$.id"
_LONGEST_PATTERN, _PATTERN_AROUND, _LONGEST_ALARM = 2048, 180, len("model-errors")


class ReleaseGuard(Construct):
    """Takes the traffic from green when an alarm rings, and starts the recovery of a release that was interrupted.

    An alarm on green, or one of the business, sets the weights to blue in one call and stops the release, whose end
    starts its recovery. An alarm on blue, or one that rings while nothing is released, does nothing.

    :param endpoint: what is released to.
    :param machine: which releases to it.
    :param records: where the releases' lock lies.
    :param alarms: which alarms act, by the variant that they watch, or ``business``.
    :param notifications: where people are told, encrypted by the endpoint's key, when three ways back have failed, or
        three retirements; default: only the alarm ``<endpoint>--given-up`` tells.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: ReleasedEndpoint,
        machine: sfn.StateMachine,
        records: ReleaseRecords,
        alarms: Mapping[str, Sequence[cloudwatch.IAlarm]],
        notifications: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        self.function = PlatformFunction(
            self,
            "Function",
            package=RUNTIME,
            module="guard_handler",
            description=f"Acts on alarms and interruptions of releases to {endpoint.endpoint_name}",
            environment=records.environment,
            key=endpoint.key,
            access=[*self._acting(endpoint, machine, records), *_telling(endpoint, notifications)],
        )
        self.given_up = self._define_given_up(endpoint, notifications)
        self._define_alarm_rule(endpoint, alarms)
        self._define_end_rule(endpoint, machine, notifications)

    def _acting(self, endpoint: ReleasedEndpoint, machine: sfn.StateMachine, records: ReleaseRecords) -> list[Access]:
        executions = executions_of(self, machine)
        return [
            records.reading_history(),
            records.recording(endpoint.endpoint_name),
            records.clearing(endpoint.endpoint_name),
            Access(
                [
                    allowed(["sagemaker:UpdateEndpointWeightsAndCapacities"], endpoint.endpoint_arn),
                    allowed(["states:DescribeExecution", "states:StopExecution"], executions),
                    allowed(["states:StartExecution"], machine_arn(machine)),
                ],
                patterns={executions: "the executions of one machine, whose names come with them"},
            ),
        ]

    def _define_given_up(self, endpoint: ReleasedEndpoint, topic: sns.ITopic | None) -> cloudwatch.Alarm:
        name = endpoint.endpoint_name
        way = WayOut(
            sentence=(
                f"What a release to {name} left behind could not be brought back or retired, and nothing is tried any "
                f"more. Look at the endpoint and at mlplatform release status {name}; mlplatform release rollback "
                f"{name} tries the way back again"
            ),
            runbook=Runbook.ROLL_BACK,
            subject=name,
        )
        alarm = cloudwatch.Alarm(
            self,
            "GivenUp",
            alarm_name=f"{name}{SEPARATOR}given-up",
            alarm_description=way.describe(self),
            metric=cloudwatch.Metric(
                namespace=NAMESPACE,
                metric_name=GIVEN_UP,
                dimensions_map={"EndpointName": name},
                statistic="Sum",
                period=hours(1),
            ),
            threshold=1,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        way.remember(alarm)
        if topic is None:
            acknowledge_controls(alarm, {"CloudWatchAlarmAction": "nobody is told where no topic is set"})
        else:
            alarm.add_alarm_action(cloudwatch_actions.SnsAction(topic))
            let_alarms_in(self, topic, name)
        return alarm

    def _define_alarm_rule(self, endpoint: ReleasedEndpoint, alarms: Mapping[str, Sequence[cloudwatch.IAlarm]]) -> None:
        watched = [alarm for group in alarms.values() for alarm in group]
        if not watched:
            return
        names = {whose: [alarm.alarm_name for alarm in group] for whose, group in alarms.items() if group}
        self._check_length(endpoint.endpoint_name, names)
        self._define_rule(
            "Alarms",
            f"An alarm rings that concerns releases to {endpoint.endpoint_name}",
            events.EventPattern(
                source=["aws.cloudwatch"],
                detail_type=["CloudWatch Alarm State Change"],
                # Names in place of ARNs, which take twice the room; so the place is said once.
                account=[account_of(self)],
                region=[region_of(self)],
                detail={
                    "alarmName": [name for group in names.values() for name in group],
                    "state": {"value": ["ALARM"]},
                },
            ),
            {
                "step": "guard",
                "execution_arn": events.EventField.from_path(_THIS_EVENT),
                "endpoint_name": endpoint.endpoint_name,
                "alarm": events.EventField.from_path("$.detail.alarmName"),
                "reason": events.EventField.from_path("$.detail.state.reason"),
                "at": events.EventField.from_path("$.time"),
                "alarms": names,
            },
        )

    def _check_length(self, endpoint_name: str, names: Mapping[str, Sequence[str]]) -> None:
        """Refuse more alarms than EventBridge takes in one pattern; a name that is not known yet counts as ours do.

        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
        """
        ours = len(alarm_prefix(endpoint_name, VARIANTS[0])) + _LONGEST_ALARM
        every = [name for group in names.values() for name in group]
        length = _PATTERN_AROUND + sum((len(name) if is_known(name) else ours) + len('"",') for name in every)
        if length > _LONGEST_PATTERN:
            raise ConfigurationError(
                self,
                f"the rule for alarms may have {_LONGEST_PATTERN} characters, got about {length} for the names of "
                f"{len(every)}; give one composite alarm in place of several of the business",
            )

    def _define_end_rule(self, endpoint: ReleasedEndpoint, machine: sfn.StateMachine, topic: sns.ITopic | None) -> None:
        self._define_rule(
            "Interrupted",
            f"A release to {endpoint.endpoint_name} ended other than well",
            events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"stateMachineArn": [machine_arn(machine)], "status": [*ENDED_BADLY]},
            ),
            {
                "step": "recover",
                "execution_arn": events.EventField.from_path("$.detail.executionArn"),
                "endpoint_name": endpoint.endpoint_name,
                "machine_arn": machine_arn(machine),
                "topic_arn": topic_arn(topic) if topic is not None else "",
                "ended": {
                    "executionArn": events.EventField.from_path("$.detail.executionArn"),
                    "status": events.EventField.from_path("$.detail.status"),
                    "input": events.EventField.from_path("$.detail.input"),
                },
            },
        )

    def _define_rule(self, id: str, description: str, pattern: events.EventPattern, told: Mapping[str, object]) -> None:
        events.Rule(
            self,
            id,
            description=description,
            event_pattern=pattern,
            targets=[
                targets.LambdaFunction(
                    self.function,
                    event=events.RuleTargetInput.from_object(told),
                    dead_letter_queue=dead_letters_of(self),
                    retry_attempts=_RETRIES,
                    max_event_age=_GIVE_UP_AFTER,
                )
            ],
        )


def _telling(endpoint: ReleasedEndpoint, topic: sns.ITopic | None) -> list[Access]:
    """What telling people and CloudWatch takes."""
    ours = {"StringEquals": {"cloudwatch:namespace": NAMESPACE}}
    metrics = Access(
        [allowed(["cloudwatch:PutMetricData"], "*", conditions=ours)],
        patterns={"*": "X-Ray's calls and metrics take no resource; the metrics are of one namespace"},
    )
    if topic is None:
        nobody = {"permission-missing[sns:Publish]": "nobody is told where no topic is set"}
        return [metrics, Access([], findings=nobody)]
    return [metrics, Access([allowed(["sns:Publish"], topic_arn(topic))]), encrypting(endpoint.key)]


def executions_of(scope: Construct, machine: sfn.StateMachine) -> str:
    """The ARNs of all executions of ``machine``, as a pattern for policies."""
    return arn_of(scope, "states", f"execution:{machine_name(machine)}:*")
