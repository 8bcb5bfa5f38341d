"""What does a release do about what it finds?"""

import re
from dataclasses import replace
from typing import Any

import pytest

from mlplatform_cdk.release.blue_green.runtime.errors import ReleaseRefused
from mlplatform_cdk.release.blue_green.runtime.state import Live
from tests.release.worlds import GROUP, SPECIFICATION, live, plan_for, request, scaled, variant

SAGEMAKER_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
NO_ENDPOINT = Live(status="")
SETTLED = live(variant("a", 2), targets=(scaled("a"),))


def test_the_first_version_of_an_endpoint_comes_alone() -> None:
    plan = plan_for(1, NO_ENDPOINT)

    assert plan["way"] == "first"
    assert not plan["blue"]["exists"]
    assert [(one["VariantName"], one["InitialVariantWeight"]) for one in plan["green"]["variants"]] == [("a", 1.0)]
    assert plan["shared"]["configuration"] == plan["green"]["configuration"]


def test_the_next_version_comes_beside_the_live_one_without_traffic() -> None:
    plan = plan_for(2, live(variant("a", 1, weight=1.0)))

    assert plan["way"] == "beside"
    weights = {one["VariantName"]: one["InitialVariantWeight"] for one in plan["shared"]["variants"]}
    assert weights == {"a": 1.0, "b": 0.0}


def test_blue_keeps_the_capacity_that_scaling_had_reached_and_green_has_the_same() -> None:
    plan = plan_for(2, live(variant("b", 1, instances=3)))

    counts = {one["VariantName"]: one["InitialInstanceCount"] for one in plan["shared"]["variants"]}
    assert counts == {"b": 3, "a": 3}


def test_green_starts_from_the_machine_image_that_is_asked_for_and_blue_from_its_own() -> None:
    older = "al2-ami-sagemaker-inference-gpu-2"
    gpu = replace(SPECIFICATION, instance_type="ml.g5.xlarge", inference_ami_version=older)

    plan = plan_for(2, live(variant("a", 1)), specification=gpu)

    blue, beside = plan["shared"]["variants"]
    asked = [*plan["green"]["variants"], beside, *plan["shadow"]["shadows"]]
    assert [one["InferenceAmiVersion"] for one in asked] == [older] * 3
    assert "InferenceAmiVersion" not in blue


def test_green_gets_the_time_to_come_up_that_is_asked_for_and_blue_keeps_its_own() -> None:
    slow = replace(SPECIFICATION, startup_timeout_s=1200, download_timeout_s=600)

    plan = plan_for(2, live(variant("a", 1)), specification=slow)

    blue, beside = plan["shared"]["variants"]
    asked = [*plan["green"]["variants"], beside, *plan["shadow"]["shadows"]]
    names = ("ContainerStartupHealthCheckTimeoutInSeconds", "ModelDataDownloadTimeoutInSeconds")
    assert [[one[name] for name in names] for one in asked] == [[1200, 600]] * 3
    assert not {*names} & {*blue}


def test_the_endpoints_variables_lie_over_the_versions_own_and_say_which_version_it_is() -> None:
    chosen = replace(SPECIFICATION, environment={"CACHE_BYTES": "1000", "LANES": "2"})

    plan = plan_for(2, live(variant("a", 1)), specification=chosen, environment={"LANES": "8", "ENGINE": "cuda"})

    assert plan["model"]["environment"] == {
        "CACHE_BYTES": "1000",
        "ENGINE": "cuda",
        "LANES": "2",
        "MODEL_PACKAGE_ARN": f"{GROUP}/2",
    }


def test_other_variables_are_another_fleet_of_the_same_version_and_the_same_ones_are_not() -> None:
    endpoint, settled = live(variant("a", 2), targets=(scaled("a"),)), {"stage_status": "InService"}
    chosen = replace(SPECIFICATION, environment={"CACHE_BYTES": "1000"})

    assert plan_for(2, endpoint, specification=chosen, **settled)["way"] == "beside"
    assert plan_for(2, endpoint, specification=replace(chosen, environment={}), **settled)["way"] == "nothing"


