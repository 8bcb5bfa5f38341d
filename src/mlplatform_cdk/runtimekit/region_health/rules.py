"""How slowly a region changes its mind: the numbers, in one value."""

from dataclasses import dataclass

from mlplatform_cdk.runtimekit.errors import KnownError

_MINUTE = 60_000


class HealthRulesError(KnownError):
    """Rules by which a region could never leave, or never return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRules:
    """When a region leaves service, and when it comes back.

    Bad rounds are added up as in Page's cumulative sum ("Continuous inspection schemes", Biometrika 41, 1954): each
    adds 1, each good one takes ``forgiven`` away, and never below 0. So many bad rounds in a row are a fault as
    ``unhealthy_after`` says, and so is a share of bad rounds that lasts above ``forgiven / (1 + forgiven)``, in time.

    Leaving again and again is damped as RFC 2439 damps flapping routes, by a figure that grows with each flap and
    halves in a fixed time, with one threshold to hold and a lower one to let go. On the scale that routers use
    (RIPE-229), each leaving adds 1000. From ``hold_at`` on, a region that left is held out until the figure has fallen
    to ``release_at``. Where it is needed before that, it comes back and stays as long as the figure is ``stay_at`` or
    above, however it fares: regions that are equally bad would take turns otherwise. By the defaults no region leaves
    more than three times in an hour, whatever happens; docs/region-health.md has the arithmetic.

    :param interval_ms: from one round of golden requests to the next, in milliseconds; default: 10 s.
    :param unhealthy_after: bad rounds in a row that are a fault; default: 3.
    :param healthy_after: good rounds in a row that end one; default: 5.
    :param forgiven: what a good round takes away from the sum of bad ones; default: 1/8.
    :param settles_ms: how long after a region was away slowness says nothing, in milliseconds: the names lead its load
        back only when checks and caches let them; default: three minutes.
    :param half_life_ms: in which time a penalty halves, in milliseconds; default: half an hour.
    :param hold_at: the penalty from which on a region is held out; default: 1500, its second leaving within half an
        hour.
    :param release_at: the penalty at which it may return; default: 750.
    :param stay_at: the penalty from which on a region that is held, and was needed, does not leave; default: 1000.
    """

    interval_ms: int = 10_000
    unhealthy_after: int = 3
    healthy_after: int = 5
    forgiven: float = 0.125
    settles_ms: int = 3 * _MINUTE
    half_life_ms: int = 30 * _MINUTE
    hold_at: float = 1500.0
    release_at: float = 750.0
    stay_at: float = 1000.0

    def __post_init__(self) -> None:
        """Refuse rules that contradict themselves."""
        for name in ("interval_ms", "unhealthy_after", "healthy_after", "half_life_ms"):
            if getattr(self, name) < 1:
                raise HealthRulesError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 < self.forgiven <= 1:
            raise HealthRulesError(f"forgiven must lie above 0 and be at most 1, got {self.forgiven:g}")
        if not 0 < self.release_at <= self.stay_at <= self.hold_at or self.release_at == self.hold_at:
            came = f"{self.release_at:g}, {self.stay_at:g} and {self.hold_at:g}"
            raise HealthRulesError(f"release_at must be below hold_at, and stay_at between them, got {came}")

    @property
    def valid_for_ms(self) -> int:
        """How long a verdict counts: three intervals.

        They hold a round that was lost, the time-out of the next (half an interval), and as much again for the clocks
        of the probe and of the API, which are two.
        """
        return 3 * self.interval_ms

    @property
    def timeout_ms(self) -> int:
        """How long a golden request may take before it has failed: half an interval."""
        return self.interval_ms // 2
