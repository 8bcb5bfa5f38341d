"""Releases with another schedule: the same machine, by a name that says what it does."""

from typing import ClassVar

from mlplatform_cdk.release.blue_green import BlueGreenRelease
from mlplatform_cdk.runtimekit.release_strategy import Strategy

_CANARY_STEPS = 2


class CanaryRelease(BlueGreenRelease):
    """One small step, watched, and then all requests; the arguments of ``BlueGreenRelease``.

    Its strategy is ``Strategy.canary(5)``, or another of two steps.
    """

    default_strategy: ClassVar[Strategy] = Strategy.canary()

    def _wrong_strategy(self) -> str:
        steps = self.strategy.steps
        return "" if len(steps) == _CANARY_STEPS else f"a canary must have one step before all, got {steps}"


class AllAtOnceRelease(BlueGreenRelease):
    """All requests in one step, watched and baked; the arguments of ``BlueGreenRelease``.

    Its strategy is ``Strategy.all_at_once()``, or another of one step.
    """

    default_strategy: ClassVar[Strategy] = Strategy.all_at_once()

    def _wrong_strategy(self) -> str:
        steps = self.strategy.steps
        return "" if len(steps) == 1 else f"all at once must be one step, got {steps}"


class ShadowRelease(BlueGreenRelease):
    """Green answers copies of requests first, which nobody sees; compared with blue, then promoted.

    SageMaker gives a shadow to an endpoint of one variant: a version that is kept as a way back retires when the shadow
    comes. A shadow cannot be asked directly, so that green is tested after it, before its first request of a caller.
    The arguments are those of ``BlueGreenRelease``; its strategy is ``Strategy.shadow(100)``, or another with a shadow
    and a window.
    """

    default_strategy: ClassVar[Strategy] = Strategy.shadow()

    def _wrong_strategy(self) -> str:
        strategy = self.strategy
        if strategy.shadow_percent and strategy.window_looks:
            return ""
        seen = f"shadow_percent={strategy.shadow_percent:g} and observe={strategy.observe}"
        return f"a shadow must get requests for a window, got {seen}; try Strategy.shadow(100)"
