"""What a region publishes of itself."""

from typing import Any, Literal, NamedTuple

from mlplatform_cdk.runtimekit.region_health.evidence import Golden

Status = Literal["in-service", "out-of-service", "drained"]
# No other answer holds the letters of the first: Route 53 looks for them in the body.
IN_SERVICE: Status = "in-service"
OUT_OF_SERVICE: Status = "out-of-service"
DRAINED: Status = "drained"
STALE = "stale"


class Verdict(NamedTuple):
    """A round's result.

    :param status: does the region take requests.
    :param golden: what came of the round.
    :param version: which version answered.
    :param well: is the region free of faults, by its damped rounds.
    :param steady: is it well, and not held for leaving too often.
    :param round: the number of the round.
    :param since_ms: since when it has had the status.
    :param valid_until_ms: from when on the verdict counts no more, by the region's own clock.
    :param bad_version: the version that answers wrongly in every region that serves it; empty: there is none.
    :param reason: why, for people; it is not published.
    :param next_look_ms: how long after this round's beginning the next one begins, in milliseconds.
    :param differs_ms: for how long another region in service has served another version and none has changed its own,
        while this one is in service, too; it is not published either.
    """

    status: Status
    golden: Golden
    version: str
    well: bool
    steady: bool
    round: int
    since_ms: int
    valid_until_ms: int
    bad_version: str
    reason: str
    next_look_ms: int
    differs_ms: int = 0

    def body(self) -> dict[str, Any]:
        """What everybody may read at ``/health``."""
        return {
            "status": self.status,
            "golden": self.golden.value,
            "version": self.version,
            "well": self.well,
            "steady": self.steady,
            "round": self.round,
            "since": self.since_ms,
        }
