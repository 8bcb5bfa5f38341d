"""Alarms on what S3 says of a replication: failures where the source is, lateness where the copies are."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import WayOut, account_of, acknowledge_controls
from mlplatform_cdk.routing.replication.plan import RegionalData
from mlplatform_cdk.runtimekit.runbook_names import Runbook

_MINUTE = Duration.minutes(1)


def replication_metric(plan: RegionalData, region: str, name: str, statistic: str) -> cloudwatch.Metric:
    """What S3 publishes on the rule that replicates to ``region``.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/metrics-dimensions.html#s3-cloudwatch-replication-metrics
    """
    return cloudwatch.Metric(
        namespace="AWS/S3",
        metric_name=name,
        dimensions_map={
            "SourceBucket": plan.bucket_name(plan.home),
            "DestinationBucket": plan.bucket_name(region),
            "RuleId": plan.rule_id(region),
        },
        statistic=statistic,
        period=_MINUTE,
    )


def late_copies(plan: RegionalData, sentence: str) -> WayOut:
    """What an alarm on copies of the plan's archives says."""
    return WayOut(sentence=sentence, runbook=Runbook.REPLICATE, subject=plan.name, region=plan.home)


def define_alarm(
    scope: Construct,
    id: str,
    metric: cloudwatch.Metric,
    *,
    above: float,
    way: WayOut,
    periods: int,
    notifications: sns.ITopic | None,
) -> cloudwatch.Alarm:
    """An alarm that rings when ``metric`` stays above ``above``; without data it stays as it is, which says nothing."""
    alarm = cloudwatch.Alarm(
        scope,
        id,
        alarm_description=way.describe(scope),
        metric=metric,
        threshold=above,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluation_periods=periods,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    way.remember(alarm)
    if notifications is None:
        acknowledge_controls(alarm, {"CloudWatchAlarmAction": "nobody is told, by the caller's own choice"})
        return alarm
    alarm.add_alarm_action(actions.SnsAction(notifications))
    # A topic with a policy of its own, such as TLS only, takes messages of those alone whom the policy names.
    notifications.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[notifications.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": account_of(scope)}},
        )
    )
    return alarm
