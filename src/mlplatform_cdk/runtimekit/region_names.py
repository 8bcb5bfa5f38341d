"""Which names of regions exist, by a resolver: a region that is lost still has its name."""

import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, wait

_PATIENCE_S = 3.0
_HTTPS = 443


def existing(names: Iterable[str]) -> frozenset[str]:
    """Those of ``names`` that a resolver finds within three seconds; all are asked for at once."""
    wanted = [*names]
    pool = ThreadPoolExecutor(max_workers=max(1, len(wanted)))
    asked = {pool.submit(_exists, name): name for name in wanted}
    done, _ = wait(asked, timeout=_PATIENCE_S)
    pool.shutdown(wait=False)
    return frozenset(asked[one] for one in done if one.result())


def regions_beside(region: str) -> list[str]:
    """All regions of the partition of ``region`` that have SageMaker, as far as the installed boto3 knows."""
    import boto3  # an asset must boot without boto3

    session = boto3.Session()
    partition = session.get_partition_for_region(region)
    found: list[str] = session.get_available_regions("sagemaker", partition_name=partition)
    return found


def _exists(name: str) -> bool:
    try:
        socket.getaddrinfo(name, _HTTPS, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return True
