"""A rehearsal of regions, from their deployment to the last outcome."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.credentials import Credentials

from mlplatform_cdk.local.rehearsal import model
from mlplatform_cdk.local.rehearsal.people import NothingHappened, until
from mlplatform_cdk.local.rehearsal.regions import bad_version
from mlplatform_cdk.local.rehearsal.regions.calls import Asks, ByClient, ByName, Load
from mlplatform_cdk.local.rehearsal.regions.findings import IN_SERVICE, Facts, judge
from mlplatform_cdk.local.rehearsal.regions.names import DOMAIN
from mlplatform_cdk.local.rehearsal.regions.report import Outcome
from mlplatform_cdk.local.rehearsal.regions.scenarios import BAD_VERSION
from mlplatform_cdk.local.rehearsal.regions.watching import Watch
from mlplatform_cdk.local.rehearsal.regions.world import SETTLES_S, Region
from mlplatform_cdk.local.resolver.records import ALIAS_TTL_S, Caller
from mlplatform_cdk.local.resolver.resolver import CachingResolver
from mlplatform_cdk.local.settings import HOST
from mlplatform_cdk.runtimekit.client import Breaking, Iam, RegionClient, Watching
from mlplatform_cdk.runtimekit.client.http_wire import HttpWire

if TYPE_CHECKING:
    from mlplatform_cdk.local.rehearsal.regions.faults import Fronts
    from mlplatform_cdk.local.rehearsal.regions.scenarios import Scenario
    from mlplatform_cdk.local.resolver.resolver import Resolver

QUIET_SECONDS = 4.0  # of calls before the fault begins, and after the last change
PATIENCE_SECONDS = 120.0
NETWORKS = 12  # of callers by DNS near each region; their resolvers ask again one after the other


@dataclass(slots=True, kw_only=True)
class RegionsRehearsal:
    """The scenarios, one after the other; the first region is the one that is struck.

    :param regions: the deployed regions, with their probes running.
    :param fronts: what is done to them.
    :param resolver: Route 53.
    :param rate: calls a second, of all callers together.
    :param interval_s: of the probes, as it passes here.
    :param factor: how many seconds a second takes.
    :param tell: told what happens.
    """

    regions: Sequence[Region]
    fronts: Fronts
    resolver: Resolver
    rate: float
    interval_s: float
    factor: float
    tell: Callable[[str], None]
    _homes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._homes = {
            one["regionalDomainName"]: region.name
            for region in self.regions
            for one in region.aws.client("apigateway").get_domain_names()["items"]
        }

    @property
    def ttl_s(self) -> float:
        """Of the one name, whose records are aliases."""
        return ALIAS_TTL_S * self.factor

    def run(self, scenarios: Sequence[Scenario]) -> Iterator[Outcome]:
        """What came of each, as soon as it is known."""
        # What the client helper says of regions is in the report, and stdout is the report's.
        logging.getLogger("mlplatform.region-client").setLevel(logging.ERROR)
        for scenario in scenarios:
            self.tell(f"{scenario.title}: all regions begin as ones that never left")
            for region in self.regions:
                self.fronts.restore(region.name)
                region.shrink()
                region.forget()
            try:
                yield self._version(scenario) if scenario.name == BAD_VERSION else self._scenario(scenario)
            except NothingHappened as problem:
                yield Outcome(name=scenario.name, title=scenario.title, held=False, problems=(str(problem),))

    def leads(self, near: str) -> str:
        """The region to which the name leads now for callers near one."""
        values = self.resolver.answer(DOMAIN, Caller(nearest=(near,))).values
        return self._homes.get(values[0], "") if values else ""

    def _scenario(self, scenario: Scenario) -> Outcome:
        regions = {one.name: one for one in self.regions}
        victim, survivor = regions
        with Watch(regions, self.leads) as watch:
            self._rest(scenario, watch)
            began = time.time()
            with Load(self._callers(), _question(), rate=self.rate) as load:
                right = until(lambda: next((one.text for one in load.so_far() if one.answered), None), "an answer")
                struck, restored = self._strike(scenario, watch, victim, survivor)
        facts = Facts(
            scenario=scenario,
            victim=victim,
            survivor=survivor,
            struck=struck,
            restored=restored,
            began=began,
            calls=load.so_far(),
            right=right,
            seen=watch.seen(),
            interval_s=self.interval_s,
            ttl_s=self.ttl_s,
        )
        return judge(facts)

    def _version(self, scenario: Scenario) -> Outcome:
        """Nothing happens to a region here, but to what all of them serve."""
        regions = {one.name: one for one in self.regions}
        with Watch(regions, self.leads) as watch:
            self._rest(scenario, watch)
            load = Load(self._callers(), _question(), rate=self.rate)
            facts = bad_version.run(scenario, self.regions, self.fronts, watch, load, self.tell)
        return bad_version.judge(bad_version.VersionFacts(scenario=scenario, interval_s=self.interval_s, **facts))

    def _strike(self, scenario: Scenario, watch: Watch, victim: str, survivor: str) -> tuple[float, float]:
        """Let the fault begin and end, each until callers have followed: when it began, and when it ended."""
        assert scenario.name != BAD_VERSION
        time.sleep(QUIET_SECONDS)
        at_rest = watch.instances(survivor)
        struck = time.time()
        self.fronts.strike(victim, scenario.name)
        self.tell(f"{scenario.title}: struck")
        _wait(lambda: watch.name(victim) == survivor)
        _wait(lambda: watch.status(victim) != IN_SERVICE)
        time.sleep(self.ttl_s + QUIET_SECONDS)
        _wait(lambda: watch.instances(survivor) > at_rest)
        time.sleep(QUIET_SECONDS)
        restored = time.time()
        self.fronts.restore(victim)
        self.tell(f"{scenario.title}: restored")
        _wait(lambda: watch.name(victim) == victim)
        time.sleep(self.ttl_s + QUIET_SECONDS)
        return struck, restored

    def _rest(self, scenario: Scenario, watch: Watch) -> None:
        """Wait until all regions are in service for their probes and for Route 53, and at rest if need be."""
        names = [one.name for one in self.regions]

        def is_well() -> bool:
            healthy = self.resolver.all_healthy()
            return healthy and all(watch.status(name) == IN_SERVICE and watch.name(name) == name for name in names)

        time.sleep(self.interval_s)  # what was forgotten is a stale verdict first
        until(is_well, "all regions in service", seconds=PATIENCE_SECONDS)
        if scenario.needs_rest:
            self.tell(f"{scenario.title}: three minutes of rest, by the rehearsal's clock")
            time.sleep(SETTLES_S * self.factor + self.interval_s)

    def _callers(self) -> list[Asks]:
        """Near each region: callers with the helper, and callers by DNS alone."""
        account = self.regions[0].settings.account
        credentials = Credentials(account, "embedded")
        ports = {name: (HOST, port) for name, port in self.fronts.ports.items()}
        made: list[Asks] = []
        for region in self.regions:
            here = Caller(nearest=(region.name,))
            caches = [CachingResolver(self.resolver, here, age=place / NETWORKS) for place in range(NETWORKS)]
            made += [
                ByClient(self._client(region.name, credentials), region.name),
                ByName(caches, DOMAIN, region.name, regions=self._homes, ports=ports, credentials=credentials),
            ]
        return made

    def _client(self, near: str, credentials: Credentials) -> RegionClient:
        """The helper, its own times by the rehearsal's clock as everything else's."""
        names = {region: f"{region}.{DOMAIN}" for region in self.fronts.ports}
        leads_to = {name: f"{HOST}:{self.fronts.ports[region]}" for region, name in names.items()}
        slow, default = self.factor, Breaking()
        times: dict[str, Any] = {
            one: getattr(default, one) * slow for one in ("window_s", "rest_s", "longest_rest_s", "return_s")
        }
        return RegionClient(
            {region: f"http://{name}" for region, name in names.items()},
            authorization=Iam(credentials),
            prefer=[near],
            breaking=Breaking(**times),
            watching=Watching(every_s=max(1.0, Watching().every_s * slow)),
            wire=HttpWire(leads_to=leads_to),
        )


def _question() -> bytes:
    return json.dumps(model.make("question").manifest.golden_requests[0].body()).encode()


def _wait(seen: Callable[[], bool]) -> None:
    """Until it is so, or patience ends: what did not happen is a finding."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not seen() and time.monotonic() < end:
        time.sleep(0.05)
