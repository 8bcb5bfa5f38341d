"""What goes when blue retires, and when does a rollback find something to go back to?"""

from datetime import UTC, datetime, timedelta

from mlplatform_cdk.release.blue_green.runtime.retiring import Made, to_delete
from mlplatform_cdk.release.blue_green.runtime.rolling_back import Listed, is_still_kept, previous, rollback_plan
from mlplatform_cdk.release.blue_green.runtime.state import Live
from tests.release.worlds import EXECUTION, GROUP, live, plan_for, scaled, variant

PREFIX = "dev-churn--"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEPT = live(variant("a", 1, weight=0.0), variant("b", 2, weight=1.0, instances=3), targets=(scaled("b", maximum=9),))


def made(*names: str) -> list[Made]:
    return [Made(name=f"{PREFIX}{name}", created=NOON + timedelta(hours=hour)) for hour, name in enumerate(names)]


def gone(*used: str, kept_versions: int = 2) -> tuple[list[str], list[str]]:
    models = made("v1-m", "v2-m", "v3-m")
    configurations = made("v1-x-only", "v2-x-only", "v2-x-both", "v3-x-only", "v3-x-both")
    names = [f"{PREFIX}{name}" for name in used]
    return to_delete(models, configurations, prefix=PREFIX, used=names, kept_versions=kept_versions)


def listed(number: int, *, approval: str = "Approved", stage: str = "Retired") -> Listed:
    return Listed(arn=f"{GROUP}/{number}", number=number, approval=approval, stage_status=stage)


def test_the_last_two_versions_keep_their_models_and_configurations() -> None:
    assert gone("v3-x-only", "v3-m") == ([f"{PREFIX}v1-m"], [f"{PREFIX}v1-x-only"])


def test_an_older_version_that_serves_again_is_one_of_the_two() -> None:
    models, configurations = gone("v1-x-only", "v1-m")

    assert models == [f"{PREFIX}v2-m"]
    assert configurations == [f"{PREFIX}v2-x-only", f"{PREFIX}v2-x-both"]


def test_what_the_endpoint_needs_stays_whatever_is_kept() -> None:
    models, configurations = gone("v2-x-both", "v2-m", "v1-m", kept_versions=1)

    assert models == [f"{PREFIX}v3-m"]
    assert f"{PREFIX}v2-x-both" not in configurations


def test_a_rollback_gives_the_kept_version_all_that_the_live_one_has() -> None:
    plan = rollback_plan(KEPT, prefix=PREFIX, execution_arn=EXECUTION)

    assert plan is not None
    assert (plan["blue"]["variant"], plan["blue"]["instances"], plan["blue"]["weight"]) == ("a", 3, 1.0)
    assert plan["package_arn"] == f"{GROUP}/2"
    assert [(one["variant"], one["maximum"]) for one in plan["scaled"]] == [("a", 9)]


def test_with_nothing_kept_there_is_no_such_plan() -> None:
    assert rollback_plan(live(variant("b", 2)), prefix=PREFIX, execution_arn=EXECUTION) is None
    assert rollback_plan(Live(status=""), prefix=PREFIX, execution_arn=EXECUTION) is None


def test_the_version_before_is_the_newest_approved_one_that_was_in_production() -> None:
    versions = [
        listed(1),
        listed(2),
        listed(3, approval="Rejected"),
        listed(4, stage=""),
        listed(5, stage="InService"),
    ]

    found = previous(versions, live_arn=f"{GROUP}/5")

    assert found is not None
    assert found.number == 2
    assert previous(versions[2:], live_arn=f"{GROUP}/5") is None


def test_only_exactly_what_was_kept_retires() -> None:
    plan = plan_for(2, live(variant("a", 1)))
    shared = plan["shared"]["configuration"]
    as_it_was = live(*KEPT.variants, configuration=shared)

    assert is_still_kept(plan, as_it_was)
    assert not is_still_kept(plan, live(*KEPT.variants, configuration="another"))
    assert not is_still_kept(plan, live(variant("a", 1, weight=1.0), variant("b", 2, weight=0.0), configuration=shared))
    assert not is_still_kept(plan, live(variant("b", 2), configuration=shared))
