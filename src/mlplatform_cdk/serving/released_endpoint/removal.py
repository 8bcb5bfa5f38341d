"""Takes a release-owned endpoint away with its stack, since CloudFormation does not know what releases made."""

from aws_cdk import CustomResource
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import Access, PlatformFunction, allowed, arn_of, minutes
from mlplatform_cdk.core.scaling import WHY_ANY_TARGET, taking_out
from mlplatform_cdk.runtimekit.endpoint_specification import EndpointSpecification, log_group_name

RUNTIME = "mlplatform_cdk.serving.released_endpoint.runtime"
_TIMEOUT = minutes(15)  # Lambda's longest; an endpoint that is being created has to be waited for
_LISTS = (
    "sagemaker:ListEndpointConfigs",
    "sagemaker:ListModels",
    "application-autoscaling:DescribeScalableTargets",
)
_PATIENCE = minutes(20)  # CloudFormation waits for the answer, and for Lambda's start


class EndpointRemoval(Construct):
    """A custom resource that does nothing until it is deleted.

    :param specification: of the endpoint that goes then.
    :param key: encrypts the function's settings and logs.
    :param logs_go: does the log group that SageMaker made for the endpoint go, too.
    """

    def __init__(
        self, scope: Construct, id: str, *, specification: EndpointSpecification, key: kms.IKey, logs_go: bool
    ) -> None:
        super().__init__(scope, id)
        self.function = PlatformFunction(
            self,
            "Function",
            package=RUNTIME,
            description=f"Takes the endpoint {specification.endpoint_name} away with its stack",
            timeout=_TIMEOUT,
            key=key,
            access=[_removing(self, specification), _removing_logs(self, specification, logs_go=logs_go)],
        )
        CustomResource(
            self,
            "Resource",
            service_token=self.function.function_arn,
            resource_type="Custom::ReleasedEndpoint",
            service_timeout=_PATIENCE,
            properties={"EndpointName": specification.endpoint_name, "Logs": "delete" if logs_go else "keep"},
        )


def _removing(scope: Construct, specification: EndpointSpecification) -> Access:
    prefix = specification.name_prefix
    endpoint = arn_of(scope, "sagemaker", f"endpoint/{specification.endpoint_name}")
    configurations = arn_of(scope, "sagemaker", f"endpoint-config/{prefix}*")
    models = arn_of(scope, "sagemaker", f"model/{prefix}*")
    targets = arn_of(scope, "application-autoscaling", "scalable-target/*")
    return Access(
        [
            allowed(["sagemaker:DeleteEndpoint", "sagemaker:DescribeEndpoint"], endpoint),
            allowed(["sagemaker:DeleteEndpointConfig"], configurations),
            allowed(["sagemaker:DeleteModel"], models),
            allowed(_LISTS, "*"),
            *taking_out(targets, owner=specification.endpoint_name),
        ],
        patterns={
            configurations: "the configurations that releases made for this endpoint, by their common prefix",
            models: "the models that releases made for this endpoint, by their common prefix",
            targets: WHY_ANY_TARGET,
            "*": "X-Ray's calls, SageMaker's lists and DescribeScalableTargets take no resource",
        },
    )


def _removing_logs(scope: Construct, specification: EndpointSpecification, *, logs_go: bool) -> Access:
    group = arn_of(scope, "logs", f"log-group:{log_group_name(specification.endpoint_name)}")
    if logs_go:
        return Access([allowed(["logs:DeleteLogGroup"], group, f"{group}:*")], patterns={f"{group}:*": "its streams"})
    return Access([], findings={"permission-missing[logs:DeleteLogGroup]": "the endpoint's log group is kept"})
