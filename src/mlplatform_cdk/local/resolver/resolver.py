"""Plays Route 53 for one zone: asks as its checkers do, over HTTP, looks at alarms, and answers by its rules."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mlplatform_cdk.local.resolver import checks, deployed
from mlplatform_cdk.local.resolver.checks import Check, Streak

if TYPE_CHECKING:
    from types import TracebackType

    from mlplatform_cdk.local.administrator import Administrator
    from mlplatform_cdk.local.resolver.records import Caller, Reply

# From a host name to the address and port that answer for it here; None: none does.
Reach = Callable[[str], tuple[str, int] | None]

_ALARM_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A check whose state has changed.

    :param at: when, in seconds since 1970.
    :param check: which.
    :param healthy: what it is now.
    """

    at: float
    check: Check
    healthy: bool


class Resolver:
    """Route 53 for one zone of the embedded AWS, for the block.

    The records and checks are those that were deployed when it began. Checks ask over plain HTTP, since the embedded
    AWS has no TLS, with the check's name as ``Host``. Intervals are compressed by the clock's factor; what an answer
    may take is not, since work is as slow as it is.

    :param aws: the embedded AWS.
    :param zone_id: of the hosted zone.
    :param reach: where names answer.
    :param clock_factor: how many seconds a second takes; default: 1.
    """

    def __init__(self, aws: Administrator, zone_id: str, *, reach: Reach, clock_factor: float = 1.0) -> None:
        self._aws, self._reach, self._factor = aws, reach, clock_factor
        self._zone, self._checks = deployed.zone_of(aws, zone_id), deployed.checks_of(aws)
        self._seen: dict[str, bool] = {}
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._changes: list[Change] = []
        looked = [one for one in self._checks.values() if not one.disabled]
        self._threads = [
            *(self._thread(self._ask_again, one) for one in looked if one.kind in checks.ASKED),
            *(self._thread(self._look_again, one) for one in looked if one.kind == checks.ALARM),
        ]

    def __enter__(self) -> Self:
        """Begin to ask."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Wait for the last questions."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def answer(self, name: str, caller: Caller, kind: str = "A") -> Reply:
        """What Route 53 would answer now.

        :param name: without its last dot.
        :param caller: who asks.
        :param kind: of the record.
        """
        chance = random.random()  # noqa: S311 - it draws among weights
        return self._zone.answer(name, caller, self.is_healthy, chance, kind)

    def is_healthy(self, check: str) -> bool:
        """The state of a health check now."""
        return checks.is_healthy(check, self._checks, self._seen)

    def all_healthy(self) -> bool:
        """Whether every health check is healthy now."""
        return all(self.is_healthy(one) for one in self._checks)

    def changes(self) -> tuple[Change, ...]:
        """What has changed until now, in order."""
        with self._lock:
            return tuple(self._changes)

    def ttl_seconds(self, reply: Reply) -> float:
        """How long an answer may be kept here."""
        return reply.ttl_s * self._factor

    def _thread(self, target: Callable[[Check], None], check: Check) -> threading.Thread:
        return threading.Thread(target=target, args=(check,), name=f"check-{check.id}", daemon=True)

    def _ask_again(self, check: Check) -> None:
        every, streak = check.interval_s * self._factor, Streak()
        due = time.monotonic()
        while not self._over.wait(max(0.0, due - time.monotonic())):
            due = max(due + every, time.monotonic())
            streak = streak.after(passed=self._passes(check), failures=check.failures)
            self._keep(check, streak.healthy)

    def _look_again(self, check: Check) -> None:
        healthy = True
        while not self._over.wait(_ALARM_LOOK_SECONDS):
            found = self._aws.client("cloudwatch", check.alarm_region).describe_alarms(AlarmNames=[check.alarm])
            state = next((one["StateValue"] for one in found["MetricAlarms"]), "INSUFFICIENT_DATA")
            healthy = checks.of_alarm(state, healthy, check.without_data)
            self._keep(check, healthy)

    def _keep(self, check: Check, healthy: bool) -> None:  # noqa: FBT001 - a state is a value
        with self._lock:
            if self._seen.get(check.id, True) != healthy:
                self._changes.append(Change(at=time.time(), check=check, healthy=healthy))
            self._seen[check.id] = healthy

    def _passes(self, check: Check) -> bool:
        """Ask once, with Route 53's time-outs."""
        place = self._reach(check.name)
        if place is None:
            return False
        connection = http.client.HTTPConnection(*place, timeout=checks.CONNECT_S)
        try:
            connection.connect()
            connection.sock.settimeout(checks.ANSWER_S)
            connection.request("GET", check.path, headers={"Host": check.name, "User-Agent": "Amazon-Route53-Check"})
            answer = connection.getresponse()
            return checks.passes(check, answer.status, answer.read(checks.SEARCHED_BYTES))
        except (OSError, http.client.HTTPException):
            return False
        finally:
            with suppress(OSError):
                connection.close()


class CachingResolver:
    """What a caller's own resolver does: asks once, and keeps the answer for its time to live.

    :param resolver: Route 53.
    :param caller: where the callers are.
    :param age: how old the first answer for a name is already, as a part of its time to live from 0 to 1, so that not
        all networks ask again at once; default: new.
    :param clock: seconds that never go back; default: this machine's.
    """

    def __init__(
        self, resolver: Resolver, caller: Caller, *, age: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._resolver, self._caller, self._age, self._clock = resolver, caller, age, clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[Reply, float]] = {}

    def answer(self, name: str) -> Reply:
        """The answer for ``name``, as old as it may be."""
        with self._lock:
            kept = self._kept.get(name)
            if kept is None or self._clock() >= kept[1]:
                reply = self._resolver.answer(name, self._caller)
                left = 1.0 - self._age if kept is None else 1.0
                kept = self._kept[name] = (reply, self._clock() + left * self._resolver.ttl_seconds(reply))
            return kept[0]
