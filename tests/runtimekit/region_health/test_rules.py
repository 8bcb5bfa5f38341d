"""Which rules are refused, what do the default ones bound, and when is a round slow?"""

from dataclasses import replace

import pytest

from mlplatform_cdk.runtimekit.region_health import (
    HealthRules,
    HealthRulesError,
    HealthState,
    LatencyWindow,
    RegionHealth,
)
from tests.runtimekit.region_health.world import MINUTE

RULES = HealthRules()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unhealthy_after": 0}, "unhealthy_after must be at least 1, got 0"),
        ({"forgiven": 0.0}, "forgiven must lie above 0"),
        ({"release_at": 1500.0}, "release_at must be below hold_at"),
        ({"stay_at": 2000.0}, "release_at must be below hold_at, and stay_at between them, got 750, 2000 and 1500"),
    ],
)
def test_rules_by_which_nobody_could_leave_or_return_are_refused(change: dict[str, float], said: str) -> None:
    with pytest.raises(HealthRulesError, match=said):
        replace(HealthRules(), **change)  # type: ignore[arg-type]


def test_a_round_is_slow_when_all_of_it_is_or_more_than_luck_explains_and_never_without_a_slow_answer() -> None:
    window = LatencyWindow()

    assert not window.add([10.0] * 57, 100)
    assert not window.add([10.0, 10.0, 900.0], 100)  # one of sixty
    assert window.add([900.0, 900.0, 900.0], 100)  # a whole round
    assert window.add([10.0, 10.0, 900.0], 100)  # five of sixty
    assert not window.add([10.0, 10.0, 10.0], 100)
    assert not LatencyWindow().add([900.0], 100)  # one alone is no percentile


def test_no_order_of_four_leavings_fits_into_an_hour_whatever_the_penalty_was() -> None:
    rules, every, hour = RULES, 2, 60

    def later(penalty: float, held: bool, minutes: int) -> tuple[float, bool]:  # noqa: FBT001 - a state
        return RegionHealth()._decay(HealthState(penalty=penalty, held=held), minutes * MINUTE)

    def most(penalty: float, held: bool, left: int) -> int:  # noqa: FBT001 - a state
        """How many leavings are possible from now on, if one is now, within so many minutes."""
        if held and penalty >= rules.stay_at:
            return 0
        after = penalty + 1000
        holds = held or after >= rules.hold_at
        return 1 + max(
            (most(*later(after, holds, gap), left - gap) for gap in range(every, left + 1, every)), default=0
        )

    free = [most(float(penalty), False, hour) for penalty in range(0, int(rules.hold_at), 50)]
    holding = [most(float(penalty), True, hour) for penalty in range(int(rules.release_at) + 1, 2500, 50)]

    assert max(free) == 3
    assert max(holding) == 3
