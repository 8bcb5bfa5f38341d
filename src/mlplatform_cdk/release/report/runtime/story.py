"""A release as a story: when what happened, from its records. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlplatform_cdk.runtimekit.release_records import Record

ALL = 100.0
AGAIN = "look again"  # what a look decides that sees nothing to decide
_MUCH_LONGER = 2.0  # times: a bake this much longer than the shift has a picture of its own
_BESIDE = 0.08  # of the shift: what its picture shows beyond it


class NoStory(Exception):
    """There is no record to tell of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What is told of one release.

    :param records: its records, oldest first.
    :param outcome: one word, such as ``released``.
    """

    records: tuple[Record, ...]
    outcome: str

    @property
    def start(self) -> datetime:
        """When it began."""
        return self.records[0].moment

    @property
    def end(self) -> datetime:
        """When the last thing was written down."""
        return self.records[-1].moment

    @property
    def version(self) -> str:
        """What was released."""
        return next((one.version for one in reversed(self.records) if one.version), "")

    @property
    def variants(self) -> Mapping[str, str]:
        """The names of green's and of blue's variant, as far as they were planned."""
        return next((one.metrics["variants"] for one in self.records if "variants" in one.metrics), {})

    @property
    def shares(self) -> list[tuple[datetime, float]]:
        """Green's share of the traffic, from when on; it begins with none."""
        points = [(self.start, 0.0)]
        for one in self.records:
            if one.percent is not None and one.percent != points[-1][1]:
                points.append((one.moment, one.percent))
        return points

    @property
    def most(self) -> float:
        """The greatest share of the traffic that green had, in percent."""
        return max(share for _, share in self.shares)

    @property
    def decisions(self) -> list[Record]:
        """Its records without the looks that changed nothing."""
        return [one for one in self.records if one.decision != AGAIN]

    @property
    def last_metrics(self) -> Mapping[str, Any]:
        """What was known of green and blue last."""
        return next((one.metrics for one in reversed(self.records) if one.metrics.get("green")), {})

    @property
    def scenes(self) -> list[tuple[str, datetime, datetime]]:
        """What is drawn: the whole, or where the bake is much longer than the shift, the one and then the other."""
        full = next((moment for moment, share in self.shares if share >= ALL), None)
        if full is None or (self.end - full) <= _MUCH_LONGER * (full - self.start):
            return [("The release", self.start, self.end)]
        beyond = full + (full - self.start) * _BESIDE
        return [("The shift", self.start, min(beyond, self.end)), ("The bake", full, self.end)]


def story(records: Sequence[Record], outcome: str) -> Story:
    """The story of ``records``.

    :param records: of one release, oldest first.
    :param outcome: one word; empty: it is taken from the traffic.
    :raises NoStory: when there are no records.
    """
    if not records:
        raise NoStory("a report needs a record of its release, got none")
    made = Story(records=tuple(records), outcome=outcome)
    ended = "released" if made.shares[-1][1] >= ALL else "went back"
    return made if outcome else Story(records=tuple(records), outcome=ended)
