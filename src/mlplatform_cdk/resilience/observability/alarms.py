"""Alarms that wake people once: over all alarms of a region, and over all regions."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import (
    ConfigurationError,
    WayOut,
    WaysOut,
    acknowledge_controls,
    arn_of,
    is_known,
    region_of,
    service_principal,
)
from mlplatform_cdk.resilience.observability.board import NAMES_REGION
from mlplatform_cdk.routing.plan import MultiRegionEndpoint
from mlplatform_cdk.runtimekit.runbook_names import Runbook

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
_MOST_CHILDREN = 100
_MINUTE = Duration.minutes(1)


class RegionAlarm(Construct):
    """Rings while anything of a region needs somebody: one message, whichever and however many of its alarms ring.

    Give the alarms below it no topic of their own: its description says which runbook is for which of them. A composite
    alarm sees alarms of its own region and account only.
    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html

    :param plan: the regions and their names.
    :param alarms: of this region, such as those of ``HealthProbe.alarms``.
    :param notifications: where it is told that it rings, and that it no longer does.
    :param quiet_while: says nothing while this alarm rings, and for ten minutes after, as in a drill; default: never.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: MultiRegionEndpoint,
        alarms: Sequence[cloudwatch.IAlarm],
        notifications: sns.ITopic,
        quiet_while: cloudwatch.IAlarm | None = None,
    ) -> None:
        super().__init__(scope, id)
        if not 0 < len(alarms) <= _MOST_CHILDREN:
            raise ConfigurationError(self, f"alarms must be 1 to {_MOST_CHILDREN}, got {len(alarms)}")
        region = region_of(self)
        if is_known(region) and region not in plan.targets:
            raise ConfigurationError(
                self, f"its stack must be of one of the plan's regions ({', '.join(plan.targets)}), got {region}"
            )
        prefix = f"{plan.domain_name}-{region}-"
        self.alarm = _told(
            self,
            "Alarm",
            name=f"{prefix}needs-somebody",
            way=WaysOut(
                sentence=f"{plan.domain_name} in {region} needs somebody: one or more of its alarms ring",
                alarms=alarms,
                prefix=prefix,
                subject=plan.domain_name,
            ),
            rule=_any(alarms),
            topic=notifications,
            quiet_while=quiet_while,
        )


class AllRegionsAlarm(Construct):
    """Rings when a region is lost, and otherwise when none is left: over all regions and accounts.

    It listens to Route 53, since no alarm sees another region's: the checks of all regions are told to CloudWatch in
    us-east-1, so that this lives there, with ``GlobalNames`` in the same stack or with ids given literally.

    :param plan: the regions and their names.
    :param health_checks: the id of each region's check, as ``GlobalNames.health_checks`` has them.
    :param notifications: where it is told, a topic in us-east-1.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: MultiRegionEndpoint,
        health_checks: Mapping[str, str],
        notifications: sns.ITopic,
    ) -> None:
        super().__init__(scope, id)
        region = region_of(self)
        if is_known(region) and region != NAMES_REGION:
            raise ConfigurationError(
                self, f"its stack must be in {NAMES_REGION}, where Route 53's metrics are, got {region}"
            )
        if {*health_checks} != {*plan.targets}:
            raise ConfigurationError(
                self,
                f"health_checks must be of all of the plan's regions ({', '.join(plan.targets)}), "
                f"got {', '.join(health_checks) or 'none'}",
            )
        alarms = [self._out(plan, region, check) for region, check in health_checks.items()]
        self.region_lost = _told(
            self,
            "RegionLost",
            name=f"{plan.domain_name}-region-lost",
            way=WayOut(
                sentence=f"{plan.domain_name} is served by fewer regions than there are",
                runbook=Runbook.SCALE_UP,
                subject=plan.domain_name,
            ),
            rule=_any(alarms),
            topic=notifications,
        )
        self.none_left = _told(
            self,
            "NoneLeft",
            name=f"{plan.domain_name}-none-left",
            way=WayOut(
                sentence=f"{plan.domain_name} has no region in service: Route 53 answers as if all were",
                runbook=Runbook.REBUILD,
                subject=plan.domain_name,
            ),
            rule=cloudwatch.AlarmRule.all_of(*(_rings(one) for one in alarms)),
            topic=notifications,
        )

    def _out(self, plan: MultiRegionEndpoint, region: str, check: str) -> cloudwatch.Alarm:
        way = WayOut(
            sentence=f"Route 53 sees {plan.domain_name} in {region} as out of service",
            runbook=Runbook.SCALE_UP,
            subject=plan.domain_name,
        )
        alarm = cloudwatch.Alarm(
            self,
            f"Out-{region}",
            alarm_name=f"{plan.domain_name}-{region}-out-for-route-53",
            alarm_description=way.describe(self),
            metric=cloudwatch.Metric(
                namespace="AWS/Route53",
                metric_name="HealthCheckStatus",
                dimensions_map={"HealthCheckId": check},
                statistic="Minimum",
                period=_MINUTE,
            ),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluation_periods=1,
            # A check that says nothing keeps what it said last, as for the records that follow it.
            treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
        )
        way.remember(alarm)
        acknowledge_controls(alarm, {"CloudWatchAlarmAction": "the alarms over all regions tell of it"})
        return alarm


def _rings(alarm: cloudwatch.IAlarm) -> cloudwatch.IAlarmRule:
    return cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM)


def _any(alarms: Sequence[cloudwatch.IAlarm]) -> cloudwatch.IAlarmRule:
    return cloudwatch.AlarmRule.any_of(*(_rings(one) for one in alarms))


def _told(
    scope: Construct,
    id: str,
    *,
    name: str,
    way: WayOut | WaysOut,
    rule: cloudwatch.IAlarmRule,
    topic: sns.ITopic,
    quiet_while: cloudwatch.IAlarm | None = None,
) -> cloudwatch.CompositeAlarm:
    """An alarm over others that tells ``topic``, when it begins to ring and when it ends, and may do so."""
    quiet = None if quiet_while is None else Duration.minutes(10)
    alarm = cloudwatch.CompositeAlarm(
        scope,
        id,
        composite_alarm_name=name,
        alarm_description=way.describe(scope),
        alarm_rule=rule,
        actions_suppressor=quiet_while,
        actions_suppressor_wait_period=quiet and _MINUTE,
        actions_suppressor_extension_period=quiet,
    )
    way.remember(alarm)
    tell = actions.SnsAction(topic)
    alarm.add_alarm_action(tell)
    alarm.add_ok_action(tell)
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[service_principal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"ArnLike": {"aws:SourceArn": arn_of(scope, "cloudwatch", f"alarm:{name}")}},
        )
    )
    return alarm
