"""One region's API: predictions straight from SageMaker's runtime, and the region's health, for everyone to see."""

from collections.abc import Sequence

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, region_of
from mlplatform_cdk.routing.feature_function import FeatureFunction
from mlplatform_cdk.routing.plan import MultiRegionEndpoint
from mlplatform_cdk.routing.regional_api import methods
from mlplatform_cdk.routing.regional_api.authorization import Authorization
from mlplatform_cdk.routing.regional_api.firewall import THIRTY_THOUSAND, Firewall, WebAcl
from mlplatform_cdk.routing.regional_api.model_api import BINARY_TYPES, ModelApi, Served, Verdicts
from mlplatform_cdk.routing.regional_api.names import MutualTls, RegionalNames
from mlplatform_cdk.routing.regional_api.throttle import ONE_HUNDRED_A_SECOND, Throttle
from mlplatform_cdk.serving import Endpoint


class RegionalApi(ModelApi):
    """What callers of one region reach: ``POST /invocations`` and ``GET /health``, without a Lambda on the way.

    ``/invocations`` is ``InvokeEndpoint`` of the endpoint: body, content type, ``Accept`` and custom attributes as
    SageMaker takes them, with its answer, its status (424 where the model failed) and the id of its request
    (``X-Amzn-SageMaker-Request-Id``). A body may have 10 MB, and an answer must come within 29 s; neither can be
    raised by this API: ``methods.invocations`` names the sources.

    ``/health`` is the probe's last verdict, for as long as it counts: ``"status": "in-service"`` with 200, and
    anything else with 503, ``{"status":"stale"}`` too. It asks nobody who he is.

    It answers by the region's own name and by the one name that all regions share; its default address is shut.

    :param plan: the regions and their names.
    :param endpoint: what answers.
    :param verdicts: where the region's probe leaves its verdict.
    :param key: encrypts the logs.
    :param authorization: who may ask for predictions; default: whoever signs and may ``execute-api:Invoke``.
    :param throttle: how many requests the API takes, and each key, if there are keys; default: 100 in a second.
    :param firewall: the web ACL; default: AWS's managed rules, and 30,000 requests of an address in five minutes.
    :param mutual_tls: asks callers of the one name for a certificate; default: nobody is asked.
    :param binary_types: media types that are no text, by their whole names; a request's ``Content-Type`` and an
        answer's ``Accept`` tell; default: what the platform's container speaks, and pictures.
    :param sets_account_logging: whether this stack sets the role by which API Gateway writes logs, one for an account
        and region; False where something else sets it; default: yes.
    :param features: answers ``POST /predictions`` too, for callers who do not have the model's inputs; default: none.
    """

    def __init__(  # noqa: PLR0913 - each argument but the first four has a default
        self,
        scope: Construct,
        id: str,
        *,
        plan: MultiRegionEndpoint,
        endpoint: Endpoint,
        verdicts: Verdicts,
        key: kms.IKey,
        authorization: Authorization | None = None,
        throttle: Throttle = ONE_HUNDRED_A_SECOND,
        firewall: Firewall = THIRTY_THOUSAND,
        mutual_tls: MutualTls | None = None,
        binary_types: Sequence[str] = BINARY_TYPES,
        sets_account_logging: bool = True,
        features: FeatureFunction | None = None,
    ) -> None:
        super().__init__(scope, id)
        self._check(plan, binary_types)
        if plan.zone.private:
            raise ConfigurationError(
                self, "the plan's zone must be public, since everyone reaches this API, got a private one; name another"
            )
        served = Served(
            plan=plan,
            endpoint=endpoint,
            verdicts=verdicts,
            key=key,
            authorization=authorization or Authorization.iam(),
            throttle=throttle,
            binary_types=binary_types,
            sets_account_logging=sets_account_logging,
            features=features,
        )
        # As its custom domains: with the default address shut, the narrower of the two counts.
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-custom-domain-ip-address-type.html
        self._define(
            served,
            apigateway.EndpointConfiguration(
                types=[apigateway.EndpointType.REGIONAL], ip_address_type=apigateway.IpAddressType.DUAL_STACK
            ),
        )
        self.names = RegionalNames(
            self, "Names", plan=plan, region=region_of(self), api=self.api, mutual_tls=mutual_tls
        )
        self.firewall = WebAcl(self, "Firewall", firewall=firewall, guarded_arn=methods.stage_arn(self.api), key=key)
        self._accept_findings()