@pytest.mark.parametrize(("now", "green"), [(9, 4), (0, 1)])
def test_green_stays_within_its_own_bounds(now: int, green: int) -> None:
    plan = plan_for(2, live(variant("a", 1, instances=now)))

    assert plan["green"]["variants"][0]["InitialInstanceCount"] == green


def test_a_version_that_is_live_and_marked_is_left_alone() -> None:
    assert plan_for(2, SETTLED, stage_status="InService")["way"] == "nothing"


@pytest.mark.parametrize(
    ("endpoint", "changes"),
    [
        pytest.param(SETTLED, {}, id="not marked as in production"),
        pytest.param(SETTLED, {"stage_status": "InService", "others_marked": True}, id="another one is marked too"),
        pytest.param(live(variant("a", 2)), {"stage_status": "InService"}, id="it does not scale"),
        pytest.param(
            live(variant("a", 2), targets=(scaled("a", suspended=True),)),
            {"stage_status": "InService"},
            id="its scaling is held still",
        ),
        pytest.param(
            live(variant("a", 2), targets=(scaled("a", maximum=9),)),
            {"stage_status": "InService"},
            id="the template has other bounds now",
        ),
    ],
)
def test_what_an_interrupted_release_left_undone_is_finished(endpoint: Live, changes: dict[str, object]) -> None:
    assert plan_for(2, endpoint, **changes)["way"] == "finish"


def test_a_release_interrupted_before_the_switch_begins_again_beside_blue() -> None:
    plan = plan_for(2, live(variant("a", 1, weight=1.0), variant("b", 2, weight=0.0)))

    assert (plan["way"], plan["green"]["variant"], plan["blue"]["variant"]) == ("beside", "b", "a")


def test_a_release_interrupted_after_the_switch_is_tested_again_and_can_still_go_back() -> None:
    plan = plan_for(2, live(variant("a", 1, weight=0.0), variant("b", 2, weight=1.0)))

    assert (plan["way"], plan["green"]["variant"], plan["blue"]["variant"]) == ("resume", "b", "a")
    assert plan["blue"]["weight"] == 1.0


@pytest.mark.parametrize("changes", [{}, {"stage_status": "InService", "others_marked": True}])
def test_a_version_that_was_scaled_down_gets_no_traffic_to_finish_another_ones_release(changes: dict[str, Any]) -> None:
    """Its release failed at the marks, after blue was scaled down: one instance must not take the traffic of three."""
    endpoint = live(variant("a", 1, weight=0.0), variant("b", 2, weight=1.0, instances=3), targets=(scaled("b"),))

    assert plan_for(2, endpoint, **changes)["way"] == "finish"


def test_a_release_whose_blue_is_kept_is_left_alone_too() -> None:
    endpoint = live(variant("a", 1, weight=0.0), variant("b", 2, weight=1.0), targets=(scaled("b"),))

    assert plan_for(2, endpoint, stage_status="InService")["way"] == "nothing"


def test_a_third_version_takes_the_place_of_the_one_that_is_kept() -> None:
    plan = plan_for(3, live(variant("a", 1, weight=0.0), variant("b", 2, weight=1.0)))

    assert (plan["way"], plan["green"]["variant"], plan["blue"]["variant"]) == ("beside", "a", "b")
    assert len(plan["shared"]["variants"]) == 2
    # The capacity and the weight of what was there are not green's, and the way back is to blue alone.
    assert plan["shared"]["retain"] is False
    assert (plan["blue"]["alone"], plan["blue"]["configuration"]) == (False, "dev-churn--v3-" + _digest(plan) + "-blue")


def test_beside_a_version_that_is_alone_what_scaling_had_reached_stays() -> None:
    plan = plan_for(2, live(variant("a", 1)))

    assert plan["shared"]["retain"] is True
    assert (plan["blue"]["alone"], plan["blue"]["configuration"]) == (True, "dev-churn--before")


def test_a_shadow_stands_behind_blue_and_gets_its_share_of_copies() -> None:
    shadow = plan_for(2, live(variant("a", 1)), shadow_percent=50.0)["shadow"]

    assert [one["VariantName"] for one in shadow["variants"]] == ["a"]
    assert [(one["VariantName"], one["InitialVariantWeight"]) for one in shadow["shadows"]] == [("shadow", 0.5)]


