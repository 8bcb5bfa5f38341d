"""What a region remembers from round to round; it lies in the verdict's row, so that any process can go on."""

from collections.abc import Mapping
from typing import Any, NamedTuple

_MAPPINGS = ("seen", "served")


class HealthState(NamedTuple):
    """The memory of the rules. Times are of the region's own clock, and only ever compared with each other.

    :param round: how many rounds there were.
    :param at_ms: when the last one was.
    :param well: is the region free of faults, by its damped rounds.
    :param bad: the sum of bad rounds.
    :param good_in_a_row: good rounds since the last bad one.
    :param alone: rounds in a row in which no other region was a better place.
    :param penalty: for leaving, as of ``at_ms``.
    :param held: is it held out until the penalty has fallen.
    :param in_service: does it take requests.
    :param drained: did somebody take it out.
    :param since_ms: since when it has been so.
    :param unsettled_ms: when some region was last away, by what was known.
    :param seen: which round each other region was at when the present doubt began.
    :param differs_ms: for how long a region in service has served another version than this one, by this one's rounds,
        and none of them has changed.
    :param served: which version each region served then; this one's own has no name.
    """

    round: int = 0
    at_ms: int = 0
    well: bool = False
    bad: float = 0.0
    good_in_a_row: int = 0
    alone: int = 0
    penalty: float = 0.0
    held: bool = False
    in_service: bool = False
    drained: bool = False
    since_ms: int = 0
    unsettled_ms: int = 0
    seen: tuple[tuple[str, int], ...] = ()
    differs_ms: int = 0
    served: tuple[tuple[str, str], ...] = ()

    @property
    def steady(self) -> bool:
        """Is it well, and not held."""
        return self.well and not self.held

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return self._asdict() | {"seen": dict(self.seen), "served": dict(self.served)}

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> "HealthState":
        """What ``to_mapping`` gave; what an older one did not have, is as for a new region."""
        known = {name: value[name] for name in cls._fields if name in value and name not in _MAPPINGS}
        seen, served = (tuple(sorted(value.get(name, {}).items())) for name in _MAPPINGS)
        return cls(**known, seen=seen, served=served)


# A region that nobody has looked at yet takes no requests: it starts out of service, and comes in as others return.
NEW_REGION = HealthState()
