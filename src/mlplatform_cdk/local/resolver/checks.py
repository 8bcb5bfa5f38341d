"""Whether a health check is healthy: Route 53's rules, as values and functions, without a network or a clock.

"how it determines" in the sources is
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
and "checks" is https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html

One checker asks here, where Route 53 has many, and calls an endpoint unhealthy when 18 % of them or fewer do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ASKED = frozenset({"HTTP", "HTTPS", "HTTP_STR_MATCH", "HTTPS_STR_MATCH"})
ALARM, CALCULATED, CONTROL = "CLOUDWATCH_METRIC", "CALCULATED", "RECOVERY_CONTROL"
CONNECT_S, ANSWER_S = 4.0, 2.0  # how it determines: the connection; the status from there; the body from there
SEARCHED_BYTES = 5120
_GOOD = range(200, 400)
_LONGEST_CHAIN = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A health check.

    :param id: its id.
    :param kind: its ``Type``.
    :param name: the host that is asked.
    :param path: what it is asked for.
    :param word: what the answer must hold, by case.
    :param interval_s: from one question to the next.
    :param failures: answers in a row that change the state.
    :param inverted: healthy counts as unhealthy, and the other way round.
    :param disabled: nothing is looked at, and it counts as healthy.
    :param children: the checks that a calculated one is about.
    :param threshold: how many of them must be healthy.
    :param alarm: the name of the alarm.
    :param alarm_region: where it is.
    :param without_data: ``InsufficientDataHealthStatus``.
    """

    id: str
    kind: str
    name: str = ""
    path: str = "/"
    word: str = ""
    interval_s: int = 30
    failures: int = 3
    inverted: bool = False
    disabled: bool = False
    children: tuple[str, ...] = ()
    threshold: int = 0
    alarm: str = ""
    alarm_region: str = ""
    without_data: str = "LastKnownStatus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Streak:
    """What a checker knows of an endpoint.

    :param healthy: its state; default: healthy, as a new check is.
    :param against: answers in a row that contradict the state.
    """

    healthy: bool = True
    against: int = 0

    def after(self, *, passed: bool, failures: int) -> Streak:
        """The state after one more answer: ``failures`` in a row change it, either way (checks, ``FailureThreshold``).

        :param passed: whether the answer was good.
        :param failures: the check's threshold.
        """
        if passed == self.healthy:
            return Streak(healthy=self.healthy)
        against = self.against + 1
        return Streak(healthy=passed) if against >= failures else Streak(healthy=self.healthy, against=against)


def passes(check: Check, status: int, body: bytes) -> bool:
    """Whether an answer in time is good: 2xx or 3xx, and the word within the first 5,120 bytes (how it determines).

    :param check: whose answer it is.
    :param status: of HTTP; 0: there was none.
    :param body: as much of it as came in time.
    """
    if status not in _GOOD:
        return False
    return "STR_MATCH" not in check.kind or check.word.encode() in body[:SEARCHED_BYTES]


def of_alarm(state: str, before: bool, without_data: str) -> bool:  # noqa: FBT001 - the state before is a value
    """Whether an alarm counts as healthy.

    ``OK`` is healthy, ``ALARM`` is not; without enough data it is as ``without_data`` says, and by
    ``LastKnownStatus`` what it was before, healthy where there was nothing before (checks). Route 53 itself looks at
    the metric's data by the alarm's rule and not at the alarm's state; here the alarm is taken at its word.

    :param state: of the alarm.
    :param before: what it counted as before; a new check: healthy.
    :param without_data: ``InsufficientDataHealthStatus``.
    """
    if state in ("OK", "ALARM"):
        return state == "OK"
    return before if without_data == "LastKnownStatus" else without_data == "Healthy"


def is_healthy(id_: str, checks: Mapping[str, Check], seen: Mapping[str, bool], depth: int = 0) -> bool:
    """The state of a check, from what was seen of endpoints and alarms.

    A calculated one is healthy when as many children are as its threshold says: always with 0, never with more than
    there are (checks, ``HealthThreshold``). A disabled one always is, but for ``Inverted`` (checks, ``Disabled``). A
    routing control counts as on, since nothing here switches one; a check that is not there, as healthy.

    :param id_: the check.
    :param checks: all of them, by their ids.
    :param seen: whether an endpoint or an alarm is healthy, by the check's id; one not seen yet is.
    :param depth: how many calculated checks led here.
    """
    check = checks.get(id_)
    if check is None:
        return True
    if depth > _LONGEST_CHAIN:
        raise ValueError(f"calculated checks must end at others, got a circle at {id_}")
    healthy = True
    if not check.disabled:
        if check.kind == CALCULATED:
            good = sum(is_healthy(child, checks, seen, depth + 1) for child in check.children)
            healthy = good >= check.threshold
        else:
            healthy = seen.get(id_, True)
    return healthy != check.inverted
