"""The names under which an internal API answers, in the private zone and to API Gateway."""

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_elasticloadbalancingv2 as balancing
from aws_cdk import aws_route53 as route53
from constructs import Construct

from mlplatform_cdk.core import region_of
from mlplatform_cdk.routing.plan import HostedZoneReference, MultiRegionEndpoint


def certificate_of(
    scope: Construct, plan: MultiRegionEndpoint, region: str, public_zone: HostedZoneReference | None
) -> acm.Certificate:
    """A certificate for both names, validated where the world can see it: ACM asks no private zone."""
    assert public_zone is not None
    zone = route53.HostedZone.from_hosted_zone_attributes(
        scope, "PublicZone", hosted_zone_id=public_zone.hosted_zone_id, zone_name=public_zone.zone_name
    )
    return acm.Certificate(
        scope,
        "Certificate",
        domain_name=plan.domain_name,
        subject_alternative_names=[plan.regional_name(region)],
        validation=acm.CertificateValidation.from_dns(zone),
    )


class InternalNames(Construct):
    """A private custom domain for each name, which the API's endpoint may ask for, and records in the private zone.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-custom-domains.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: MultiRegionEndpoint,
        api: apigateway.RestApi,
        endpoint_id: str,
        certificate_arn: str,
        balancer: balancing.CfnLoadBalancer,
    ) -> None:
        super().__init__(scope, id)
        region = region_of(self)
        for place, name in (("Region", plan.regional_name(region)), ("Shared", plan.domain_name)):
            self._domain(place, name, api, endpoint_id, certificate_arn)
        for place, name in (("Region", plan.regional_name(region)), ("Target", plan.target_name(region))):
            route53.CfnRecordSet(
                self,
                f"{place}A",
                hosted_zone_id=plan.zone.hosted_zone_id,
                name=f"{name}.",
                type="A",
                alias_target=route53.CfnRecordSet.AliasTargetProperty(
                    dns_name=balancer.attr_dns_name,
                    hosted_zone_id=balancer.attr_canonical_hosted_zone_id,
                    evaluate_target_health=False,
                ),
            )

    def _domain(self, id: str, name: str, api: apigateway.RestApi, endpoint_id: str, certificate_arn: str) -> None:
        domain = apigateway.CfnDomainNameV2(
            self,
            f"{id}Domain",
            domain_name=name,
            certificate_arn=certificate_arn,
            endpoint_configuration=apigateway.CfnDomainNameV2.EndpointConfigurationProperty(
                types=["PRIVATE"], ip_address_type="dualstack"
            ),
            # The load balancer asks by the door's address and names the host; policies of the newer kind forbid that:
            # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-private-api-test-invoke-url.html
            security_policy="TLS_1_2",
            policy=_by(endpoint_id),
        )
        apigateway.CfnBasePathMappingV2(
            self,
            f"{id}Mapping",
            domain_name_arn=domain.attr_domain_name_arn,
            rest_api_id=api.rest_api_id,
            stage=api.deployment_stage.stage_name,
        )
        apigateway.CfnDomainNameAccessAssociation(
            self,
            f"{id}Access",
            domain_name_arn=domain.attr_domain_name_arn,
            access_association_source=endpoint_id,
            access_association_source_type="VPCE",
        )


def _by(endpoint_id: str) -> dict[str, object]:
    """By one endpoint alone; who may ask for what, the API's own policy says."""
    every = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    elsewhere = {"StringNotEquals": {"aws:SourceVpce": endpoint_id}}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", **every}, {"Effect": "Deny", **every, "Condition": elsewhere}],
    }
