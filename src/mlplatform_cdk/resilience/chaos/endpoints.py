"""What happens to an endpoint: instances lost, its API throttled, and no answer at all.

AWS FIS has no action for endpoints of SageMaker or for API Gateway: ``aws:fis:inject-api-throttle-error`` and its like
reach calls to the APIs of EC2 and Kinesis alone.
Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from constructs import Construct

from mlplatform_cdk.core import Access, allowed, partition_of, region_of
from mlplatform_cdk.resilience.chaos.fault import Injection
from mlplatform_cdk.resilience.chaos.scripted import ScriptedFault
from mlplatform_cdk.routing.regional_api.model_api import ModelApi
from mlplatform_cdk.serving import Endpoint, ReleasedEndpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityLost(ScriptedFault):
    """An endpoint loses instances, of the variant that most requests go to; scaling may bring them back, or more.

    :param endpoint: on instances; it must have more than are left, or the experiment fails and breaks nothing. One that
        releases own needs their ``records``.
    :param instances_left: default: one.
    """

    endpoint: Endpoint
    instances_left: int = 1

    def __post_init__(self) -> None:
        """Refuse to leave none, since SageMaker keeps one, and to change what a release may be changing."""
        ScriptedFault.__post_init__(self)
        if self.instances_left < 1:
            raise ValueError(f"instances_left must be at least 1, got {self.instances_left}")
        if isinstance(self.endpoint, ReleasedEndpoint) and self.records is None:
            raise ValueError(
                f"records must be given for {self.endpoint.endpoint_name}, which releases change, got none; "
                "try records=release.records"
            )

    @property
    def sentence(self) -> str:
        """What it does."""
        return f"Leaves {self.instances_left} of the endpoint's instances"

    def define(self, scope: Construct) -> Injection:
        """Make the documents and their roles."""
        actions = ["sagemaker:DescribeEndpoint", "sagemaker:UpdateEndpointWeightsAndCapacities"]
        return self.by_documents(
            scope,
            "capacity",
            given={"EndpointName": self.endpoint.endpoint_name, "InstancesLeft": str(self.instances_left)},
            kept=["VariantName", "InstanceCount", "Configuration"],
            access=Access([allowed(actions, self.endpoint.endpoint_arn)]),
            endpoint_name=self.endpoint.endpoint_name,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Throttled(ScriptedFault):
    """A region's API lets fewer requests through, of one method or of all."""

    api: ModelApi

    def _throttled(self, scope: Construct, methods: Sequence[str], rate: int, burst: int) -> Injection:
        api, stage = self.api.api.rest_api_id, self.api.api.deployment_stage.stage_name
        arn = f"arn:{partition_of(scope)}:apigateway:{region_of(scope)}::/restapis/{api}/stages/{stage}"
        given: Mapping[str, str] = {
            "RestApiId": api,
            "StageName": stage,
            "Methods": " ".join(methods),
            "Rate": str(rate),
            "Burst": str(burst),
        }
        access = Access([allowed(["apigateway:GET", "apigateway:PATCH"], arn)])
        return self.by_documents(
            scope, "throttle", given=given, kept=["Former"], access=access, endpoint_name=self.api.endpoint_name
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiThrottled(_Throttled):
    """A region's API lets fewer requests through, or none, which is a region lost to its callers.

    ``/health`` is throttled with the rest, as it would be: Route 53 sees the region go, by itself.

    :param api: of the region, a ``RegionalApi`` or an ``InternalApi``.
    :param rate: requests a second that pass; default: none.
    :param burst: requests that pass at once; default: none.
    """

    rate: int = 0
    burst: int = 0

    @property
    def sentence(self) -> str:
        """What it does."""
        return f"Lets {self.rate} requests a second through the region's API"

    def define(self, scope: Construct) -> Injection:
        """Make the documents and their roles."""
        return self._throttled(scope, ["*/*"], self.rate, self.burst)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointStopped(_Throttled):
    """To the callers of a region's API, its endpoint has stopped: ``/invocations`` and ``/predictions`` answer 429.

    ``/health`` goes on saying what the probe finds, so that the whole way is tried: the probe sees that nothing is
    answered, takes the region out, and Route 53 and the alarm follow.

    SageMaker knows no stopped endpoint: a variant keeps an instance and weights are not all 0, and an endpoint that is
    deleted may not get its instances back. So the endpoint itself runs on, costs what it costs, and answers those who
    call SageMaker without this API, such as releases and A/B tests. A stopped endpoint would answer 4xx
    or 5xx of other numbers; 429 is the one that API Gateway gives and takes back within seconds.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html

    :param api: of the region, a ``RegionalApi`` or an ``InternalApi``.
    """

    @property
    def sentence(self) -> str:
        """What it does."""
        return "Lets no request through to the region's endpoint"

    def define(self, scope: Construct) -> Injection:
        """Make the documents and their roles."""
        return self._throttled(scope, [f"{path.replace('/', '~1')}/POST" for path in self.api.predicting], 0, 0)
