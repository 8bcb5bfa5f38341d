"""The rehearsal's app, deployed and ready: a zone, regions with a model, Route 53, probes on their schedules."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.synthesize import node_environment
from mlplatform_cdk.local import deploy
from mlplatform_cdk.local.administrator import Administrator
from mlplatform_cdk.local.rehearsal.people import NothingHappened
from mlplatform_cdk.local.rehearsal.regions.faults import Fronts
from mlplatform_cdk.local.rehearsal.regions.names import DOMAIN, REGIONS, ZONE
from mlplatform_cdk.local.rehearsal.regions.rehearse import RegionsRehearsal
from mlplatform_cdk.local.rehearsal.regions.world import MINUTE_S, Region, Schedules, release_everywhere
from mlplatform_cdk.local.resolver.resolver import Resolver
from mlplatform_cdk.local.settings import HOST

if TYPE_CHECKING:
    from pathlib import Path

    from mlplatform_cdk.local.settings import Settings

OURS = "mlplatform_cdk.local.rehearsal.regions.app"
DEFAULT_FACTOR = 0.2


@contextmanager
def deployed(
    settings: Settings, folder: Path, *, rate: float, factor: float, tell: Callable[[str], None]
) -> Iterator[RegionsRehearsal]:
    """The rehearsal of the app, for the block.

    :param settings: of an embedded AWS that runs, with nothing deployed.
    :param folder: empty, for the assembly and for the switches of the model.
    :param rate: calls a second.
    :param factor: how many seconds a second takes.
    :param tell: told what happens.
    """
    aws = Administrator(settings)
    zone_id = _zone(aws)
    tell("synthesizing …")
    assembly = _synthesized(folder / "cdk.out", zone_id, _for_one_instance(rate, factor))
    tell("deploying …")
    deploy.deploy(read(assembly), settings, on_event=lambda event: tell(f"{event.stack} {event.logical_id}"))
    (folder / "faults").mkdir()
    fronts = Fronts(settings, folder / "faults")
    ports = {f"{region}.{DOMAIN}": port for region, port in fronts.look().items()}
    regions = [Region(name, settings) for name in REGIONS]
    tell("releasing a model in every region …")
    release_everywhere(regions, fronts.model())
    at = {name: f"http://{HOST}:{port}" for name, port in ports.items()}
    interval_s = max(one.compress(at, factor) for one in regions)

    def reach(name: str) -> tuple[str, int] | None:
        return (HOST, ports[name]) if name in ports else None

    with Schedules(regions, factor), Resolver(aws, zone_id, reach=reach, clock_factor=factor) as resolver:
        yield RegionsRehearsal(
            regions=regions,
            fronts=fronts,
            resolver=resolver,
            rate=rate,
            interval_s=interval_s,
            factor=factor,
            tell=tell,
        )


def sentence(factor: float) -> str:
    """What a factor means, for the report."""
    return (
        f"A second took {factor:g} s: the probe's interval was {10 * factor:g} s instead of 10, the name's time to "
        f"live {60 * factor:g} s instead of 60. Seconds in this report are those that passed."
    )


def _zone(aws: Administrator) -> str:
    made = aws.client("route53").create_hosted_zone(Name=ZONE, CallerReference="rehearsal")
    return str(made["HostedZone"]["Id"].rpartition("/")[2])


def _for_one_instance(rate: float, factor: float) -> int:
    """The requests in a minute beyond which a region scales: its part of the calls is below it, twice that above."""
    minute_s, probes = MINUTE_S * factor, 3 * MINUTE_S / 10
    return round(1.4 * (rate / len(REGIONS) * minute_s + probes))


def _synthesized(folder: Path, zone_id: str, invocations_per_minute: int) -> Path:
    """By a process of its own: Node is not needed after it."""
    ended = subprocess.run(
        [sys.executable, "-m", OURS, str(folder), zone_id, str(invocations_per_minute)],
        env={**os.environ, **node_environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise NothingHappened(f"the rehearsal's own app could not be synthesized: {ended.stderr.strip()}")
    return folder
