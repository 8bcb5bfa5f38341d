"""The names under which one region's API answers: its own, and the one name that all regions share."""

from dataclasses import dataclass

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_s3 as s3
from constructs import Construct

from mlplatform_cdk.routing.plan import MultiRegionEndpoint

# Newer than 1.2 alone would lock out callers of today; older ones are refused.
_OLDEST_TLS = "TLS_1_2"


@dataclass(frozen=True, slots=True, kw_only=True)
class MutualTls:
    """Callers of the one name must show a certificate.

    The region's own name asks for none, since Route 53's health checkers and the probe have none; whoever calls there
    still needs what ``Authorization`` says.
    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html

    :param bucket: holds the truststore, in the API's own region.
    :param object_key: the truststore, PEM.
    :param version: the object's version; a new truststore counts once this names it.
    """

    bucket: s3.IBucket
    object_key: str
    version: str


class RegionalNames(Construct):
    """A certificate for both names, a custom domain each, and the records that lead to them.

    Alias records of an API have API Gateway's own time to live, which nobody can set; ``plan.ttl`` is of others.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        plan: MultiRegionEndpoint,
        region: str,
        api: apigateway.RestApi,
        mutual_tls: MutualTls | None,
    ) -> None:
        super().__init__(scope, id)
        self._zone = plan.zone_of(region)
        zone = route53.HostedZone.from_hosted_zone_attributes(
            self, "Zone", hosted_zone_id=self._zone.hosted_zone_id, zone_name=self._zone.zone_name
        )
        self.certificate = acm.Certificate(
            self,
            "Certificate",
            domain_name=plan.domain_name,
            subject_alternative_names=[plan.regional_name(region)],
            # Where the one name's zone is another account's, its owner has proved it once for this account: ACM asks
            # for the same record each time. https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
            validation=acm.CertificateValidation.from_dns_multi_zone({plan.regional_name(region): zone})
            if plan.is_elsewhere(region)
            else acm.CertificateValidation.from_dns(zone),
        )
        own = self._domain("Region", plan.regional_name(region), api, None)
        shared = self._domain("Shared", plan.domain_name, api, mutual_tls)
        self._records("Region", plan.regional_name(region), own)
        self._records("Target", plan.target_name(region), shared)

    def _domain(
        self, id: str, name: str, api: apigateway.RestApi, mutual_tls: MutualTls | None
    ) -> apigateway.CfnDomainName:
        domain = apigateway.CfnDomainName(
            self,
            f"{id}Domain",
            domain_name=name,
            regional_certificate_arn=self.certificate.certificate_arn,
            endpoint_configuration=apigateway.CfnDomainName.EndpointConfigurationProperty(
                types=["REGIONAL"], ip_address_type="dualstack"
            ),
            security_policy=_OLDEST_TLS,
            mutual_tls_authentication=None if mutual_tls is None else _truststore(mutual_tls),
        )
        apigateway.CfnBasePathMapping(
            self,
            f"{id}Mapping",
            domain_name=domain.ref,
            rest_api_id=api.rest_api_id,
            stage=api.deployment_stage.stage_name,
        )
        return domain

    def _records(self, id: str, name: str, domain: apigateway.CfnDomainName) -> None:
        for kind in ("A", "AAAA"):
            route53.CfnRecordSet(
                self,
                f"{id}{kind}",
                hosted_zone_id=self._zone.hosted_zone_id,
                name=f"{name}.",
                type=kind,
                alias_target=route53.CfnRecordSet.AliasTargetProperty(
                    dns_name=domain.attr_regional_domain_name,
                    hosted_zone_id=domain.attr_regional_hosted_zone_id,
                    evaluate_target_health=False,
                ),
            )


def _truststore(given: MutualTls) -> apigateway.CfnDomainName.MutualTlsAuthenticationProperty:
    return apigateway.CfnDomainName.MutualTlsAuthenticationProperty(
        truststore_uri=given.bucket.s3_url_for_object(given.object_key), truststore_version=given.version
    )
