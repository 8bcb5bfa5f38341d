"""Which regions there are: those whose names exist.

No region's template names another, so that one more region changes none of the others. Each region's stack writes the
record of its own name into the zone, and all of these names differ by the region alone.
"""

import socket
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait

_AGAIN_AFTER_S = 300.0
_PATIENCE_S = 3.0
_HTTPS = 443


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
        pool = ThreadPoolExecutor(max_workers=max(1, len(self._candidates)))
        asked = {pool.submit(_exists, name): region for region, name in self._candidates.items()}
        done, _ = wait(asked, timeout=_PATIENCE_S)
        pool.shutdown(wait=False)
        return [asked[one] for one in done if one.result()]

    def _name(self, region: str) -> str:
        return self._pattern.format(region=region)


def _exists(name: str) -> bool:
    try:
        socket.getaddrinfo(name, _HTTPS, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return True


def regions_beside(region: str) -> list[str]:
    """All regions of the partition of ``region`` that have SageMaker, as far as the installed boto3 knows."""
    import boto3  # an asset must boot without boto3

    session = boto3.Session()
    partition = session.get_partition_for_region(region)
    found: list[str] = session.get_available_regions("sagemaker", partition_name=partition)
    return found
