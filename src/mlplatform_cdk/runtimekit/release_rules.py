"""What a release's verdict and its gates are made of; see ``release_strategy`` for the schedule that holds them."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Literal, get_args

from mlplatform_cdk.runtimekit.errors import KnownError

Scarcity = Literal["wait", "pass", "fail"]
_LONGEST_GATE = timedelta(days=300)  # an execution lives a year
_RATIOS = ("error_ratio_to_blue", "latency_ratio_to_blue")
_BOUNDS = ("latency_p99_ms", "latency_p50_ms", "cpu_percent", "gpu_percent", "memory_percent", *_RATIOS)


class StrategyError(KnownError, ValueError):
    """A strategy that no release could follow."""


def must(holds: bool, sentence: str) -> None:  # noqa: FBT001 - reads as a sentence
    """Raise ``StrategyError`` with ``sentence`` unless ``holds``."""
    if not holds:
        raise StrategyError(sentence)


def seconds(time: timedelta) -> int:
    """``time`` in whole seconds, rounded up."""
    return math.ceil(time.total_seconds())


def share(percent: Any) -> float:
    """A percentage from JSON, where whole ones may have lost their point."""
    return float(percent)


@dataclass(frozen=True, slots=True)
class Gate:
    """A person must say yes before more traffic goes to green.

    :param at_percent: asked when green has held its window at this step; 0: tested, and before its first request.
    :param timeout: how long an answer may take; without one the release goes back.
    """

    at_percent: float
    timeout: timedelta = timedelta(hours=24)

    def __post_init__(self) -> None:
        """Refuse a gate that nobody could pass."""
        must(0 <= self.at_percent <= 100, f"a gate's at_percent must be from 0 to 100, got {self.at_percent}")  # noqa: PLR2004
        within = timedelta(seconds=1) <= self.timeout <= _LONGEST_GATE
        must(within, f"a gate's timeout must be from a second to {_LONGEST_GATE.days} days, got {self.timeout}")

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it; the time-out in whole seconds."""
        return {"at_percent": self.at_percent, "timeout": seconds(self.timeout)}

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> "Gate":
        """What ``to_mapping`` gave."""
        return cls(share(value["at_percent"]), timedelta(seconds=value["timeout"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRules:
    """What green must hold in its window. A bound that is None is not judged.

    :param minimum_requests: how many requests green must have answered before a good verdict counts.
    :param most_errors: the share of green's requests that may fail, such as 0.01.
    :param error_ratio_to_blue: how many times blue's share of errors green's may be, in the same window.
    :param latency_p99_ms: the model's 99th percentile; default: the latency budget of the model's manifest.
    :param latency_p50_ms: the model's median.
    :param latency_ratio_to_blue: how many times blue's percentiles green's may be, in the same window.
    :param cpu_percent: of all cores of an instance together.
    :param gpu_percent: of all GPUs of an instance together.
    :param memory_percent: of an instance's memory.
    :param without_enough_requests: what a window's end means with fewer requests than ``minimum_requests``: ``wait`` up
        to the strategy's patience, ``pass``, or ``fail``.
    """

    minimum_requests: int = 100
    most_errors: float = 0.01
    error_ratio_to_blue: float | None = 2.0
    latency_p99_ms: float | None = None
    latency_p50_ms: float | None = None
    latency_ratio_to_blue: float | None = 1.5
    cpu_percent: float | None = 95.0
    gpu_percent: float | None = 98.0
    memory_percent: float | None = 90.0
    without_enough_requests: Scarcity = "wait"

    def __post_init__(self) -> None:
        """Refuse bounds that mean nothing."""
        must(self.minimum_requests >= 0, f"minimum_requests must be 0 or more, got {self.minimum_requests}")
        must(0 <= self.most_errors <= 1, f"most_errors must be a share from 0 to 1, got {self.most_errors}")
        for name in _BOUNDS:
            bound = getattr(self, name)
            must(bound is None or bound > 0, f"{name} must be above 0, or None where it is not judged, got {bound}")
        for name in _RATIOS:
            ratio = getattr(self, name)
            must(ratio is None or ratio >= 1, f"{name} must be 1 or more: green may be as blue is, got {ratio}")
        words = get_args(Scarcity)
        must(
            self.without_enough_requests in words,
            f"without_enough_requests must be one of {', '.join(words)}, got {self.without_enough_requests!r}",
        )

    def to_mapping(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, value: Mapping[str, Any]) -> "VerdictRules":
        """What ``to_mapping`` gave."""
        return cls(**value)
