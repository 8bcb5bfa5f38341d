"""Valkey's client, or Redis's, for one server or for a cluster: which one it is, the server says."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import Any

from valkey import Valkey
from valkey.backoff import NoBackoff
from valkey.cluster import ValkeyCluster
from valkey.exceptions import ResponseError
from valkey.retry import Retry

_OF_CLUSTERS = ("MOVED ", "CROSSSLOT ")  # https://valkey.io/topics/cluster-spec/: errors of their servers alone


class Client:
    """What ``SharedCache`` needs of the server at ``url``; nothing is sent before the first command.

    A server of a cluster, as ElastiCache has them (serverless ones, too), answers to names that it does not hold with
    where they are, and refuses names of several slots at once; from then on its cluster is asked, all of it.

    :param url: such as ``valkey://host:6379``; with TLS, ``valkeys://…``.
    :param patience: seconds that a connection, and an answer, may take.
    :param connections: the most to each server.
    :raises ValueError: when ``url`` is none of a server.
    """

    def __init__(self, url: str, *, patience: float, connections: int) -> None:
        self._url = url
        self._options: dict[str, Any] = {
            "socket_timeout": patience,
            "socket_connect_timeout": patience,
            "retry": Retry(NoBackoff(), 0),
            "max_connections": connections,
        }
        self._server: Any = Valkey.from_url(url, **self._options)
        self._cluster: Any = None
        self._lock = Lock()

    def get(self, name: str) -> Any:
        """The value of ``name``, or ``None``."""
        return self._ask(lambda client: client.get(name))

    def mget(self, names: Sequence[str]) -> Any:
        """The values of ``names``, each or ``None``."""
        return self._ask(
            lambda client: client.mget_nonatomic(names) if isinstance(client, ValkeyCluster) else client.mget(names)
        )

    def set(self, name: str, value: bytes, *, px: int) -> None:
        """Keep ``value`` for ``px`` milliseconds."""
        self._ask(lambda client: client.set(name, value, px=px))

    def close(self) -> None:
        """End all connections."""
        self._server.close()
        if self._cluster is not None:
            self._cluster.close()

    def _ask(self, command: Callable[[Any], Any]) -> Any:
        cluster = self._cluster
        if cluster is None:
            try:
                return command(self._server)
            except ResponseError as error:
                if not str(error).startswith(_OF_CLUSTERS):
                    raise
                cluster = self._found()
        try:
            return command(cluster)
        except Exception:
            # The client of a cluster forgets servers that fail, in the end the last one: it is found anew by the URL.
            self._cluster = None
            raise

    def _found(self) -> Any:
        with self._lock:
            if self._cluster is None:
                self._cluster = ValkeyCluster.from_url(  # type: ignore[no-untyped-call]
                    self._url, cluster_error_retry_attempts=0, **self._options
                )
            return self._cluster
