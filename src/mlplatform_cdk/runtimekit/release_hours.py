"""How many instance-hours a release takes beside those of the endpoint: the second fleet, for its time. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from mlplatform_cdk.runtimekit.release_strategy import Strategy

# How long SageMaker takes to bring a fleet up, or to change one; it was three to ten minutes where we looked.
FLEET_UP = timedelta(minutes=10)
KEPT_INSTANCES = 1  # blue, scaled down, during its retention


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetHours:
    """The second fleet of a release.

    :param instances: of that fleet while it is whole.
    :param shift: from its first minute to all traffic on green, if nothing has to be waited for.
    :param longest_shift: the same with every gate and every window at its longest.
    :param bake: how long blue stays whole after that.
    :param retention: how long one instance of blue stays after that.
    """

    instances: int
    shift: timedelta
    longest_shift: timedelta
    bake: timedelta
    retention: timedelta

    @property
    def expected(self) -> float:
        """Instance-hours if nothing has to be waited for."""
        return self._hours(self.shift)

    @property
    def most(self) -> float:
        """Instance-hours at most."""
        return self._hours(self.longest_shift)

    def _hours(self, shift: timedelta) -> float:
        whole = self.instances * (shift + self.bake)
        return (whole + KEPT_INSTANCES * self.retention) / timedelta(hours=1)


def fleet_hours(strategy: Strategy, instances: int) -> FleetHours:
    """The second fleet of a release by ``strategy``.

    Windows are observed one after another, the shadow's before all; gates wait in between; each change of the endpoint
    takes ``FLEET_UP`` once, for green to come up.

    :param strategy: how it shifts.
    :param instances: of blue now, which green is made as large as.
    """
    windows = len(strategy.steps) + (1 if strategy.shadow_percent else 0)
    waits = sum((gate.timeout for gate in strategy.gates), timedelta(0))
    longest = strategy.longest_window_looks * strategy.look_every
    return FleetHours(
        instances=instances,
        shift=FLEET_UP + windows * strategy.window_looks * strategy.look_every,
        longest_shift=FLEET_UP + windows * longest + waits,
        bake=strategy.bake,
        retention=strategy.retention,
    )
