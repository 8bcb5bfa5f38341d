"""What changes while a scenario runs: the regions' verdicts and instances, and where the name leads."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from mlplatform_cdk.local.rehearsal.regions.findings import Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from mlplatform_cdk.local.rehearsal.regions.world import Region

LOOK_SECONDS = 0.1
COUNT_LOOKS = 10  # of which one asks for the instances, too
STALE = "stale"


class Watch:
    """Looks ten times a second, for the block; at instances once.

    :param regions: whose verdicts.
    :param leads: to which region the name leads now for a caller near one; empty: to none.
    """

    def __init__(self, regions: Mapping[str, Region], leads: Callable[[str], str]) -> None:
        self._regions, self._leads = regions, leads
        self._seen: list[Seen] = []
        self._now: dict[tuple[str, str], str] = {}
        self._looks = itertools.count()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> Self:
        """Begin to look."""
        self._look()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def seen(self) -> tuple[Seen, ...]:
        """What has changed until now, in order; what was so at the beginning is the first."""
        return tuple(self._seen)

    def status(self, region: str) -> str:
        """A region's verdict."""
        return self._now.get(("verdict", region), "")

    def name(self, near: str) -> str:
        """Where the name leads for callers near a region."""
        return self._now.get(("name", near), "")

    def instances(self, region: str) -> int:
        """How many instances a region's endpoint has."""
        return int(self._now.get(("instances", region), "0"))

    def _run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self._look()

    def _look(self) -> None:
        counts = next(self._looks) % COUNT_LOOKS == 0
        for name, region in self._regions.items():
            row = region.row()
            self._keep("verdict", name, _status(row))
            self._keep("bad version", name, row.get("bad_version", {}).get("S", ""))
            self._keep("name", name, self._leads(name))
            if counts:
                self._keep("instances", name, str(region.instances()))

    def _keep(self, what: str, region: str, value: str) -> None:
        if self._now.get((what, region), "" if what == "bad version" else None) != value:
            self._now[what, region] = value
            self._seen.append(Seen(at=time.time(), what=what, region=region, value=value))


def _status(row: Mapping[str, Any]) -> str:
    """As ``/health`` would say it: a verdict whose time is over is none."""
    valid_until = float(row.get("valid_until", {}).get("N", 0))
    if valid_until <= time.time() * 1000:
        return STALE
    return str(row["status"]["S"])
