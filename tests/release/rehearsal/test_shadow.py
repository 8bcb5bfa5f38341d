"""Green answers copies first: does anybody notice, and is it compared and then promoted?"""

from datetime import timedelta

from mlplatform_cdk.runtimekit.release_strategy import Strategy
from tests.release.rehearsal.callers import Callers
from tests.release.rehearsal.conftest import RULES, Rehearsal

STRATEGY = Strategy.shadow(
    50, observe=timedelta(seconds=100), bake=timedelta(0), retention=timedelta(0), warm_up_requests=5, rules=RULES
)


def test_a_shadow_is_watched_and_then_promoted_and_nobody_notices(rehearsal: Rehearsal) -> None:
    first, second = rehearsal.register(), rehearsal.register()
    assert rehearsal.approve(first)["status"] == "SUCCEEDED"

    with Callers(rehearsal) as callers:
        execution = rehearsal.approve(second)

    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    visited = rehearsal.visited(execution["executionArn"])
    assert visited.index("BringUpShadow") < visited.index("Look") < visited.index("BringUpGreen")
    assert visited.index("BringUpGreen") < visited.index("TestGreen") < visited.index("ShiftTraffic")
    assert rehearsal.traffic() == {second: 1.0}
    assert callers.outcomes.keys() == {"answered"}
