"""What stands between an app and its callers: APIs, load balancers, web ACLs, zones and certificates."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.lines import Charge, Free, Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.cost.resources import Resource

_PAID_RULES = re.compile(r"AWSManagedRules(BotControl|ATP|ACFP|AntiDDoS)RuleSet")
_ONE, _MILLION = Decimal(1), Decimal(1_000_000)


def _rest_api(api: Resource) -> Iterator[Charge]:
    yield _requests(api, "REST", "apigateway.rest-request")


def _api(api: Resource) -> Iterator[Charge | Unseen]:
    protocol = api.get("ProtocolType", default="HTTP")
    if protocol == "HTTP":
        yield _requests(api, "HTTP", "apigateway.http-request")
    else:
        yield Unseen(f"the price of messages and connections of an API of the protocol {protocol}")


def _requests(api: Resource, kind: str, item: str) -> Charge:
    return Charge(
        what=f"requests to the {kind} API",
        item=item,
        quantity=api.use("api_requests"),
        per=f"million requests to {kind} APIs",
        units_per=_MILLION,
    )


def _stage(stage: Resource) -> Iterator[Free | Unseen]:
    if stage.get("CacheClusterEnabled", default=False) in (True, "true"):
        yield Unseen("the cache of a stage of an API")
    else:
        yield Free("parts of an API cost nothing; its requests do")


def _load_balancer(balancer: Resource) -> Iterator[Charge | Unseen]:
    kind = balancer.get("Type", default="application")
    if kind not in ("application", "network"):
        yield Unseen(f"the price of a load balancer of the type {kind}")
        return
    hours = balancer.usage.hours
    yield Charge(what=f"{kind} load balancer", item=f"elb.{kind}-hour", quantity=hours)
    yield Charge(
        what=f"capacity of the {kind} load balancer",
        item=f"elb.{kind}-lcu-hour",
        quantity=balancer.use("load_balancer_units") * hours,
        per="load balancer capacity unit and hour",
    )


def _web_acl(acl: Resource) -> Iterator[Charge | Unseen]:
    rules = acl.get("Rules", default=[])
    count = Decimal(len(rules)) if isinstance(rules, list) else None
    yield Charge(what="web ACL", item="waf.acl-month", quantity=_ONE)
    yield Charge(what=f"rules of the web ACL: {count or 'none told'}", item="waf.rule-month", quantity=count)
    yield Charge(
        what="requests through the web ACL",
        item="waf.request",
        quantity=acl.use("web_requests"),
        per="million requests through web ACLs",
        units_per=_MILLION,
    )
    for rule in acl.mappings("Rules"):
        group = (rule.get("Statement") or {}).get("ManagedRuleGroupStatement") or {}
        if group and (group.get("VendorName") != "AWS" or _PAID_RULES.fullmatch(str(group.get("Name")))):
            yield Unseen(f"the subscription and requests of the rule group {group.get('Name')}")


def _zone(_: Resource) -> Iterator[Charge | Unseen]:
    yield Charge(what="hosted zone", item="route53.zone-month", quantity=_ONE)
    yield Unseen("the queries to a hosted zone")


def _certificate(certificate: Resource) -> Iterator[Free | Unseen]:
    private = certificate.get("CertificateAuthorityArn", default="") != ""
    exported = certificate.get("CertificateExport", default="DISABLED") != "DISABLED"
    if private or exported:
        yield Unseen("the price of a private or exported certificate")
    else:
        yield Free("public certificates that stay in AWS cost nothing")


PRICED = {
    "AWS::ApiGateway::RestApi": _rest_api,
    "AWS::ApiGateway::Stage": _stage,
    "AWS::ApiGatewayV2::Api": _api,
    "AWS::CertificateManager::Certificate": _certificate,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": _load_balancer,
    "AWS::Route53::HostedZone": _zone,
    "AWS::WAFv2::WebACL": _web_acl,
}
