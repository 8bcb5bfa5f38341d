"""A release that is interrupted, wherever it is, ends in a known state: proved by interrupting it at every state.

The definition is the deployed one; before the state that a test is about, it waits, and is stopped there. What brings
the endpoint back are the deployed rule, function and machine. The model's container is one that is up at once.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlplatform_cdk.release.blue_green.changes import Release
from mlplatform_cdk.release.blue_green.definition import definition
from mlplatform_cdk.release.blue_green.tasks import Tasks
from mlplatform_cdk.runtimekit.endpoint_specification import EndpointSpecification
from tests.release.rehearsal import journeys
from tests.release.rehearsal.conftest import ENDPOINT
from tests.release.rehearsal.tiny_platform import STRATEGY, deployed
from tests.release.rehearsal.walk import Story, Walk

# What is not on the way of a good release; each task is reached by one of these.
STORIES: dict[str, Story] = {
    "CreateEndpoint": journeys.first,
    "DeleteEndpoint": journeys.first_failed,
    "DeleteFailedEndpoint": journeys.cleared,
    "LeaveAlone": journeys.again,
    "LeaveTurn": journeys.undone,
    "RestoreTraffic": journeys.undone,
    "TakeTrafficBack": journeys.resumed,
    "WatchTakeBack": journeys.resumed,
    "CreateBlueConfiguration": journeys.failed_beside_kept,
    "CreateBlueConfigurationWithKey": journeys.failed_beside_kept,
    **dict.fromkeys(
        ("FindWayBack", "RestoreConfiguration", "RejectVersion", "Settle", "ReportFailure", "NotifyFailed"),
        journeys.failed,
    ),
}
UNKEYED = ("CreateSharedConfiguration", "CreateBlueConfiguration")
# From here on a release is completed, whoever completes it.
FINISHING = (
    *(
        "HoldStill",
        "LetBlueScaleNoMore",
        "ScaleDownBlue",
        "WatchScaleDown",
        "RegisterScaling",
        "ScaleByTraffic",
        "MarkProduction",
    ),
    *("CleanUp", "StartRetirement", "Conclude", "Report", "NotifyReleased"),
    *("RemoveScaling", "RetireBlue", "WatchRetirement", "CleanUpRetired", "ConcludeRetirement"),
)
FIRST = (journeys.first, journeys.first_failed, journeys.cleared)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """The platform, deployed, and what is done to it."""
    with deployed(tmp_path_factory) as made:
        yield made


def _tasks() -> list[str]:
    """The states of the definition that do something, in its own order."""
    specification = EndpointSpecification(
        endpoint_name=ENDPOINT,
        instance_type="ml.m5.large",
        minimum=1,
        maximum=2,
        invocations_per_minute=600,
        model_role_arn="role",
        network_isolation=True,
        volume_key_arn="key",
    )
    release = Release(
        tasks=Tasks("aws", "steps", ENDPOINT),
        specification=specification,
        strategy=STRATEGY,
        alarms={},
        machine={},
        gate_arn="gate",
        report_arn="report",
        topic_arn="topic",
    )
    return [name for name, state in definition(release)["States"].items() if state["Type"] == "Task"]


def test_every_state_but_a_task_only_waits_chooses_or_passes_on(walk: Walk) -> None:
    states = walk.deployed["States"]

    assert [name for name, state in states.items() if state["Type"] == "Task"] == _tasks()
    others = {state["Type"] for name, state in states.items() if state["Type"] != "Task"}
    assert others == {"Choice", "Fail", "Pass", "Succeed", "Wait"}


@pytest.mark.parametrize("state", _tasks())
def test_a_release_that_is_stopped_before(state: str, walk: Walk) -> None:
    story = STORIES.get(state, journeys.released)
    if story not in FIRST:
        walk.need_endpoint()

    halted = walk.halt(state, story, keyed=state not in UNKEYED)
    walk.stop(halted)
    walk.rest(stopping=True)

    serving = walk.require_known_state()
    assert (serving != walk.before) is (state in FINISHING)
    assert [one["who"] for one in walk.records()]
