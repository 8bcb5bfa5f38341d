"""Which record answers for a name: Route 53's rules, as values and functions, without a network or a clock.

"how it chooses" in the sources is
https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/health-checks-how-route-53-chooses-records.html
and "records" is https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

# Of an alias of an AWS resource, which nobody can set:
# https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-choosing-alias-non-alias.html
ALIAS_TTL_S = 60
_LONGEST_CHAIN = 16
_ANYWHERE = "*"

IsHealthy = Callable[[str], bool]


class NoLeaf(ValueError):
    """Aliases that lead to each other, or on and on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """What an alias record stands for.

    :param name: the target, without its last dot.
    :param within_zone: whether the target is a record of the same zone; else it is a resource of AWS.
    :param evaluate: ``EvaluateTargetHealth``.
    """

    name: str
    within_zone: bool
    evaluate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record set. What a policy does not use is None.

    :param name: without its last dot.
    :param kind: such as ``A``.
    :param identifier: tells records of one name and type apart.
    :param values: of a record that is no alias.
    :param ttl_s: of a record that is no alias.
    :param alias: what it stands for; None: it is no alias.
    :param check: the id of its health check.
    :param weight: weighted routing.
    :param region: latency routing.
    :param failover: failover routing.
    :param continent: geolocation routing.
    :param country: geolocation routing; ``*``: everywhere.
    :param subdivision: geolocation routing; of ``country``.
    """

    name: str
    kind: str = "A"
    identifier: str = ""
    values: tuple[str, ...] = ()
    ttl_s: int = 0
    alias: Alias | None = None
    check: str | None = None
    weight: int | None = None
    region: str | None = None
    failover: Literal["PRIMARY", "SECONDARY"] | None = None
    continent: str | None = None
    country: str | None = None
    subdivision: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Where a question comes from.

    :param nearest: regions, that of the lowest latency first; one that is not named is further than all that are.
    :param continent: such as ``EU``; empty: unknown.
    :param country: such as ``DE``; empty: unknown.
    :param subdivision: such as ``CA`` of ``US``; empty: unknown.
    """

    nearest: tuple[str, ...] = ()
    continent: str = ""
    country: str = ""
    subdivision: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What Route 53 answers.

    :param values: the record's values, or the AWS resource that an alias stands for, which has the addresses.
    :param ttl_s: for how long it may be kept.
    :param path: the names that led there, the asked one first.
    """

    values: tuple[str, ...]
    ttl_s: int
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Zone:
    """The records of a zone."""

    _groups: Mapping[tuple[str, str], Sequence[Record]] = field(default_factory=dict)

    @classmethod
    def of(cls, records: Sequence[Record]) -> Zone:
        """The zone with these records."""
        groups: dict[tuple[str, str], list[Record]] = {}
        for one in records:
            groups.setdefault((one.name, one.kind), []).append(one)
        return cls(groups)

    def answer(self, name: str, caller: Caller, is_healthy: IsHealthy, chance: float = 0.0, kind: str = "A") -> Reply:
        """The answer for ``name``; no values where there is no record for this caller.

        An alias of a record is followed, and the last record's time to live counts: an alias has none of its own
        (records, ``TTL``).

        :param name: without its last dot.
        :param caller: who asks.
        :param is_healthy: the state of a health check, by its id.
        :param chance: from 0 to 1 (exclusive), which draws among weights.
        :param kind: of the record.
        """
        path: list[str] = []
        while len(path) < _LONGEST_CHAIN:
            path.append(name)
            record = self._choose(name, kind, caller, is_healthy, chance)
            if record is None:
                return Reply(values=(), ttl_s=0, path=tuple(path))
            if record.alias is None:
                return Reply(values=record.values, ttl_s=record.ttl_s, path=tuple(path))
            if not record.alias.within_zone:
                return Reply(values=(record.alias.name,), ttl_s=ALIAS_TTL_S, path=tuple(path))
            name = record.alias.name
        raise NoLeaf(f"aliases must end at a record, got {' → '.join(path)}")

    def is_healthy(self, record: Record, is_healthy: IsHealthy, depth: int = 0) -> bool:
        """Whether a record may be answered.

        Without a health check and without ``EvaluateTargetHealth`` it always may (how it chooses). With
        ``EvaluateTargetHealth`` an alias inherits the health of what it stands for: of a group of records, that any
        of them is healthy; of an AWS resource that has no health of its own, such as an API, that it is there.
        With both, both must say so.
        Source: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-complex-configs.html
        """
        if depth > _LONGEST_CHAIN:
            raise NoLeaf(f"aliases must end at a record, got a circle at {record.name}")
        if record.check is not None and not is_healthy(record.check):
            return False
        alias = record.alias
        if alias is None or not alias.evaluate or not alias.within_zone:
            return True
        group = self._groups.get((alias.name, record.kind), ())
        return any(self.is_healthy(one, is_healthy, depth + 1) for one in group)

    def _choose(self, name: str, kind: str, caller: Caller, is_healthy: IsHealthy, chance: float) -> Record | None:
        """By the routing policy among the healthy ones; among all, where none is (how it chooses)."""
        group = self._groups.get((name, kind), ())
        healthy = [one for one in group if self.is_healthy(one, is_healthy)]
        return pick(healthy, caller, chance) or pick(group, caller, chance)


def pick(group: Sequence[Record], caller: Caller, chance: float) -> Record | None:
    """One of a group of records of one name and type, by their routing policy; None: there is none for this caller."""
    if not group:
        return None
    if any(one.failover for one in group):
        return min(group, key=lambda one: one.failover != "PRIMARY")
    if any(one.weight is not None for one in group):
        return _weighted(group, chance)
    if any(one.region for one in group):
        return min(group, key=lambda one: _distance(one, caller))
    if any(one.continent or one.country for one in group):
        return max((one for one in group if _fits(one, caller)), key=_precision, default=None)
    return group[0]


def _weighted(group: Sequence[Record], chance: float) -> Record:
    """In proportion to the weights; where all are 0, each alike (records, ``Weight``).

    Zero weights are considered only where no other is left (how it chooses).
    """
    weights = [one.weight or 0 for one in group]
    if not any(weights):
        weights = [1] * len(group)
    left = chance * sum(weights)
    for one, weight in zip(group, weights, strict=True):
        left -= weight
        if left < 0:
            return one
    return next(one for one, weight in reversed([*zip(group, weights, strict=True)]) if weight)


def _distance(record: Record, caller: Caller) -> int:
    """The region of the lowest latency to the caller comes first (records, ``Region``)."""
    nearest = caller.nearest
    return nearest.index(record.region) if record.region in nearest else len(nearest)


def _fits(record: Record, caller: Caller) -> bool:
    if record.country == _ANYWHERE:
        return True
    if record.subdivision:
        return (record.country, record.subdivision) == (caller.country, caller.subdivision)
    if record.country:
        return record.country == caller.country
    return record.continent == caller.continent


def _precision(record: Record) -> int:
    """The smallest area counts, and everywhere else ``*`` does (records, ``GeoLocation``)."""
    if record.country == _ANYWHERE:
        return 0
    return 3 if record.subdivision else 2 if record.country else 1