def test_the_same_version_in_another_shape_is_released_again_and_is_never_rejected_for_it() -> None:
    larger = replace(SPECIFICATION, instance_type="ml.c5.xlarge")

    plan = plan_for(2, SETTLED, stage_status="InService", specification=larger)

    assert (plan["way"], plan["rejectable"]) == ("beside", False)
    assert plan["green"]["variants"][0]["InstanceType"] == "ml.c5.xlarge"


def test_other_bounds_of_scaling_are_no_other_shape() -> None:
    assert request(2, specification=replace(SPECIFICATION, maximum=9)).model_name == request(2).model_name


@pytest.mark.parametrize("approval", ["PendingManualApproval", "Rejected"])
def test_only_an_approved_version_is_released(approval: str) -> None:
    with pytest.raises(ReleaseRefused, match=f"churn version 2 must be Approved to be released, got {approval}"):
        plan_for(2, NO_ENDPOINT, approval=approval)


@pytest.mark.parametrize("approval", ["PendingManualApproval", "Rejected"])
def test_an_approval_that_was_taken_back_before_its_release_begins_is_no_failure(approval: str) -> None:
    """Such as the second event of one approval, after its release has rejected the version."""
    plan = plan_for(2, NO_ENDPOINT, approval=approval, by_approval=True)

    assert (plan["way"], plan["why"]) == ("nothing", f"churn version 2 was approved, and is {approval} by now")


def test_the_mark_of_a_retired_version_does_not_bring_it_back() -> None:
    assert plan_for(1, SETTLED, stage_status="Retired", by_approval=True)["way"] == "nothing"


def test_a_retired_version_comes_back_by_hand() -> None:
    assert plan_for(1, SETTLED, stage_status="Retired", by_approval=False)["way"] == "beside"


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"])
def test_a_release_waits_for_a_change_that_an_interrupted_one_began(status: str) -> None:
    assert plan_for(2, Live(status=status))["way"] == "wait"


def test_an_endpoint_that_never_came_up_is_made_anew() -> None:
    assert plan_for(2, Live(status="Failed", reason="no capacity"))["way"] == "clear"


def test_a_state_that_nobody_planned_is_refused_with_a_way_out() -> None:
    with pytest.raises(ReleaseRefused, match=r"must be InService, got UpdateRollbackFailed .*delete it"):
        plan_for(2, Live(status="UpdateRollbackFailed"))


def test_traffic_that_somebody_split_by_hand_is_refused() -> None:
    with pytest.raises(ReleaseRefused, match=r"all its traffic on one variant, got a: 0.5, b: 0.5"):
        plan_for(3, live(variant("a", 1, weight=0.5), variant("b", 2, weight=0.5)))


def test_the_names_of_a_release_are_the_same_however_often_it_is_planned() -> None:
    endpoint = live(variant("a", 1))

    assert plan_for(2, endpoint) == plan_for(2, endpoint)


def test_every_name_is_one_that_sagemaker_takes_even_at_the_ends_of_the_ranges() -> None:
    longest = replace(SPECIFICATION, endpoint_name="e" * 38)

    plan = plan_for(999_999_999, live(variant("a", 1)), specification=longest)

    for name in (plan["model"]["name"], plan["green"]["configuration"], plan["shared"]["configuration"]):
        assert SAGEMAKER_NAME.fullmatch(name), name
        assert len(name) <= 63
        assert name.startswith("e" * 38 + "--")


def test_a_model_knows_its_version() -> None:
    assert plan_for(2, NO_ENDPOINT)["model"]["environment"]["MODEL_PACKAGE_ARN"].endswith("/churn/2")


def _digest(plan: dict[str, Any]) -> str:
    """What tells this execution's configurations from another's."""
    return str(plan["green"]["configuration"].rsplit("-", 2)[1])


def test_a_rejected_blue_does_not_get_the_traffic_for_the_time_of_another_test() -> None:
    both = live(variant("a", 1, weight=0.0), variant("b", 2, weight=1.0))

    assert plan_for(2, both)["way"] == "resume"
    assert plan_for(2, both, rejected=[f"{GROUP}/1"])["way"] == "finish"
