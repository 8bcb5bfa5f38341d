"""A million simulated minutes under each policy: ``make benchmark-regions``, read docs/region-health.md."""

import argparse
import sys
import time

from benchmarks.regions.study import MOST_LEAVINGS, Line, study
from benchmarks.regions.world import MOST_INTERVALS

FIRST = 100  # The rule was made on the seeds 0 to 19.
_HEAD = (
    "| policy | answered rightly | damped is better by | too late | most leavings in an hour | beyond | moves a day |\n"
    "|---|---|---|---|---|---|---|"
)


def row(one: Line) -> str:
    """A policy as a row of a table."""
    gain = "" if one.policy == "damped" else f"{100 * one.gain[0]:.3f} ± {100 * one.gain[1]:.3f} points"
    return (
        f"| {one.policy} | {100 * one.availability:.3f} ± {100 * one.half_width:.3f} % | {gain} "
        f"| {100 * one.late:.3f} % | {one.most_leavings} | {one.oscillating} | {one.moves:.2f} |"
    )


def main() -> int:
    """Print the table; 1 where the damped rule has oscillated or has detected an outage too late."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--worlds", type=int, default=20)
    options.add_argument("--minutes", type=int, default=50_000, help="of each world")
    options.add_argument("--first", type=int, default=FIRST, help="seed of the first world")
    options.add_argument("--regions", type=int, nargs="+", default=[2, 3, 5])
    options.add_argument("--workers", type=int, default=0)
    given = options.parse_args()
    bad = False
    for regions in given.regions:
        began = time.monotonic()
        lines = study(
            worlds=given.worlds, minutes=given.minutes, regions=regions, workers=given.workers, first=given.first
        )
        total, took = given.worlds * given.minutes, time.monotonic() - began
        sys.stdout.write(f"\n{regions} regions, {total:,} minutes in {given.worlds} worlds, {took:.0f} s\n\n{_HEAD}\n")
        for one in lines:
            sys.stdout.write(f"{row(one)}\n")
        ours = lines[-1]
        sys.stdout.write(f"\n{ours.outages} outages were detected within {ours.detected:.2f} intervals.\n")
        bad = bad or ours.most_leavings > MOST_LEAVINGS or ours.detected > MOST_INTERVALS
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
