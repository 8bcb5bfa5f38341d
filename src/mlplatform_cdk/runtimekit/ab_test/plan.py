"""What an A/B test measures and by which rules it ends: the template writes it, router, client and analysis read it."""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from mlplatform_cdk.runtimekit.errors import KnownError

BINARY, MEAN = "binary", "mean"
INCREASE, DECREASE = "increase", "decrease"
FIXED, THOMPSON = "fixed", "thompson"
KEY, REQUEST = "key", "request"
# Measured at each request by whoever sends it: no caller has to report them.
FAILED, LATENCY = "failed", "latency_ms"
MEASURED = {FAILED: BINARY, LATENCY: MEAN}
MOST_VARIANTS = 10
# An execution's history holds 25,000 events. A look is a wait, a task and a choice: 2 + 5 + 2 = 9 events, and 2,500
# of them leave 2,500 for the beginning and the end.
MOST_LOOKS = 2500
_NAME = re.compile(r"[a-z][a-z0-9_]{0,29}")
_TIMES = ("look_every", "duration", "keep_requests")


class PlanError(KnownError):
    """An A/B test that could not end with a sound answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """An outcome of a request: the one that the test decides by, or one that must not get worse.

    :param name: as it is reported: 1 to 30 lower-case letters, digits and underscores.
    :param kind: ``binary`` (0 or 1, such as a conversion) or ``mean`` (a number from -1e8 to 1e8, such as a revenue).
    :param goal: which way is better, ``increase`` or ``decrease``.
    :param effect: the smallest difference worth finding, in the metric's own unit: the test is tuned to it.
    :param unreported_is_zero: an outcome that nobody reported counts as 0, as for conversions; fixed shares only;
        default: it counts not.
    """

    name: str
    kind: str = BINARY
    goal: str = INCREASE
    effect: float
    unreported_is_zero: bool = False

    def __post_init__(self) -> None:
        _must(
            bool(_NAME.fullmatch(self.name)),
            f"a metric's name must be 1 to 30 lower-case letters, digits and underscores, got {self.name!r}",
        )
        _one_of(f"the kind of {self.name}", self.kind, BINARY, MEAN)
        _one_of(f"the goal of {self.name}", self.goal, INCREASE, DECREASE)
        most = 1.0 if self.kind == BINARY else math.inf
        _must(
            math.isfinite(self.effect) and 0 < self.effect <= most,
            f"the effect of {self.name} must be above 0{' and at most 1' if most == 1 else ''}, got {self.effect}",
        )
        measured = MEASURED.get(self.name, self.kind)
        _must(measured == self.kind, f"{self.name} is measured by the router and is {measured}, got {self.kind}")
        _must(
            not (self.name in MEASURED and self.unreported_is_zero),
            f"{self.name} is measured with every request, so that it is never unreported",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A metric that no variant may worsen: one that does is out, and the test ends when no challenger is left.

    :param metric: what is guarded; its ``goal`` says which way is worse.
    :param margin: how much worse than the control is borne, in the metric's own unit; default: nothing.
    """

    metric: Metric
    margin: float = 0.0

    def __post_init__(self) -> None:
        _must(
            math.isfinite(self.margin) and self.margin >= 0,
            f"the margin of the guard {self.metric.name} must be at least 0, got {self.margin}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPlan:
    """How an A/B test is decided.

    :param metric: what decides.
    :param guards: what must not get worse.
    :param traffic: ``fixed`` shares, or ``thompson``: moved towards what seems best.
    :param control_share: the control's share of the requests at the start; default: the same as every other's.
    :param minimum_share: with ``thompson``, what every variant in the test keeps.
    :param minimum_samples: of each variant, before anything is concluded from it.
    :param error_rate: the most that the chance of any wrong conclusion may be, however often one looks.
    :param look_every: the time between two looks; whole minutes.
    :param duration: when the test ends at the latest; at most 2,500 looks.
    :param unit: what is one sample: a ``key`` (its first outcome counts) or every ``request``, which is right only
        where the requests of one key have nothing to do with each other.
    :param keep_requests: how long after a request its outcome is taken.
    """

    __test__ = False  # pytest reads its name

    metric: Metric
    guards: tuple[Guard, ...] = ()
    traffic: str = FIXED
    control_share: float | None = None
    minimum_share: float = 0.05
    minimum_samples: int = 200
    error_rate: float = 0.05
    look_every: timedelta = field(default=timedelta(hours=1))
    duration: timedelta = field(default=timedelta(days=28))
    unit: str = KEY
    keep_requests: timedelta = field(default=timedelta(days=30))

    def __post_init__(self) -> None:
        _one_of("traffic", self.traffic, FIXED, THOMPSON)
        _one_of("unit", self.unit, KEY, REQUEST)
        names = [one.name for one in self.metrics]
        _must(len({*names}) == len(names), f"each metric must be named once, got {', '.join(names)}")
        share = self.control_share
        _must(share is None or 0 < share < 1, f"control_share must be above 0 and below 1, got {share}")
        _must(0 < self.minimum_share <= 0.5, f"minimum_share must be above 0 and at most 0.5, got {self.minimum_share}")  # noqa: PLR2004
        _must(self.minimum_samples >= 50, f"minimum_samples must be at least 50, got {self.minimum_samples}")  # noqa: PLR2004
        _must(0 < self.error_rate <= 0.5, f"error_rate must be above 0 and at most 0.5, got {self.error_rate}")  # noqa: PLR2004
        unreported = [one.name for one in self.metrics if one.unreported_is_zero]
        _must(
            self.traffic == FIXED or not unreported,
            f"with {THOMPSON}, zeros must be reported, got unreported_is_zero of {', '.join(unreported)}: what comes "
            "late would count against whoever's share has grown since",
        )
        self._check_times()

    def _check_times(self) -> None:
        minute = timedelta(minutes=1)
        _must(
            self.look_every >= minute and not self.look_every % minute,
            f"look_every must be whole minutes, got {self.look_every}",
        )
        _must(
            self.duration >= self.look_every,
            f"duration must be at least look_every ({self.look_every}), got {self.duration}",
        )
        _must(
            self.looks <= MOST_LOOKS,
            f"duration must be at most {MOST_LOOKS} times look_every, got {self.looks} looks; look less often",
        )
        _must(self.keep_requests >= minute, f"keep_requests must be at least a minute, got {self.keep_requests}")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What decides, then what is guarded."""
        return (self.metric, *(one.metric for one in self.guards))

    @property
    def looks(self) -> int:
        """How many looks the test takes at most: times are counted in looks, never by a clock."""
        return math.ceil(self.duration / self.look_every)

    def shares(self, variants: int) -> list[float]:
        """The shares at the start, the control's first.

        :param variants: how many there are, the control among them.
        """
        _must(
            2 <= variants <= MOST_VARIANTS,  # noqa: PLR2004
            f"an A/B test must have 2 to {MOST_VARIANTS} variants, the control among them, got {variants}",
        )
        if self.traffic == THOMPSON:
            _must(
                self.minimum_share * variants <= 1,
                f"minimum_share must leave room for {variants} variants, got {self.minimum_share}",
            )
        control = 1 / variants if self.control_share is None else self.control_share
        return [control, *[(1 - control) / (variants - 1)] * (variants - 1)]

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it; times in seconds."""
        times = {name: int(getattr(self, name).total_seconds()) for name in _TIMES}
        return asdict(self) | {"guards": [asdict(one) for one in self.guards]} | times

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> "TestPlan":
        """What ``to_mapping`` gave."""
        times = {name: timedelta(seconds=value[name]) for name in _TIMES}
        guards = tuple(Guard(metric=Metric(**one["metric"]), margin=one["margin"]) for one in value["guards"])
        return cls(**{**value, **times, "metric": Metric(**value["metric"]), "guards": guards})


def _must(holds: bool, sentence: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise PlanError(sentence)


def _one_of(what: str, value: str, *allowed: str) -> None:
    _must(value in allowed, f"{what} must be {' or '.join(allowed)}, got {value!r}")
