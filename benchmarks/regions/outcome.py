"""What a simulated world came to."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Outcome:
    """What came of a world.

    :param seconds: how long it was.
    :param lost: requests that failed or were answered wrongly, as a share of all, times seconds.
    :param late: requests that were answered rightly and too late, likewise.
    :param leavings: per region, when it left service by its own decision.
    :param detected: for each outage of a region while all else was well, and stayed so: seconds until that region was
        out; or for how long it was waited for, where that was too long and it never was.
    :param moves: changes of what the names say.
    """

    seconds: float = 0.0
    lost: float = 0.0
    late: float = 0.0
    leavings: dict[int, list[float]] = field(default_factory=dict)
    detected: list[float] = field(default_factory=list)
    moves: int = 0

    @property
    def availability(self) -> float:
        """The share of requests that were answered rightly."""
        return 1 - self.lost / self.seconds
