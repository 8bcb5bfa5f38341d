"""Whole releases on the embedded AWS, from the deployed template: what becomes of the traffic?

The embedded AWS is a rehearsal: what AWS itself does is not shown by it.
"""

import pytest
from botocore.exceptions import ClientError

from mlplatform_cdk.local import deploy
from mlplatform_cdk.runtimekit.manifest import Manifest
from tests.release.rehearsal.callers import Callers
from tests.release.rehearsal.conftest import ENDPOINT, Rehearsal


@pytest.fixture
def live(rehearsal: Rehearsal) -> str:
    """A version that has all the traffic: the one that an earlier test left, or a new one."""
    if not rehearsal.is_settled():
        execution = rehearsal.approve(rehearsal.register())
        assert execution["status"] == "SUCCEEDED", execution.get("cause")
    (arn,) = rehearsal.traffic()
    return arn


def test_a_first_version_that_fails_its_test_leaves_no_endpoint_and_the_next_one_is_released(
    rehearsal: Rehearsal, wrong: Manifest
) -> None:
    bad = rehearsal.register(manifest=wrong)

    execution = rehearsal.approve(bad)

    assert (execution["status"], execution["error"]) == ("FAILED", "TestGreen")
    assert "label[0] must be 7" in execution["cause"]
    assert "there is no endpoint again" in execution["cause"]
    assert rehearsal.package(bad)["ModelApprovalStatus"] == "Rejected"
    with pytest.raises(ClientError, match="Could not find endpoint"):
        rehearsal.endpoint()

    good = rehearsal.register()
    assert rehearsal.approve(good)["status"] == "SUCCEEDED"
    assert rehearsal.traffic() == {good: 1.0}


def test_a_good_version_takes_over_without_a_failed_request(rehearsal: Rehearsal, live: str) -> None:
    better = rehearsal.register()

    with Callers(rehearsal) as callers:
        execution = rehearsal.approve(better)

    assert execution["status"] == "SUCCEEDED", execution.get("cause")
    visited = rehearsal.visited(execution["executionArn"])
    assert visited.index("LetGreenScale") < visited.index("HoldStill") < visited.index("RegisterScaling")
    assert rehearsal.traffic() == {better: 1.0}
    assert callers.outcomes.keys() == {"answered"}
    (variant,) = rehearsal.endpoint()["ProductionVariants"]
    assert rehearsal.targets() == [(f"endpoint/{ENDPOINT}/variant/{variant['VariantName']}", False)]
    stages = {arn: rehearsal.package(arn)["ModelLifeCycle"]["StageStatus"] for arn in (live, better)}
    assert stages == {live: "Retired", better: "InService"}


def test_green_that_answers_wrongly_never_gets_traffic(rehearsal: Rehearsal, live: str, wrong: Manifest) -> None:
    before = rehearsal.endpoint()["EndpointConfigName"]
    bad = rehearsal.register(manifest=wrong)

    with Callers(rehearsal) as callers:
        execution = rehearsal.approve(bad)

    assert (execution["status"], execution["error"]) == ("FAILED", "TestGreen")
    assert "ShiftTraffic" not in rehearsal.visited(execution["executionArn"])
    assert rehearsal.traffic() == {live: 1.0}
    assert rehearsal.endpoint()["EndpointConfigName"] == before
    assert callers.outcomes.keys() == {"answered"}
    assert rehearsal.targets()[0][1] is False
    package = rehearsal.package(bad)
    assert package["ModelApprovalStatus"] == "Rejected"
    assert "label[0] must be 7" in package["ApprovalDescription"]


def test_green_that_never_becomes_healthy_is_a_failure_although_sagemaker_is_in_service(
    rehearsal: Rehearsal, live: str
) -> None:
    sick = rehearsal.register(model=b"no archive")

    execution = rehearsal.approve(sick)

    assert (execution["status"], execution["error"]) == ("FAILED", "WatchGreen")
    assert "SageMaker rolled back to" in execution["cause"]
    assert rehearsal.traffic() == {live: 1.0}
    assert rehearsal.package(sick)["ModelApprovalStatus"] == "Rejected"


def test_a_version_that_was_not_approved_is_refused_and_keeps_its_status(rehearsal: Rehearsal, live: str) -> None:
    pending = rehearsal.register()

    execution = rehearsal.end_of(rehearsal.start(pending))

    assert (execution["status"], execution["error"]) == ("FAILED", "Plan")
    assert "must be Approved to be released, got PendingManualApproval" in execution["cause"]
    assert rehearsal.package(pending)["ModelApprovalStatus"] == "PendingManualApproval"
    assert rehearsal.traffic() == {live: 1.0}


def test_a_version_that_is_live_is_left_alone(rehearsal: Rehearsal, live: str) -> None:
    execution = rehearsal.end_of(rehearsal.start(live))

    assert execution["status"] == "SUCCEEDED"
    assert rehearsal.visited(execution["executionArn"])[-4:] == ["Plan", "WhichWay", "LeaveAlone", "NothingToDo"]


def test_the_endpoint_goes_with_its_stack(rehearsal: Rehearsal, live: str) -> None:
    rehearsal.empty()

    deploy.destroy(rehearsal.assembly, rehearsal.aws.settings)

    sagemaker = rehearsal.aws.client("sagemaker")
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert sagemaker.list_models()["Models"] == []
    assert rehearsal.targets() == []
