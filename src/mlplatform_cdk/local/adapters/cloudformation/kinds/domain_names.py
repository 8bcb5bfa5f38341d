"""Names of APIs: custom domains, their certificates, what filters requests in front of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlplatform_cdk.local.adapters.cloudformation.coded import CodedKind, pairs, parameters
from mlplatform_cdk.local.adapters.cloudformation.stand_ins import RecordedKind

if TYPE_CHECKING:
    from mlplatform_cdk.local.adapters.cloudformation.resource import Kind, Resource

_UNFILTERED = "no rule of a web ACL is evaluated in a rehearsal"


class DomainNameKind(CodedKind):
    """A custom domain; requests that name it as their host reach the API that it is mapped to, without TLS."""

    service = "apigateway"
    fixed = frozenset({"DomainName", "EndpointConfiguration", "RegionalCertificateArn", "CertificateArn"})

    def make(self, resource: Resource) -> None:
        """Create it."""
        api, given = self.api(resource), resource.properties
        names = ("DomainName", "RegionalCertificateArn", "CertificateArn", "EndpointConfiguration", "SecurityPolicy")
        values = {name: given[name] for name in names if name in given}
        made = api.create_domain_name(**parameters(api, "create_domain_name", values, resource.lost))
        resource.physical_resource_id = made["domainName"]
        resource.attributes = {
            "RegionalDomainName": made["regionalDomainName"],
            "RegionalHostedZoneId": made["regionalHostedZoneId"],
            "DomainNameArn": f"arn:aws:apigateway:{resource.region}::/domainnames/{made['domainName']}",
        }

    def settle(self, resource: Resource, before: Resource | None = None) -> None:  # noqa: ARG002 -- the same whether new or changed
        """Say what nothing here does: there is no TLS, and so no certificate of a caller."""
        resource.lost.append("SecurityPolicy")

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        self.api(resource).delete_domain_name(domainName=resource.physical_resource_id)


class BasePathMappingKind(CodedKind):
    """Which API a custom domain leads to."""

    service = "apigateway"
    fixed = frozenset({"BasePath", "DomainName", "RestApiId", "Stage"})

    def make(self, resource: Resource) -> None:
        """Create it."""
        api, given = self.api(resource), resource.properties
        values = dict(given.items())
        made = api.create_base_path_mapping(**parameters(api, "create_base_path_mapping", values, resource.lost))
        resource.physical_resource_id = f"{given['DomainName']}|{made['basePath']}"

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        domain, _, base = resource.physical_resource_id.partition("|")
        self.api(resource).delete_base_path_mapping(domainName=domain, basePath=base)


class CertificateKind(CodedKind):
    """A certificate, which counts as validated at once: nobody looks for its record."""

    service = "acm"
    fixed = frozenset({"DomainName", "SubjectAlternativeNames", "ValidationMethod", "DomainValidationOptions"})
    changes_tags = True

    def make(self, resource: Resource) -> None:
        """Request it."""
        api, given = self.api(resource), resource.properties
        names = ("DomainName", "SubjectAlternativeNames", "ValidationMethod")
        values = {name: given[name] for name in names if name in given}
        made = api.request_certificate(**parameters(api, "request_certificate", values, resource.lost))
        resource.physical_resource_id = made["CertificateArn"]
        resource.attributes = {"CertificateArn": made["CertificateArn"]}
        if "DomainValidationOptions" in given:
            resource.lost.append("DomainValidationOptions")

    def settle(self, resource: Resource, before: Resource | None = None) -> None:  # noqa: ARG002 -- the same whether new or changed
        """Its tags."""
        tags = [{"Key": key, "Value": value} for key, value in pairs(resource.properties.get("Tags")).items()]
        if tags:
            self.api(resource).add_tags_to_certificate(CertificateArn=resource.physical_resource_id, Tags=tags)

    def unmake(self, resource: Resource) -> None:
        """Delete it."""
        self.api(resource).delete_certificate(CertificateArn=resource.physical_resource_id)


KINDS: dict[str, Kind] = {
    "AWS::ApiGateway::DomainName": DomainNameKind(),
    "AWS::ApiGateway::BasePathMapping": BasePathMappingKind(),
    "AWS::CertificateManager::Certificate": CertificateKind(),
    "AWS::WAFv2::WebACL": RecordedKind(
        why=_UNFILTERED,
        name="Name",
        physical_id="{Name}|{Name}|REGIONAL",
        attributes={"Arn": "arn:aws:wafv2:{region}:{account}:regional/webacl/{Name}/{Name}", "Id": "{Name}"},
    ),
    "AWS::WAFv2::WebACLAssociation": RecordedKind(why=_UNFILTERED),
    "AWS::WAFv2::LoggingConfiguration": RecordedKind(why=_UNFILTERED),
}
