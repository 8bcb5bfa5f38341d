"""What stands between an app and its callers: APIs, load balancers, web ACLs, zones, health checks, certificates."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.lines import Charge, Free, Unseen
from mlplatform_cdk.assembly.cost.usage import OUTSIDE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlplatform_cdk.assembly.cost.resources import Resource

_CHECKED = ("HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH", "TCP")
_PAID_RULES = re.compile(r"AWSManagedRules(BotControl|ATP|ACFP|AntiDDoS)RuleSet")
_FAST_S = Decimal(10)  # the shorter of the two intervals between checks
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


def _health_check(check: Resource) -> Iterator[Charge | Unseen]:
    """Checks of other checks and of alarms cost as much as those of an endpoint in the account.

    Source: https://github.com/OneUptime/blog/blob/0a2e873b9b11e1cc1ea18cb11ea316093a9a73c6/posts/2026-02-12-route-53-health-checks/README.md
    """
    kind = check.get("HealthCheckConfig", "Type")
    if kind in ("CALCULATED", "CLOUDWATCH_METRIC"):
        of = "other checks" if kind == "CALCULATED" else "an alarm"
        yield Charge(what=f"health check of {of}", item="route53.check-month", quantity=_ONE)
        return
    if kind not in _CHECKED:
        yield Unseen(f"the price of a health check of the type {kind or 'that deployment decides'}")
        return
    features = _features(check, kind)
    named = ", ".join(features) or "no paid feature"
    outside = check.use(OUTSIDE)
    for share, prefix, where in (
        (_ONE - outside, "route53.check", "in the account"),
        (outside, "route53.outside-check", "outside"),
    ):
        if share > 0:
            what = f"health check of an endpoint {where}"
            yield Charge(what=what, item=f"{prefix}-month", quantity=share)
            yield Charge(
                what=f"features of the {what}: {named}",
                item=f"{prefix}-feature-month",
                quantity=None if "an open interval" in features else share * len(features),
            )


def _features(check: Resource, kind: str) -> list[str]:
    """What a check of an endpoint pays for one by one."""
    interval = check.number("HealthCheckConfig", "RequestInterval", default=30)
    latency = check.get("HealthCheckConfig", "MeasureLatency", default=False)
    return [
        name
        for name, has in (
            ("HTTPS", kind.startswith("HTTPS")),
            ("string matching", kind.endswith("STR_MATCH")),
            ("fast interval", interval is not None and interval <= _FAST_S),
            ("an open interval", interval is None),
            ("latency", latency in (True, "true")),
        )
        if has
    ]


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
    "AWS::Route53::HealthCheck": _health_check,
    "AWS::Route53::HostedZone": _zone,
    "AWS::WAFv2::WebACL": _web_acl,
}
