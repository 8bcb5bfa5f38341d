"""Whether another region would take the callers: asked by the regions' own names, as every region's probe asks."""

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait

_PATIENCE_S = 5.0
_HTTPS = 443
_IN_SERVICE = "in-service"


def look(events: Mapping[str, str], _context: object) -> dict[str, str]:
    """The other regions that are in service, and the time in milliseconds.

    :param events: ``Region``, ``Names`` (a region's own name, with ``{region}`` in its place) and ``EvenTheLast``.
    :raises RuntimeError: when there is none, unless ``EvenTheLast`` is ``yes``.
    """
    here = events["Region"]
    others = [one for one in _regions_beside(here) if one != here]
    serving = sorted(_serving(events["Names"], others))
    if not serving and events["EvenTheLast"] != "yes":
        raise RuntimeError(
            f"another region must be in service, and none is: {here} is the last; EvenTheLast=yes drains it"
        )
    return {"Serving": ", ".join(serving) or "none", "At": str(int(time.time() * 1000))}


def _regions_beside(region: str) -> list[str]:
    import boto3

    session = boto3.Session()
    partition = session.get_partition_for_region(region)
    found: list[str] = session.get_available_regions("sagemaker", partition_name=partition)
    return found


def _serving(names: str, regions: Iterable[str]) -> Iterator[str]:
    """All are asked at once; one that does not answer in time is as if it were lost."""
    asked = {region: names.replace("{region}", region) for region in regions}
    pool = ThreadPoolExecutor(max_workers=max(1, len(asked)))
    answers = {pool.submit(_is_serving, name): region for region, name in asked.items()}
    done, _ = wait(answers, timeout=_PATIENCE_S)
    pool.shutdown(wait=False)
    yield from (answers[one] for one in done if one.result())


def _is_serving(name: str) -> bool:
    """A region that is no region of ours has no name; one that is lost does not answer."""
    try:
        socket.getaddrinfo(name, _HTTPS, type=socket.SOCK_STREAM)
        with urllib.request.urlopen(f"https://{name}/health", timeout=_PATIENCE_S) as answer:
            return bool(json.loads(answer.read()).get("status") == _IN_SERVICE)
    except (OSError, ValueError, urllib.error.URLError):
        return False
