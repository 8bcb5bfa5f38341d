"""Token buckets of stages and usage plans: a bucket holds the burst, and is filled at the rate."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.apigateway.models import apigateway_backends

from mlplatform_cdk.local.adapters.api_gateway.exchange import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlplatform_cdk.local.adapters.api_gateway.exchange import Deployed, Exchange


@dataclass(slots=True)
class Bucket:
    """Tokens, as of some moment."""

    tokens: float
    at: float


class Buckets:
    """All buckets, by what they meter.

    :param clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, ...], Bucket] = {}
        self._lock = threading.Lock()

    def take(self, key: tuple[str, ...], *, rate: float, burst: float) -> bool:
        """Whether there was a token left, which is gone then."""
        with self._lock:
            now = self._clock()
            bucket = self._buckets.setdefault(key, Bucket(burst, now))
            bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * rate)
            bucket.at = now
            if bucket.tokens < 1:
                return False
            bucket.tokens -= 1
            return True


BUCKETS = Buckets()


def throttle_stage(exchange: Exchange, buckets: Buckets = BUCKETS) -> None:
    """Refuse what comes faster than the stage's settings of this method, or of all."""
    deployed = exchange.deployed
    settings = _settings(deployed)
    if "throttlingRateLimit" not in settings:
        return
    key = (deployed.account, deployed.region, deployed.api.id, deployed.stage.name, deployed.resource.id, exchange.verb)
    rate, burst = float(settings["throttlingRateLimit"]), float(settings.get("throttlingBurstLimit", 5000))
    if not buckets.take(key, rate=rate, burst=burst):
        raise Refusal(429, "Too Many Requests", "TooManyRequestsException")


def _settings(deployed: Deployed) -> Mapping[str, Any]:
    """Those of the method, or those of all methods; in a path, a slash is ``~1``."""
    path = deployed.resource.get_path().replace("/", "~1")
    given = deployed.stage.method_settings
    found: Mapping[str, Any] = given.get(f"{path}/{deployed.method.http_method}") or given.get("*/*") or {}
    return found


def check_key(exchange: Exchange, buckets: Buckets = BUCKETS) -> None:
    """Refuse a call without a key of a usage plan of this stage, or one that comes faster than its plan."""
    deployed = exchange.deployed
    backend = apigateway_backends[deployed.account][deployed.region]
    given = exchange.headers.get("x-api-key", "")
    key = next((one for one in list(backend.keys.values()) if given and one.value == given and one.enabled), None)
    plans = [] if key is None else [one for one in backend.get_usage_plans(key.id) if _is_for(one, deployed)]
    if key is None or not plans:
        raise Refusal(403, "Forbidden", "ForbiddenException")
    exchange.context["identity"] |= {"apiKey": key.value, "apiKeyId": key.id}
    throttle = plans[0].throttle
    if throttle and not buckets.take(
        (plans[0].id, key.id), rate=float(throttle["rateLimit"]), burst=float(throttle["burstLimit"])
    ):
        raise Refusal(429, "Too Many Requests", "TooManyRequestsException")


def _is_for(plan: Any, deployed: Deployed) -> bool:
    return any(one["apiId"] == deployed.api.id and one["stage"] == deployed.stage.name for one in plan.api_stages)
