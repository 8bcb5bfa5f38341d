"""Callers of the one name, at a steady rate: some with the client helper, some by DNS alone; each call written down."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, Self

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from mlplatform_cdk.runtimekit.client import CallFailed, CallRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from botocore.credentials import Credentials

    from mlplatform_cdk.local.resolver.resolver import CachingResolver
    from mlplatform_cdk.runtimekit.client import RegionClient

How = Literal["client", "plain"]

OK = 200
TIMEOUT_SECONDS = 5.0
_THREADS = 6
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call.

    :param how: with the client helper, or by DNS alone.
    :param near: the region that is nearest to the caller.
    :param sent: when, in seconds since 1970.
    :param seconds: until the whole answer was there.
    :param region: that answered, or was asked last; empty: none.
    :param answered: whether there was an answer.
    :param text: the answer, or what went wrong.
    """

    how: How
    near: str
    sent: float
    seconds: float
    region: str
    answered: bool
    text: str


class Asks(Protocol):
    """A way to call."""

    how: How
    near: str

    def ask(self, body: bytes) -> tuple[str, bool, str]:
        """The region, whether it answered, and what."""


class ByClient:
    """Calls by ``RegionClient``.

    :param client: of this caller.
    :param near: the region that it prefers.
    """

    how: How = "client"

    def __init__(self, client: RegionClient, near: str) -> None:
        self._client, self.near = client, near

    def ask(self, body: bytes) -> tuple[str, bool, str]:
        """One call, with all that the helper does for it."""
        try:
            answer = self._client.invoke(body)
        except (CallFailed, CallRefused) as failure:
            return "", False, str(failure)
        return answer.region, True, answer.body.decode(errors="replace")


class ByName:
    """Calls the one name: asks a resolver, which keeps answers for their time to live, and tries nothing again.

    :param resolvers: of the callers' networks, which call by turns.
    :param name: the one name.
    :param near: the region that is nearest.
    :param regions: to which region an API's own domain name belongs.
    :param ports: where each region answers here.
    :param credentials: of the caller.
    """

    how: How = "plain"

    def __init__(
        self,
        resolvers: Sequence[CachingResolver],
        name: str,
        near: str,
        *,
        regions: Mapping[str, str],
        ports: Mapping[str, tuple[str, int]],
        credentials: Credentials,
    ) -> None:
        self._resolvers, self._name, self.near = itertools.cycle(resolvers), name, near
        self._regions, self._ports, self._credentials = regions, ports, credentials

    def ask(self, body: bytes) -> tuple[str, bool, str]:
        """One request to where the name leads."""
        values = next(self._resolvers).answer(self._name).values
        region = self._regions.get(values[0], "") if values else ""
        if not region:
            return "", False, f"{self._name} leads nowhere"
        headers = self._signed(body, region)
        connection = http.client.HTTPConnection(*self._ports[region], timeout=TIMEOUT_SECONDS)
        try:
            connection.request("POST", "/invocations", body, headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except (OSError, http.client.HTTPException) as failure:
            return region, False, f"{type(failure).__name__}: {failure}"
        finally:
            connection.close()
        return region, answer.status == OK, text if answer.status == OK else f"status {answer.status}: {text}"

    def _signed(self, body: bytes, region: str) -> dict[str, str]:
        url = f"https://{self._name}/invocations"
        request = AWSRequest("POST", url, headers={**_JSON, "Host": self._name}, data=body)
        SigV4Auth(self._credentials, "execute-api", region).add_auth(request)
        return dict(request.headers.items())


class Load:
    """Calls at a steady rate, for the block, shared evenly among all callers.

    :param callers: who calls.
    :param body: what is asked.
    :param rate: calls a second, of all callers together; a thread that waits for its answer calls nothing meanwhile.
    """

    def __init__(self, callers: Sequence[Asks], body: bytes, *, rate: float) -> None:
        self._body, self._every = body, _THREADS * len(callers) / rate
        self._calls: list[Call] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        places = itertools.count()
        count = _THREADS * len(callers)
        self._threads = [
            threading.Thread(target=self._run, args=(one, next(places) / count), name=f"caller-{one.how}", daemon=True)
            for _ in range(_THREADS)
            for one in callers
        ]

    def __enter__(self) -> Self:
        """Begin to call."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Wait for the last answers."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def so_far(self) -> tuple[Call, ...]:
        """All that were answered, or failed, until now."""
        with self._lock:
            return tuple(self._calls)

    def _run(self, caller: Asks, part: float) -> None:
        due = time.monotonic() + self._every * part
        while not self._over.wait(max(0.0, due - time.monotonic())):
            call = self._one(caller)
            with self._lock:
                self._calls.append(call)
            due = max(due + self._every, time.monotonic())

    def _one(self, caller: Asks) -> Call:
        sent, began = time.time(), time.perf_counter()
        region, answered, text = caller.ask(self._body)
        return Call(
            how=caller.how,
            near=caller.near,
            sent=sent,
            seconds=time.perf_counter() - began,
            region=region,
            answered=answered,
            text=text,
        )
