"""Runs every minute, for more than a minute: the run that begins takes over from the one before it."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from mlplatform_cdk.routing.health_probe.runtime import metrics, sending
from mlplatform_cdk.routing.health_probe.runtime.names import Names
from mlplatform_cdk.routing.health_probe.runtime.probe import Probe, Round
from mlplatform_cdk.routing.health_probe.runtime.row import VerdictRow
from mlplatform_cdk.routing.health_probe.runtime.tokens import Tokens
from mlplatform_cdk.routing.health_probe.runtime.versions import Versions
from mlplatform_cdk.routing.health_probe.runtime.watch import Watch
from mlplatform_cdk.runtimekit import aws, logs, settings
from mlplatform_cdk.runtimekit.region_health import HealthRules, RegionHealth, Verdict
from mlplatform_cdk.runtimekit.region_names import regions_beside

# Longer than a minute, so that one late or lost event leaves no gap.
_LASTS_S = 100.0
_LONGEST_S = 840.0


def handle(event: Mapping[str, Any], context: Any) -> dict[str, int]:
    """Watch the region; ``{"seconds": 5}`` watches for so long, for a test."""
    endpoint, table = settings.required("ENDPOINT_NAME"), settings.required("VERDICT_TABLE")
    lasts_s = min(float(event.get("seconds", _LASTS_S)), _LONGEST_S)
    watch = Watch(
        probe=_probe(),
        row=VerdictRow(table, endpoint, runner=context.aws_request_id),
        core=RegionHealth(_rules()),
        tell=_tell,
    )
    return {"published": watch.run(lasts_s)}


@cache
def _probe() -> Probe:
    """The probe of the environment, with its open connections and what it knows of versions."""
    rules, region = _rules(), settings.required("AWS_REGION")
    at: dict[str, str] = json.loads(settings.optional("NAMES_AT", "{}"))
    names = Names(settings.required("REGIONAL_NAMES"), region, regions_beside(region), at=at)
    sender = sending.Sender(rules.timeout_ms / 1000, at=at)
    return Probe(
        url=names.own_url,
        others=names.others,
        authorize=_authorize(region, sender),
        sender=sender,
        versions=Versions(settings.required("ENDPOINT_NAME"), settings.optional("MANIFEST_URI")),
        overhead_ms=settings.number("OVERHEAD_MS", 250, least=0),
        timeout_ms=rules.timeout_ms,
    )


def _authorize(region: str, sender: sending.Sender) -> sending.Authorize:
    secret = settings.optional("TOKEN_SECRET")
    if secret:
        return Tokens(
            secret=secret,
            url=settings.required("TOKEN_URL"),
            scopes=settings.optional("TOKEN_SCOPES"),
            audience=settings.optional("TOKEN_AUDIENCE"),
            scheme=settings.optional("TOKEN_SCHEME"),
            sender=sender,
        )
    key_id = settings.optional("API_KEY_ID")
    if not key_id:
        return sending.signature(region)
    found = aws.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)
    return sending.key(found["value"])


def _rules() -> HealthRules:
    default = HealthRules()
    return HealthRules(
        interval_ms=round(1000 * settings.number("INTERVAL_S", default.interval_ms / 1000, least=0.1)),
        unhealthy_after=int(settings.number("UNHEALTHY_AFTER", default.unhealthy_after, least=1)),
        healthy_after=int(settings.number("HEALTHY_AFTER", default.healthy_after, least=1)),
        settles_ms=round(1000 * settings.number("SETTLES_S", default.settles_ms / 1000, least=0)),
    )


def _tell(verdict: Verdict, saw: Round, now_ms: int) -> None:
    domain, region = settings.required("DOMAIN_NAME"), settings.required("AWS_REGION")
    others = sum(peer.in_service for peer in saw.peers) if saw.others else None
    told = metrics.line(
        verdict, saw.latencies_ms, domain=domain, region=region, now_ms=now_ms, others_in_service=others
    )
    logs.write(told)
