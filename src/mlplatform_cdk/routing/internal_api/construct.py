"""One region's API for callers inside: never on the internet, and still without a Lambda on the way."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from mlplatform_cdk.core import ConfigurationError, acknowledge, acknowledge_controls, region_of
from mlplatform_cdk.foundation import Network
from mlplatform_cdk.routing.feature_function import FeatureFunction
from mlplatform_cdk.routing.internal_api.balancer import Balancer
from mlplatform_cdk.routing.internal_api.door import Door
from mlplatform_cdk.routing.internal_api.names import InternalNames, certificate_of
from mlplatform_cdk.routing.internal_api.other_vpcs import wrong_vpcs
from mlplatform_cdk.routing.internal_api.private_link import EndpointService, PrivateLink
from mlplatform_cdk.routing.plan import HostedZoneReference, MultiRegionEndpoint
from mlplatform_cdk.routing.regional_api.authorization import Authorization
from mlplatform_cdk.routing.regional_api.firewall import Firewall, WebAcl
from mlplatform_cdk.routing.regional_api.model_api import BINARY_TYPES, ModelApi, Served, Verdicts
from mlplatform_cdk.routing.regional_api.throttle import ONE_HUNDRED_A_SECOND, Throttle
from mlplatform_cdk.serving import Endpoint

# Callers over PrivateLink share the addresses of a load balancer, so that none of them is bounded by its own.
WITHOUT_RATE = Firewall(rate=None)


class InternalApi(ModelApi):
    """What ``RegionalApi`` answers, for callers in VPCs: load balancer, private API, SageMaker's runtime.

    A load balancer cannot sign, so it leads to a private API by the API's own endpoint; the API calls the runtime as
    ``RegionalApi`` does. Host and signature of a caller stay as they are. docs/adr/0018 says why.

    It answers by the region's own name and by the one name that all regions share, in the plan's private zone; with
    ``private_link`` also where there is no route to this VPC, by the region's own name.

    :param plan: the regions and their names, in a private zone that this VPC is associated with.
    :param endpoint: what answers.
    :param verdicts: where the region's probe leaves its verdict; give ``HealthProbe`` the same network.
    :param network: the load balancer and the API's endpoint stand in its subnets.
    :param key: encrypts logs and the settings of functions.
    :param certificate: covers both names; default: one that is validated in ``public_zone``.
    :param public_zone: a public zone that holds the same names, for what proves that they are yours; default: none.
    :param authorization: who may ask for predictions; default: whoever signs and may ``execute-api:Invoke``.
    :param calling_accounts: other accounts whose roles may ask, if their own policies allow it; default: none.
    :param throttle: how many requests the API takes, and each key, if there are keys; default: 100 in a second.
    :param firewall: the web ACL on the load balancer; default: AWS's managed rules, and no rate of an address.
    :param callers: addresses from which the load balancer is reached, such as ``10.0.0.0/8``; default: the VPC's.
    :param other_vpcs: each other region of the plan to the addresses of its VPC, such as ``10.1.0.0/16``, if there is
        a route: its probe asks here whether this region serves, and this one's asks there; default: no region reaches
        another, so each probe decides alone, and the alarm ``alone`` rings.
    :param private_link: who reaches it from other VPCs; default: nobody.
    :param binary_types: media types that are no text; default: what the platform's container speaks, and pictures.
    :param sets_account_logging: see ``RegionalApi``; default: yes.
    :param features: see ``RegionalApi``; default: none.
    :param deletion_protection: whether the load balancers refuse to be deleted; default: yes.
    """

    def __init__(  # noqa: PLR0913 - each argument but the first five has a default
        self,
        scope: Construct,
        id: str,
        *,
        plan: MultiRegionEndpoint,
        endpoint: Endpoint,
        verdicts: Verdicts,
        network: Network,
        key: kms.IKey,
        certificate: acm.ICertificate | None = None,
        public_zone: HostedZoneReference | None = None,
        authorization: Authorization | None = None,
        calling_accounts: Sequence[str] = (),
        throttle: Throttle = ONE_HUNDRED_A_SECOND,
        firewall: Firewall = WITHOUT_RATE,
        callers: Sequence[str] = (),
        other_vpcs: Mapping[str, str] | None = None,
        private_link: PrivateLink | None = None,
        binary_types: Sequence[str] = BINARY_TYPES,
        sets_account_logging: bool = True,
        features: FeatureFunction | None = None,
        deletion_protection: bool = True,
    ) -> None:
        super().__init__(scope, id)
        self._check(plan, binary_types)
        self._check_zones(plan, certificate, public_zone, private_link)
        if wrong := wrong_vpcs(region_of(self), [*plan.targets], other_vpcs or {}):
            raise ConfigurationError(self, wrong)
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
        door = Door(self, "Door", network=network, key=key)
        # https://docs.aws.amazon.com/apigateway/latest/api/API_EndpointConfiguration.html: a private API takes no other
        where = apigateway.EndpointConfiguration(
            types=[apigateway.EndpointType.PRIVATE], ip_address_type=apigateway.IpAddressType.DUAL_STACK
        )
        self._define(served, where, _policy(served.authorization, calling_accounts, door.endpoint_id))
        proved = certificate or certificate_of(self, plan, region_of(self), public_zone)
        self.balancer = Balancer(
            self,
            "Balancer",
            network=network,
            door=door,
            certificate_arn=proved.certificate_arn,
            callers=callers or [network.vpc.vpc_cidr_block],
            others=[*(other_vpcs or {}).values()],
            deletion_protection=deletion_protection,
        )
        self.names = InternalNames(
            self,
            "Names",
            plan=plan,
            api=self.api,
            endpoint_id=door.endpoint_id,
            certificate_arn=proved.certificate_arn,
            balancer=self.balancer.resource,
        )
        self.firewall = WebAcl(self, "Firewall", firewall=firewall, guarded_arn=self.balancer.resource.ref, key=key)
        #: Where other VPCs connect; None without ``private_link``.
        self.endpoint_service = private_link and EndpointService(
            self,
            "Service",
            private_link=private_link,
            name=plan.regional_name(region_of(self)),
            public_zone=public_zone,
            network=network,
            balancer=self.balancer,
            key=key,
            deletion_protection=deletion_protection,
        )
        self._accept_findings()
        guarded = "the web ACL stands on the load balancer, and only that reaches the endpoint which this API takes"
        acknowledge(self.api.deployment_stage, {"AwsSolutions-APIG3": guarded})
        acknowledge_controls(self.api.deployment_stage, {"APIGWAssociatedWithWAF": guarded})

    def _check_zones(
        self,
        plan: MultiRegionEndpoint,
        certificate: acm.ICertificate | None,
        public_zone: HostedZoneReference | None,
        private_link: PrivateLink | None,
    ) -> None:
        if not plan.zone.private:
            raise ConfigurationError(
                self, "the plan's zone must be private, since nobody outside reaches this API, got a public one"
            )
        if public_zone is not None and public_zone.private:
            raise ConfigurationError(self, f"public_zone must be public, got the private {public_zone.zone_name}")
        if certificate is None and public_zone is None:
            raise ConfigurationError(
                self, "a certificate, or the public_zone in which one is validated, must be given, got neither"
            )
        if private_link is not None and private_link.private_name and public_zone is None:
            problem = "private_link proves its name in public_zone, got none; name it, or set private_name=False"
            raise ConfigurationError(self, problem)


def _policy(authorization: Authorization, accounts: Sequence[str], endpoint_id: str) -> iam.PolicyDocument:
    """Nobody but by the API's own endpoint; and where callers sign, whom their policies allow.

    A resource policy that allows everybody would let in every role of this account, whatever its own policies say:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html
    """
    signed = authorization.kind == "iam"
    open_to_all = ["execute-api:/*/GET/health"] if signed else ["execute-api:/*"]
    statements = [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": open_to_all},
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "execute-api:Invoke",
            "Resource": "execute-api:/*",
            "Condition": {"StringNotEquals": {"aws:SourceVpce": endpoint_id}},
        },
    ]
    document = iam.PolicyDocument.from_json({"Version": "2012-10-17", "Statement": statements})
    if signed and accounts:
        document.add_statements(
            iam.PolicyStatement(
                principals=[iam.AccountPrincipal(one) for one in accounts],
                actions=["execute-api:Invoke"],
                resources=["execute-api:/*/POST/*"],
            )
        )
    return document
