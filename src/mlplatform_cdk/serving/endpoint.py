"""What all endpoints have in common, whoever owns them: who may call them, and what they measure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import aws_cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from mlplatform_cdk.core import Access, allowed, arn_of, minutes

if TYPE_CHECKING:
    from aws_cdk import aws_cloudwatch as cloudwatch

# In quotes, since an app without metrics never loads CDK's module of CloudWatch, which is as large as all of ours.
Measure: TypeAlias = "cloudwatch.Metric | cloudwatch.MathExpression"

_PERIOD = minutes(1)  # SageMaker's own
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
_ASKING = ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream")


class Endpoint(Construct):
    """Any endpoint, ours or another team's. A metric is of one variant, or of all of them together.

    Everything that SageMaker measures besides: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
    """

    endpoint_name: str
    variants: Sequence[str]

    @staticmethod
    def from_endpoint_name(
        scope: Construct, id: str, endpoint_name: str, *, variants: Sequence[str] = ("AllTraffic",)
    ) -> "Endpoint":
        """An endpoint that another stack owns; defines no resource.

        :param endpoint_name: its name.
        :param variants: the names of its variants, for metrics; default: SageMaker's own, ``AllTraffic``.
        """
        return _BorrowedEndpoint(scope, id, endpoint_name, variants)

    @property
    def endpoint_arn(self) -> str:
        """The endpoint's ARN."""
        return arn_of(self, "sagemaker", f"endpoint/{self.endpoint_name}")

    def grant_invoke(self, grantee: iam.IGrantable) -> iam.Grant:
        """Let ``grantee`` send requests here, whose answers come whole or as a stream, and nothing more."""
        return iam.Grant.add_to_principal(grantee=grantee, actions=[*_ASKING], resource_arns=[self.endpoint_arn])

    def invoking(self) -> Access:
        """Sending requests whose answers come whole, as those of the platform's own functions do."""
        return Access([allowed(["sagemaker:InvokeEndpoint"], self.endpoint_arn)])

    def metric_invocations(self, *, variant: str | None = None) -> Measure:
        """Requests that reached a model, as a sum.

        :param variant: one variant alone; default: all together.
        """
        return self._sum("Invocations", variant)

    def metric_server_errors(self, *, variant: str | None = None) -> Measure:
        """Requests that the model or the endpoint answered with 5xx, as a sum.

        :param variant: one variant alone; default: all together.
        """
        return self._sum("Invocation5XXErrors", variant)

    def metric_client_errors(self, *, variant: str | None = None) -> Measure:
        """Requests that were answered with 4xx, as a sum.

        :param variant: one variant alone; default: all together.
        """
        return self._sum("Invocation4XXErrors", variant)

    def metric_model_latency(self, *, variant: str | None = None, statistic: str = "p99") -> Measure:
        """Microseconds spent in the model container.

        :param variant: one variant alone; default: the slowest of all.
        :param statistic: of the requests of one minute; default: p99.
        """
        return self._of_all("ModelLatency", statistic, variant, "MAX([{}])", ", ")

    def _sum(self, name: str, variant: str | None) -> Measure:
        return self._of_all(name, "Sum", variant, "{}", " + ")

    def _of_all(self, name: str, statistic: str, variant: str | None, expression: str, between: str) -> Measure:
        """One variant's metric, or an expression over the variants', of which some may have no data."""
        chosen = [variant] if variant else [*self.variants]
        metrics = {f"m{index}": self._metric(name, statistic, one) for index, one in enumerate(chosen)}
        if len(metrics) == 1:
            return metrics["m0"]
        filled = between.join(f"FILL({metric}, 0)" for metric in metrics)
        return aws_cdk.aws_cloudwatch.MathExpression(
            expression=expression.format(filled), using_metrics=metrics, label=name, period=_PERIOD
        )

    def _metric(self, name: str, statistic: str, variant: str) -> "cloudwatch.Metric":
        return aws_cdk.aws_cloudwatch.Metric(
            namespace="AWS/SageMaker",
            metric_name=name,
            dimensions_map={"EndpointName": self.endpoint_name, "VariantName": variant},
            statistic=statistic,
            period=_PERIOD,
        )


class _BorrowedEndpoint(Endpoint):
    def __init__(self, scope: Construct, id: str, endpoint_name: str, variants: Sequence[str]) -> None:
        super().__init__(scope, id)
        self.endpoint_name = endpoint_name
        self.variants = tuple(variants)
