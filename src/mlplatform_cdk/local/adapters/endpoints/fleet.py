"""The variants behind an endpoint: which servers run, each one's share of the traffic, how a new fleet comes up."""

from __future__ import annotations

import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import ServiceException
from moto.core.utils import utcnow

from mlplatform_cdk.local import settings
from mlplatform_cdk.local.adapters.endpoints import models
from mlplatform_cdk.local.adapters.endpoints.server import ModelServer, Place, ServerFailed
from mlplatform_cdk.local.log_shipping import LogShipper

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mlplatform_cdk.local.adapters.endpoints.models import ServedModel
    from mlplatform_cdk.local.adapters.sagemaker_api import Request, Scope

PATIENCE_SECONDS = 60
_TRAFFIC = {"InitialVariantWeight", "InitialInstanceCount"}


@dataclass(slots=True, eq=False)
class Variant:
    """One production variant.

    :param spec: its entry in the endpoint configuration.
    :param model: what it serves.
    :param server: the container; one, however many instances are asked for.
    :param weight: its share of the traffic.
    :param count: the instances that it says it has.
    :param shadow: whether it gets copies of requests, and nobody its answers.
    """

    spec: Request
    model: ServedModel
    server: ModelServer
    weight: float
    count: int
    since: datetime = field(default_factory=utcnow)
    shadow: bool = False

    def summary(self) -> dict[str, Any]:
        """Its entry in DescribeEndpoint; a weight of zero is said, too."""
        image = {"SpecifiedImage": self.model.image, "ResolvedImage": self.model.image, "ResolutionTime": self.since}
        kept = {name: self.spec[name] for name in ("ManagedInstanceScaling", "RoutingConfig") if name in self.spec}
        answer = kept | {
            "VariantName": self.spec["VariantName"],
            "DeployedImages": [image],
            "CurrentWeight": self.weight,
            "DesiredWeight": self.weight,
        }
        serverless = self.spec.get("ServerlessConfig")
        if serverless:
            return answer | {"CurrentServerlessConfig": serverless, "DesiredServerlessConfig": serverless}
        return answer | {"CurrentInstanceCount": self.count, "DesiredInstanceCount": self.count}

    def serves(self, spec: Request, model: ServedModel) -> bool:
        """Whether a variant of another configuration is this one, traffic apart."""
        return _without_traffic(spec) == _without_traffic(self.spec) and model == self.model


Fleet = dict[str, Variant]


class Deployment:
    """Starts what a configuration asks for, beside what runs.

    :param scope: the account and region.
    :param endpoint_name: for folders, logs and sentences.
    :param config: the endpoint configuration.
    :param running: the fleet in service, whose unchanged variants keep their process.
    """

    def __init__(self, scope: Scope, endpoint_name: str, config: Request, running: Fleet) -> None:
        self._scope = scope
        self._endpoint_name = endpoint_name
        self._config = config
        self._running = running
        self._started: list[ModelServer] = []

    def run(self, kept_weights: Mapping[str, float], kept_counts: Mapping[str, int]) -> Fleet:
        """The new fleet once all of it is healthy; raise ``ServerFailed`` and leave nothing behind otherwise.

        :param kept_weights: weights that win over the configuration's, by variant.
        :param kept_counts: instance counts that win, by variant.
        """
        fleet: Fleet = {}
        patience: dict[str, float] = {}
        shadows = self._config.get("ShadowProductionVariants") or []
        for spec in [*self._config["ProductionVariants"], *shadows]:
            name = spec["VariantName"]
            fleet[name] = self._variant(spec)
            fleet[name].shadow = spec in shadows
            fleet[name].weight = kept_weights.get(name, spec["InitialVariantWeight"])
            fleet[name].count = kept_counts.get(name, spec.get("InitialInstanceCount", 1))
            patience[name] = float(spec.get("ContainerStartupHealthCheckTimeoutInSeconds") or PATIENCE_SECONDS)
        new = [variant for variant in fleet.values() if variant.server in self._started]
        try:
            with ThreadPoolExecutor(max(1, len(new))) as pool:
                for _ in pool.map(lambda each: each.server.start(patience[each.spec["VariantName"]]), new):
                    continue
        except ServerFailed:
            self.cancel()
            raise
        return fleet

    def cancel(self) -> None:
        """Stop what was started here."""
        for server in self._started:
            server.stop()

    def _variant(self, spec: Request) -> Variant:
        try:
            model = models.find(self._scope, spec["ModelName"])
        except ServiceException as missing:
            raise ServerFailed(missing.message) from missing
        running = self._running.get(spec["VariantName"])
        if running is not None and running.serves(spec, model):
            return Variant(spec, model, running.server, running.weight, running.count, running.since)
        server = ModelServer(model, *self._place(spec["VariantName"]))
        self._started.append(server)
        return Variant(spec, model, server, 0.0, 1)

    def _place(self, variant: str) -> tuple[Place, LogShipper]:
        instance = f"i-{uuid.uuid4().hex[:17]}"
        scope, name = self._scope, self._endpoint_name
        folder = settings.current().state_dir / "sagemaker" / scope.region / "endpoint" / name / f"{variant}-{instance}"
        group, stream = f"/aws/sagemaker/Endpoints/{name}", f"{variant}/{instance}"
        shipper = LogShipper(scope.account, scope.region, group, stream, folder / "container.log")
        return Place(scope, folder, f"production variant {variant}"), shipper


def choose(fleet: Fleet, target: str | None) -> Variant | None:
    """The variant that answers one request: the one asked for, or one by weight."""
    answering = {name: variant for name, variant in fleet.items() if not variant.shadow}
    if target is not None:
        return answering.get(target)
    taking = [variant for variant in answering.values() if variant.weight > 0]
    if len(taking) <= 1:
        return taking[0] if taking else None
    return random.choices(taking, [variant.weight for variant in taking])[0]  # noqa: S311 - traffic, not secrets


def shadows_of(fleet: Fleet, variant: Variant) -> list[Variant]:
    """The shadows that get a copy of this request: so many of all as their weight is of the answering variant's."""
    shadows = [one for one in fleet.values() if one.shadow and one.weight > 0]
    return [one for one in shadows if random.random() * variant.weight < one.weight]  # noqa: S311 - traffic, not secrets


def _without_traffic(spec: Request) -> Request:
    return {name: value for name, value in spec.items() if name not in _TRAFFIC}
