"""Which regions there are: those whose names exist.

No region's template names another, so that one more region changes none of the others. Each region's stack writes the
record of its own name into the zone, and all of these names differ by the region alone.
"""

import time
from collections.abc import Callable, Iterable, Mapping

from mlplatform_cdk.runtimekit.region_names import existing

_AGAIN_AFTER_S = 300.0


class Names:
    """The addresses of the regions' own APIs.

    :param pattern: of a region's own name, such as ``{region}.models.example.com``.
    :param own: this region.
    :param candidates: the regions that there may be.
    :param at: where names answer that no resolver knows, as in a rehearsal; empty: a resolver is asked.
    :param clock: seconds that never go back; default: this machine's.
    """

    def __init__(
        self,
        pattern: str,
        own: str,
        candidates: Iterable[str],
        *,
        at: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pattern, self._at, self._clock = pattern, dict(at or {}), clock
        self._candidates = {region: self._name(region) for region in candidates if region != own}
        self._own = self._name(own)
        self._found: dict[str, str] = {}
        self._looked_at: float | None = None

    @property
    def own_url(self) -> str:
        """This region's own API."""
        return f"https://{self._own}"

    def others(self) -> Mapping[str, str]:
        """The addresses of the other regions' APIs; names are looked up again every five minutes.

        A name that was found before, and is not found now, stays: a resolver that fails makes no region go.
        """
        now = self._clock()
        if self._looked_at is None or now - self._looked_at >= _AGAIN_AFTER_S:
            self._looked_at = now
            self._found |= {region: f"https://{self._candidates[region]}" for region in self._existing()}
        return self._found

    def _existing(self) -> Iterable[str]:
        if self._at:
            return [region for region, name in self._candidates.items() if name in self._at]
        found = existing(self._candidates.values())
        return [region for region, name in self._candidates.items() if name in found]

    def _name(self, region: str) -> str:
        return self._pattern.format(region=region)
