"""What CloudFormation cannot do around an update of an endpoint: keep its scaling, and see a silent rollback.

SageMaker refuses a new instance type while a variant scales, a scaling target that is registered again has a policy
that CloudFormation no longer knows, and an update that SageMaker took back looks like a success.
"""

import json
from collections.abc import Sequence

from aws_cdk import CustomResource, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from mlplatform_cdk.core import (
    PlatformFunction,
    PlatformRole,
    acknowledge,
    acknowledge_wildcards,
    arn_of,
    permission,
)
from mlplatform_cdk.core.scaling import WHY_ANY_TARGET, scaling
from mlplatform_cdk.serving.realtime_endpoint.variant import EndpointVariant

RUNTIME = "mlplatform_cdk.serving.realtime_endpoint.runtime"
_TIMEOUT = Duration.minutes(15)  # Lambda's longest; a fleet that comes to another size has to be waited for
_PATIENCE = Duration.minutes(20)
_SERVICE = "sagemaker.application-autoscaling.amazonaws.com"
_SERVICE_ROLE = f"aws-service-role/{_SERVICE}/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


class FleetKeeper(Construct):
    """Two custom resources, one before the endpoint and one after it, and the function behind them.

    :param endpoint_name: whose fleets.
    :param variants: what they must be.
    :param key: encrypts the function's settings and logs.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        endpoint_name: str,
        variants: Sequence[EndpointVariant],
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, id)
        self._endpoint_name = endpoint_name
        # An endpoint may get another name, and the targets under its former one are to be let go of then.
        owner = f"{Stack.of(self).stack_name}/{self.node.addr}"
        self._fleet = json.dumps([_fleet(one) for one in variants], sort_keys=True)
        self.function = PlatformFunction(
            self,
            "Function",
            package=RUNTIME,
            description=f"Keeps the scaling of the endpoint {endpoint_name} over its updates",
            timeout=_TIMEOUT,
            key=key,
            environment={"SCALING_OWNER": owner},
        )
        self._grant(self.function.platform_role, owner)

    def surround(self, endpoint: sagemaker.CfnEndpoint, configuration: sagemaker.CfnEndpointConfig) -> None:
        """Take the scaling off before ``endpoint`` changes where it must go, and see to it afterwards.

        :param endpoint: the resource that is changed.
        :param configuration: what it must run afterwards.
        """
        before = self._resource("Before", {})
        after = self._resource("After", {"EndpointConfigName": configuration.attr_endpoint_config_name})
        endpoint.node.add_dependency(before)
        after.node.add_dependency(endpoint)

    def _resource(self, phase: str, more: dict[str, str]) -> CustomResource:
        return CustomResource(
            self,
            phase,
            service_token=self.function.function_arn,
            resource_type="Custom::EndpointFleet",
            service_timeout=_PATIENCE,
            properties={"EndpointName": self._endpoint_name, "Phase": phase, "Fleet": self._fleet, **more},
        )

    def _grant(self, role: PlatformRole, owner: str) -> None:
        name = self._endpoint_name
        endpoint = arn_of(self, "sagemaker", f"endpoint/{name}")
        configurations = arn_of(self, "sagemaker", "endpoint-config/*")
        targets = arn_of(self, "application-autoscaling", "scalable-target/*")
        alarms = arn_of(self, "cloudwatch", f"alarm:TargetTracking-endpoint/{name}/variant/*")
        # An endpoint that gets another name leaves its scaling under the former one, which no template knows any more.
        former = arn_of(self, "cloudwatch", "alarm:TargetTracking-endpoint/*")
        # https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html
        role.allow(
            permission(["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"], endpoint),
            permission(["sagemaker:DescribeEndpointConfig"], configurations),
            permission(["application-autoscaling:DescribeScalableTargets"], "*"),
            *map(iam.PolicyStatement.from_json, scaling(targets, owner=owner)),
            permission(["cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"], alarms),
            permission(["cloudwatch:DeleteAlarms"], former),
            permission(
                ["iam:CreateServiceLinkedRole"],
                arn_of(self, "iam", f"role/{_SERVICE_ROLE}", region=""),
                conditions={"StringEquals": {"iam:AWSServiceName": _SERVICE}},
            ),
        )
        acknowledge_wildcards(
            role,
            {
                configurations: "CloudFormation names the configurations of this endpoint; they are only read",
                targets: WHY_ANY_TARGET,
                alarms: "the alarms by which AWS scales one endpoint, with ids that AWS chooses",
                former: "those of this endpoint under a former name, which go with its scaling when it is renamed",
            },
        )
        acknowledge(
            role, {"AwsSolutions-IAM5[Resource::*]": "X-Ray's calls and DescribeScalableTargets take no resource"}
        )


def _fleet(variant: EndpointVariant) -> dict[str, str | int]:
    return {
        "variant": variant.name,
        "instance_type": variant.instance_type,
        "minimum": variant.scaling.minimum,
        "maximum": variant.scaling.maximum,
        "invocations_per_minute": variant.scaling.invocations_per_minute,
    }
