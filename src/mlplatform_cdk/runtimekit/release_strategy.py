"""How a version gets its traffic: steps, windows, gates, bake, retention; the template writes it, the release reads it.

All that can be counted is counted here, in looks: whoever compresses the waits between them compresses everything.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from mlplatform_cdk.runtimekit.release_rules import Gate, StrategyError, VerdictRules, must, seconds, share

__all__ = ["MOST_BAKE_LOOKS", "MOST_LOOKS", "Gate", "Strategy", "StrategyError", "VerdictRules"]

ALL = 100.0
MOST_BAKE_LOOKS = 96  # every quarter of an hour of a day: the alarms act in between
# An execution's history holds 25,000 events, and a look is a wait, a task and a choice: 2 + 5 + 2 of them. See
# ``release/blue_green/changes.py`` for what the rest of a release takes.
EVENTS_A_LOOK = 9
MOST_LOOKS = 1180
MOST_STEPS = 20
DEFAULT_RULES = VerdictRules()
_TIMES = ("observe", "look_every", "bake", "retention")


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """The schedule of a release. Percents are shares of the endpoint's requests that green answers.

    :param steps: green's shares, rising, ending with 100.
    :param observe: how long green is watched after each step before the next one.
    :param look_every: how long from one look at green's metrics to the next; whole seconds.
    :param patience: how many windows one step may take while green has too few requests for a verdict
        (``without_enough_requests="wait"``); after that the release goes back.
    :param gates: where a person must say yes before it goes on.
    :param bake: how long green is watched with all requests while blue keeps its whole fleet; zero: not at all.
    :param retention: how long blue is kept, scaled down, after the bake: an instant way back; zero: it goes at once.
    :param kept_versions: of how many versions the models and configurations are kept; at least the live one's.
    :param supersede: a newer version ends the running release and takes its place; False: it waits for its turn.
    :param allow_breaking: release a version whose inputs are not compatible with what callers send today.
    :param warm_up_requests: golden requests sent to green before its first real one, besides those that are judged.
    :param replay_requests: captured requests of production sent to blue and green to compare the answers; 0: none.
    :param shadow_percent: the share of requests that green first answers as copies that nobody sees, for one window;
        0: none.
    :param rules: what makes a verdict.
    """

    steps: tuple[float, ...]
    observe: timedelta = timedelta(minutes=10)
    look_every: timedelta = timedelta(seconds=10)
    patience: int = 2
    gates: tuple[Gate, ...] = ()
    bake: timedelta = timedelta(hours=24)
    retention: timedelta = timedelta(days=7)
    kept_versions: int = 2
    supersede: bool = False
    allow_breaking: bool = False
    warm_up_requests: int = 50
    replay_requests: int = 0
    shadow_percent: float = 0.0
    rules: VerdictRules = DEFAULT_RULES

    def __post_init__(self) -> None:
        """Refuse what no release could do.

        :raises StrategyError: naming the first rule that is broken.
        """
        rising = all(one < other for one, other in zip(self.steps, self.steps[1:], strict=False))
        good = bool(self.steps) and self.steps[0] > 0 and self.steps[-1] == ALL and rising
        must(good, f"steps must rise from above 0 and end with 100 percent, got {self.steps}")
        must(len(self.steps) <= MOST_STEPS, f"there may be {MOST_STEPS} steps, got {len(self.steps)}")
        for name in _TIMES:
            must(getattr(self, name) >= timedelta(0), f"{name} must not be negative, got {getattr(self, name)}")
        must(self.look_every >= timedelta(seconds=1), f"look_every must be a second or more, got {self.look_every}")
        must(self.retention <= timedelta(days=300), f"retention must be 300 days or less, got {self.retention}")
        for name, least in {"kept_versions": 1, "patience": 1, "warm_up_requests": 0, "replay_requests": 0}.items():
            must(getattr(self, name) >= least, f"{name} must be {least} or more, got {getattr(self, name)}")
        must(
            0 <= self.shadow_percent <= ALL,
            f"shadow_percent must be a percentage from 0 to 100, got {self.shadow_percent}",
        )
        self._check_gates()
        looks = self.most_looks
        must(
            looks <= MOST_LOOKS,
            f"a release may look {MOST_LOOKS} times, got up to {looks} by {len(self.steps)} steps of {self.observe}; "
            "look less often (look_every) or have less patience",
        )

    def _check_gates(self) -> None:
        places = [gate.at_percent for gate in self.gates]
        strays = [place for place in places if place not in (0.0, *self.steps)]
        must(not strays, f"a gate must stand at 0 or at one of the steps {self.steps}, got {strays}")
        must(len({*places}) == len(places), f"there may be one gate at a step, got {places}")

    @property
    def window_looks(self) -> int:
        """How many looks a window of observation has; zero where nothing is observed."""
        return math.ceil(self.observe / self.look_every)

    @property
    def longest_window_looks(self) -> int:
        """How many looks a window has at most, while green lacks requests for a verdict."""
        return self.window_looks * (self.patience if self.rules.without_enough_requests == "wait" else 1)

    @property
    def bake_looks(self) -> int:
        """How many looks the bake has."""
        return min(MOST_BAKE_LOOKS, math.ceil(self.bake / self.look_every))

    @property
    def bake_every(self) -> timedelta:
        """How long from one look of the bake to the next; whole seconds."""
        return timedelta(seconds=math.ceil(self.bake.total_seconds() / max(self.bake_looks, 1)))

    @property
    def most_looks(self) -> int:
        """How many looks a release has at most, all windows and the bake together."""
        windows = len(self.steps) + (1 if self.shadow_percent else 0)
        return windows * self.longest_window_looks + self.bake_looks

    def gate_at(self, percent: float) -> Gate | None:
        """The gate that stands at ``percent``, if there is one."""
        return next((gate for gate in self.gates if gate.at_percent == percent), None)

    @classmethod
    def linear(cls, *, first: float = 5, by: float = 15, **changes: Any) -> "Strategy":
        """``first`` percent, then ``by`` percent more at a time.

        :param first: the first step.
        :param by: how much each further step adds.
        :param changes: any other argument of ``Strategy``.
        """
        must(0 < first <= ALL, f"first must be above 0 and at most 100 percent, got {first}")
        must(1 <= by <= ALL, f"by must be from 1 to 100 percent, got {by}")
        count = math.ceil((ALL - first) / by)
        return cls(steps=(*(float(first + by * one) for one in range(count)), ALL), **changes)

    @classmethod
    def canary(cls, percent: float = 5, **changes: Any) -> "Strategy":
        """One small step of ``percent``, then all. ``changes``: any other argument of ``Strategy``."""
        must(0 < percent < ALL, f"a canary must have more than 0 and less than 100 percent, got {percent}")
        return cls(steps=(float(percent), ALL), **changes)

    @classmethod
    def all_at_once(cls, **changes: Any) -> "Strategy":
        """All requests in one step. ``changes``: any other argument of ``Strategy``."""
        return cls(steps=(ALL,), **changes)

    @classmethod
    def shadow(cls, percent: float = 100, **changes: Any) -> "Strategy":
        """Copies of ``percent`` of the requests first, then all. ``changes``: any other argument of ``Strategy``."""
        must(0 < percent <= ALL, f"a shadow must answer more than 0 and at most 100 percent, got {percent}")
        return cls(**{"steps": (ALL,), "shadow_percent": float(percent), **changes})

    def with_(self, **changes: Any) -> "Strategy":
        """This strategy with other arguments."""
        return replace(self, **changes)

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it; times in whole seconds."""
        return {
            "steps": [*self.steps],
            **{name: seconds(getattr(self, name)) for name in _TIMES},
            "patience": self.patience,
            "gates": [gate.to_mapping() for gate in self.gates],
            "kept_versions": self.kept_versions,
            "supersede": self.supersede,
            "allow_breaking": self.allow_breaking,
            "warm_up_requests": self.warm_up_requests,
            "replay_requests": self.replay_requests,
            "shadow_percent": self.shadow_percent,
            "rules": self.rules.to_mapping(),
        }

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> "Strategy":
        """What ``to_mapping`` gave."""
        times = {name: timedelta(seconds=value[name]) for name in _TIMES}
        made: dict[str, Any] = {
            **value,
            **times,
            "steps": tuple(share(one) for one in value["steps"]),
            "gates": tuple(Gate.from_mapping(one) for one in value["gates"]),
            "rules": VerdictRules.from_mapping(value["rules"]),
        }
        return cls(**made)
