"""Many worlds under each policy, with the same faults: availability with intervals, and how often regions leave."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

from benchmarks.regions.outcome import Outcome
from benchmarks.regions.policies import Damped, Policy, Threshold
from benchmarks.regions.world import INTERVAL, World

HOUR = 3600.0
# Leaving service more often than this within an hour is oscillation.
MOST_LEAVINGS = 3
POLICIES: Mapping[str, Callable[[str], Policy] | None] = {
    "single region": None,
    "one bad round": lambda name: Threshold(name, 1, 1),
    "three bad rounds": lambda name: Threshold(name, 3, 3),
    "damped": Damped,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One policy over all worlds.

    :param policy: its name.
    :param availability: its mean over the worlds.
    :param half_width: of the 95 % interval of that mean.
    :param gain: of ``damped`` over it, in the same worlds, and the half width of that; zero for itself.
    :param late: the share of requests that were answered too late.
    :param most_leavings: of one region in any hour.
    :param oscillating: hours with more than ``MOST_LEAVINGS``, counted as leavings that begin such an hour.
    :param outages: that struck a region while all else was well.
    :param detected: the longest time to detect one of them, in probe intervals; 0: there was none.
    :param moves: changes of the names in a simulated day.
    """

    policy: str
    availability: float
    half_width: float
    gain: tuple[float, float]
    late: float
    most_leavings: int
    oscillating: int
    outages: int
    detected: float
    moves: float


def study(*, worlds: int, minutes: int, regions: int, workers: int = 0, first: int = 0) -> list[Line]:
    """Simulate ``worlds`` worlds of ``minutes`` minutes under each policy.

    :param worlds: how many seeds; at least two, for an interval.
    :param first: the first of the seeds, which follow each other; default: 0.
    :param minutes: of each.
    :param regions: in each.
    :param workers: processes; default: one for each processor, and this one alone for 1.
    """
    jobs = [(name, seed, regions, minutes) for name in POLICIES for seed in range(first, first + worlds)]
    if workers == 1:
        outcomes = [_one(job) for job in jobs]
    else:
        with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
            outcomes = list(pool.map(_one, jobs))
    by_policy = {name: outcomes[place * worlds : (place + 1) * worlds] for place, name in enumerate(POLICIES)}
    ours = [one.availability for one in by_policy["damped"]]
    return [_line(name, found, ours) for name, found in by_policy.items()]


def most_within_an_hour(moments: Sequence[float]) -> tuple[int, int]:
    """The most of ``moments`` within any hour, and how many of them begin an hour with more than allowed."""
    most = over = ahead = 0
    for place, moment in enumerate(moments):
        while ahead < len(moments) and moments[ahead] <= moment + HOUR:
            ahead += 1
        most, over = max(most, ahead - place), over + (ahead - place > MOST_LEAVINGS)
    return most, over


def _one(job: tuple[str, int, int, int]) -> Outcome:
    name, seed, regions, minutes = job
    return World(seed, regions, POLICIES[name]).run(60.0 * minutes)


def _line(name: str, found: Sequence[Outcome], ours: Sequence[float]) -> Line:
    each = [one.availability for one in found]
    counted = [most_within_an_hour(moments) for one in found for moments in one.leavings.values()]
    detected = [time for one in found for time in one.detected]
    return Line(
        policy=name,
        availability=mean(each),
        half_width=_half_width(each),
        gain=(mean(ours) - mean(each), _half_width([a - b for a, b in zip(ours, each, strict=True)])),
        late=mean(one.late / one.seconds for one in found),
        most_leavings=max(most for most, _ in counted),
        oscillating=sum(over for _, over in counted),
        outages=len(detected),
        detected=max(detected, default=0.0) / INTERVAL,
        moves=sum(one.moves for one in found) / sum(one.seconds for one in found) * 86400,
    )


def _half_width(values: Sequence[float]) -> float:
    """Of the 95 % interval of a mean, by Student's t."""
    # The 97.5 % quantiles for 1, 2, ... degrees of freedom; https://www.itl.nist.gov/div898/handbook/eda/section3/eda3672.htm
    quantiles = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
    freedom = len(values) - 1
    quantile = quantiles[freedom - 1] if freedom <= len(quantiles) else 2.093 if freedom < 30 else 2.042  # noqa: PLR2004
    return quantile * stdev(values) / sqrt(len(values))
