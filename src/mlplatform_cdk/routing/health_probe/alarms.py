"""What rings: a region out of service, a probe that sees nothing right, a version that is wrong or not everywhere."""

from collections.abc import Mapping
from datetime import timedelta

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import WayOut, acknowledge_controls, arn_of, region_of
from mlplatform_cdk.routing.health_probe.runtime.metrics import NAMESPACE
from mlplatform_cdk.routing.plan import MultiRegionEndpoint
from mlplatform_cdk.runtimekit.runbook_names import Runbook

_MINUTE = Duration.minutes(1)
_TEN_SECONDS = Duration.seconds(10)
_BLIND_MINUTES = 5


class ProbeAlarms(Construct):
    """The alarms on a region's verdicts.

    :param plan: the regions and their names.
    :param release_takes: for how long regions may serve different versions.
    :param notifications: where each alarm is told; default: nowhere.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: MultiRegionEndpoint,
        release_takes: timedelta,
        notifications: sns.ITopic | None,
    ) -> None:
        super().__init__(scope, id)
        self._plan, self._notifications = plan, notifications
        self._region = region_of(self)
        name = plan.alarm_name(self._region)
        # Route 53 reads the alarm's metric itself, of whole minutes only:
        # https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-types.html
        self.out_of_service = self._alarm(
            "OutOfService",
            Runbook.SCALE_UP,
            name,
            "is out of service, or drained, or its probe is silent",
            self.metric("InService", "Minimum", _MINUTE),
            below=1,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )
        self.nothing_right = self._alarm(
            "NothingRight",
            Runbook.DRAIN,
            f"{self._base}-nothing-right",
            f"has answered no round of golden requests rightly for {_BLIND_MINUTES} minutes",
            self.metric("Right", "Maximum", _MINUTE),
            below=1,
            periods=_BLIND_MINUTES,
            missing=cloudwatch.TreatMissingData.BREACHING,
        )
        self.wrong_everywhere = self._alarm(
            "WrongEverywhere",
            Runbook.ROLL_BACK,
            f"{self._base}-wrong-everywhere",
            "serves a version whose answers are wrong wherever it serves; its release must go back",
            self.metric("WrongEverywhere", "Maximum", _TEN_SECONDS),
            above=0,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        self.versions_differ = self._alarm(
            "VersionsDiffer",
            Runbook.REBUILD,
            f"{self._base}-versions-differ",
            f"has served another version than other regions for longer than {_hours(release_takes)} hours, "
            "which is more than a release takes",
            self.metric("VersionsDiffer", "Minimum", _MINUTE),
            above=release_takes.total_seconds(),
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        self.alone = self._alarm(
            "Alone",
            Runbook.SCALE_UP,
            f"{self._base}-alone",
            "finds no other region in service: nobody would take its callers over",
            self.metric("OthersInService", "Maximum", _MINUTE),
            below=1,
            missing=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        if notifications is not None:
            self._let_in(notifications)

    @property
    def _base(self) -> str:
        return f"{self._plan.domain_name}-{self._region}"

    def metric(self, name: str, statistic: str, period: Duration) -> cloudwatch.Metric:
        """A metric of the region's rounds, such as ``InService``; ``runtime/metrics.py`` names all."""
        dimensions: Mapping[str, str] = {"Domain": self._plan.domain_name, "Region": self._region}
        return cloudwatch.Metric(
            namespace=NAMESPACE, metric_name=name, dimensions_map=dimensions, statistic=statistic, period=period
        )

    def _alarm(
        self,
        id: str,
        runbook: Runbook,
        name: str,
        sentence: str,
        metric: cloudwatch.Metric,
        *,
        below: float | None = None,
        above: float | None = None,
        periods: int = 1,
        missing: cloudwatch.TreatMissingData,
    ) -> cloudwatch.Alarm:
        less = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
        more = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
        way = WayOut(
            sentence=f"{self._plan.domain_name} in {self._region} {sentence}",
            runbook=runbook,
            subject=self._plan.domain_name,
        )
        alarm = cloudwatch.Alarm(
            self,
            id,
            alarm_name=name,
            alarm_description=way.describe(self),
            metric=metric,
            threshold=below if below is not None else above or 0,
            comparison_operator=less if below is not None else more,
            evaluation_periods=periods,
            treat_missing_data=missing,
        )
        way.remember(alarm)
        if self._notifications is not None:
            alarm.add_alarm_action(actions.SnsAction(self._notifications))
        else:
            acknowledge_controls(alarm, {"CloudWatchAlarmAction": "Route 53 and releases hear of it by themselves"})
        return alarm

    def _let_in(self, topic: sns.ITopic) -> None:
        """A topic with a policy of its own, such as TLS only, takes messages of those alone whom the policy names."""
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"ArnLike": {"aws:SourceArn": arn_of(self, "cloudwatch", f"alarm:{self._base}-*")}},
            )
        )


def _hours(length: timedelta) -> str:
    return f"{length.total_seconds() / 3600:g}"
