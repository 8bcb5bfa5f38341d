"""What does a release cost beside its endpoint?"""

from datetime import timedelta
from decimal import Decimal

from mlplatform_cdk.assembly.cost import packaged
from mlplatform_cdk.assembly.cost.releases import ReleaseCost, release_cost
from mlplatform_cdk.runtimekit.release_strategy import Gate, Strategy, VerdictRules

PATIENT = Strategy(
    steps=(5, 50, 100),
    observe=timedelta(minutes=10),
    patience=3,
    gates=(Gate(50, timedelta(hours=2)),),
    bake=timedelta(hours=24),
    retention=timedelta(days=7),
    rules=VerdictRules(without_enough_requests="wait"),
)


def cost(strategy: Strategy, instance_type: str = "ml.m5.large", instances: int = 2) -> ReleaseCost:
    return release_cost(
        strategy, instance_type=instance_type, instances=instances, region="us-east-1", prices=packaged()
    )


def test_a_release_is_a_second_fleet_for_its_time_and_one_instance_for_its_retention() -> None:
    found = cost(PATIENT)

    # two instances: ten minutes to come up, three windows of ten minutes, a day of bake; then one for a week
    assert found.hours.expected == 2 * (40 / 60 + 24) + 168
    assert found.price is not None
    assert abs(found.expected.known - found.price.amount * Decimal("217.333333")) < Decimal("0.0001")


def test_at_most_every_gate_and_every_window_takes_its_longest() -> None:
    found = cost(PATIENT)

    assert found.hours.longest_shift == timedelta(minutes=10 + 3 * 3 * 10, hours=2)
    assert found.most.known > found.expected.known


def test_an_instance_without_a_price_is_named_and_never_free() -> None:
    found = cost(PATIENT, "ml.x99.mega")

    assert not found.expected.complete
    assert "ml.x99.mega" in " ".join(found.expected.unknown)


def test_a_release_all_at_once_without_bake_costs_the_time_to_come_up() -> None:
    strategy = Strategy.all_at_once(observe=timedelta(0), bake=timedelta(0), retention=timedelta(0))

    assert cost(strategy, instances=1).hours.expected == 1 / 6
