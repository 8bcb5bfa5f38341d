"""Alarms on each variant of an endpoint, so that a fault is acted on when it happens and not at the end of a window."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import aws_cdk
from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from mlplatform_cdk.core import (
    ConfigurationError,
    WayOut,
    acknowledge_controls,
    arn_of,
    is_known,
    service_principal,
    topic_arn,
)
from mlplatform_cdk.core.instances import instance_type_of
from mlplatform_cdk.runtimekit.endpoint_specification import SEPARATOR
from mlplatform_cdk.runtimekit.release_strategy import VerdictRules
from mlplatform_cdk.runtimekit.runbook_names import Runbook
from mlplatform_cdk.serving import ReleasedEndpoint

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

_REQUESTS, _MACHINES = "AWS/SageMaker", "/aws/sagemaker/Endpoints"
_FINE = (10, 20, 30)  # seconds, besides whole minutes: CloudWatch's periods
_FEWEST = 20  # requests in a period that an alarm is about
# What luck explains of a share p of n requests: n p and 3.3 standard deviations, which a normal variable passes once in
# 2,000 periods, and three more, since rare events are no normal variable: Poisson's of mean 1 passes 7 once in 100,000.
_DEVIATIONS, _MORE = 3.3, 3
_IN_A_ROW = 3  # periods that a machine must be too busy
_SECOND = Duration.seconds(1)
# What wrong answers need; whatever is slow, or too busy, needs instances. In a release, the release goes back itself.
_BLAME = frozenset({"errors", "model-errors"})
_RULES = VerdictRules()


def alarm_prefix(endpoint_name: str, variant: str) -> str:
    """How the names of a variant's alarms begin, for rules and policies; no other endpoint's do."""
    return f"{endpoint_name}{SEPARATOR}{variant}-"


def let_alarms_in(scope: Construct, topic: sns.ITopic, endpoint_name: str) -> None:
    """Let CloudWatch tell ``topic`` of an endpoint's alarms.

    A topic with a policy of its own, such as TLS only, takes messages of those alone whom the policy names.
    """
    alarms = arn_of(scope, "cloudwatch", f"alarm:{endpoint_name}{SEPARATOR}*")
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[service_principal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic_arn(topic)],
            conditions={"ArnLike": {"aws:SourceArn": alarms}},
        )
    )


class ReleaseAlarms(Construct):
    """Alarms on each of an endpoint's two variants: failures, latency, and how busy its machines are.

    They hold green and blue to the same bounds, at any time: which of the two is green, a release knows. Each says
    what it makes of missing data: that it is no breach, since a variant without requests, or without machines, does no
    harm. A share is a breach only where luck does not explain it, so that two failures of a hundred wake nobody, and
    half of twenty do; what is smaller than that the release finds over its windows.

    ``<endpoint>--<variant>-`` and: ``errors`` (5xx), ``model-errors`` (what the container did not answer well),
    ``p99``, ``p50`` (with a bound for it), ``cpu``, ``memory``, ``gpu`` (where the instance type has some).

    :param endpoint: what is watched.
    :param rules: the bounds; default: those of ``VerdictRules``.
    :param latency_p99: the bound on the 99th percentile where the rules have none, which leave it to the budget of each
        model's manifest: something that no model may pass; default: a second.
    :param minimum_requests: of a variant in one period; with fewer, no alarm on a share; default: 20.
    :param period: 10, 20 or 30 seconds, or whole minutes; below a minute only where the endpoint publishes its metrics
        that often; default: as often as it does.
    :param business: the caller's own alarms, such as one on orders per minute; they count as the endpoint's do.
    :param notifications: where each alarm is told; default: nowhere, which leaves the release and the console.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint: ReleasedEndpoint,
        rules: VerdictRules = _RULES,
        latency_p99: Duration = _SECOND,
        minimum_requests: int = _FEWEST,
        period: Duration | None = None,
        business: Sequence["cloudwatch.IAlarm"] = (),
        notifications: sns.ITopic | None = None,
    ) -> None:
        super().__init__(scope, id)
        period = period or Duration.seconds(endpoint.specification.metrics_every_s)
        self._check(period, minimum_requests)
        self.endpoint, self.rules, self.business = endpoint, rules, tuple(business)
        self._period, self._fewest, self._notifications = period, minimum_requests, notifications
        own_p99 = rules.latency_p99_ms
        self._p99_ms = latency_p99.to_milliseconds() if own_p99 is None else own_p99
        self._alarms = {variant: self._define(variant) for variant in endpoint.variants}
        if notifications is not None:
            let_alarms_in(self, notifications, endpoint.endpoint_name)

    @property
    def names(self) -> list[str]:
        """The names of all alarms, the caller's among them."""
        own = [alarm for alarms in self._alarms.values() for alarm in alarms]
        return [alarm.alarm_name for alarm in (*own, *self.business)]

    @property
    def business_names(self) -> list[str]:
        """The names of the caller's own alarms."""
        return [alarm.alarm_name for alarm in self.business]

    def of_variant(self, variant: str) -> "tuple[cloudwatch.Alarm, ...]":
        """The alarms on one variant."""
        return self._alarms[variant]

    def names_of(self, variant: str) -> list[str]:
        """The names of the alarms on one variant."""
        return [alarm.alarm_name for alarm in self._alarms[variant]]

    def _check(self, period: Duration, minimum_requests: int) -> None:
        seconds = period.to_seconds()
        if seconds not in _FINE and (seconds < 60 or seconds % 60):  # noqa: PLR2004 - a minute
            raise ConfigurationError(
                self, f"period must be 10, 20 or 30 seconds, or whole minutes, got {seconds:g} seconds"
            )
        if minimum_requests < 1:
            raise ConfigurationError(self, f"minimum_requests must be 1 or more, got {minimum_requests}")

    def _define(self, variant: str) -> "tuple[cloudwatch.Alarm, ...]":
        return (*self._failures(variant), *self._latencies(variant), *self._load(variant))

    def _failures(self, variant: str) -> "Iterator[cloudwatch.Alarm]":
        share, requests = self.rules.most_errors, self._metric(variant, "Invocations")
        failed = {"n": requests, "e": self._metric(variant, "Invocation5XXErrors")}
        # What the model refuses as its caller's mistake is among its errors, too.
        broken = {
            "n": requests,
            "m": self._metric(variant, "InvocationModelErrors"),
            "x": self._metric(variant, "Invocation4XXErrors"),
        }
        said = f"{share * 100:g} % of"
        yield self._beyond_luck(variant, "errors", "FILL(e, 0)", share, failed, f"{said} failures")
        yield self._beyond_luck(
            variant, "model-errors", "FILL(m, 0) - FILL(x, 0)", share, broken, f"{said} model errors"
        )

    def _latencies(self, variant: str) -> "Iterator[cloudwatch.Alarm]":
        """A percentile above its bound, said as what it means: more than its share of requests are slower than that.

        Such counts can be held against luck, and a percentile of few requests cannot.
        """
        for name, bound_ms, share in (("p99", self._p99_ms, 0.01), ("p50", self.rules.latency_p50_ms, 0.5)):
            if bound_ms is not None:
                rank = self._metric(variant, "ModelLatency", f"PR(:{round(bound_ms * 1000)})")
                metrics = {"n": self._metric(variant, "ModelLatency", "SampleCount"), "r": rank}
                count = "n * (100 - FILL(r, 100)) / 100"
                yield self._beyond_luck(variant, name, count, share, metrics, f"a {name} of {bound_ms:g} ms")

    def _load(self, variant: str) -> "Iterator[cloudwatch.Alarm]":
        cores, gpus = self._machine()
        rules = self.rules
        for name, metric, bound, parts in (
            ("cpu", "CPUUtilization", rules.cpu_percent, cores),
            ("memory", "MemoryUtilization", rules.memory_percent, 1),
            ("gpu", "GPUUtilization", rules.gpu_percent, gpus),
        ):
            if bound is not None and parts:
                measured = self._metric(variant, metric, "Average", _MACHINES)
                yield self._busy(variant, name, measured, bound * parts)

    def _machine(self) -> tuple[int, int]:
        """Cores and GPUs, of which SageMaker gives each 100 percent; none where the catalogue does not know them."""
        name = self.endpoint.specification.instance_type
        known = instance_type_of(name) if is_known(name) else None
        return (known.vcpus, known.gpus) if known else (0, 0)

    def _metric(
        self, variant: str, name: str, statistic: str = "Sum", namespace: str = _REQUESTS
    ) -> "cloudwatch.Metric":
        return aws_cdk.aws_cloudwatch.Metric(
            namespace=namespace,
            metric_name=name,
            dimensions_map={"EndpointName": self.endpoint.endpoint_name, "VariantName": variant},
            statistic=statistic,
            period=self._period,
        )

    def _beyond_luck(
        self,
        variant: str,
        name: str,
        count: str,
        share: float,
        metrics: "Mapping[str, cloudwatch.IMetric]",
        said: str,
    ) -> "cloudwatch.Alarm":
        luck = f"n * {share:g} + {_DEVIATIONS} * SQRT(n * {share * (1 - share):g}) + {_MORE}"
        excess = aws_cdk.aws_cloudwatch.MathExpression(
            expression=f"IF(n >= {self._fewest}, {count} - ({luck}), 0)",
            using_metrics=metrics,
            label="requests beyond the bound and beyond luck",
            period=self._period,
        )
        sentence = f"has passed {said} by more than luck explains"
        return self._alarm(variant, name, excess, 0, 1, sentence)

    def _busy(self, variant: str, name: str, metric: "cloudwatch.IMetric", bound: float) -> "cloudwatch.Alarm":
        return self._alarm(variant, name, metric, bound, _IN_A_ROW, f"has passed {bound:g} percent of {name}")

    def _alarm(
        self, variant: str, name: str, metric: "cloudwatch.IMetric", threshold: float, periods: int, sentence: str
    ) -> "cloudwatch.Alarm":
        watch, actions = aws_cdk.aws_cloudwatch, aws_cdk.aws_cloudwatch_actions
        title = "".join(part.capitalize() for part in (variant, *name.split("-")))
        way = WayOut(
            sentence=f"Variant {variant} of the endpoint {self.endpoint.endpoint_name} {sentence}",
            runbook=Runbook.ROLL_BACK if name in _BLAME else Runbook.SCALE_UP,
            subject=self.endpoint.endpoint_name,
        )
        alarm = watch.Alarm(
            self,
            title,
            alarm_name=f"{alarm_prefix(self.endpoint.endpoint_name, variant)}{name}",
            alarm_description=way.describe(self),
            metric=metric,
            threshold=threshold,
            evaluation_periods=periods,
            datapoints_to_alarm=periods,
            comparison_operator=watch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            treat_missing_data=watch.TreatMissingData.NOT_BREACHING,
        )
        way.remember(alarm)
        if self._notifications is not None:
            alarm.add_alarm_action(actions.SnsAction(self._notifications))
        else:
            acknowledge_controls(alarm, {"CloudWatchAlarmAction": "a release hears of it by EventBridge, and acts"})
        return alarm
