"""From when on is green measured, and what is next where there is no blue?"""

from datetime import timedelta
from typing import Any

import pytest

from mlplatform_cdk.release.blue_green.runtime import audit, live, lock, shifting
from mlplatform_cdk.release.blue_green.runtime.state import Approval, Live
from mlplatform_cdk.runtimekit.release_strategy import Strategy
from tests.release.worlds import GROUP, plan_for, variant
from tests.release.worlds import live as endpoint_of

BESIDE = plan_for(2, endpoint_of(variant("a", 1))) | {"package_arn": f"{GROUP}/2"}
FIRST = plan_for(1, Live(status="")) | {"package_arn": f"{GROUP}/1"}


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the lock is told to keep; records go nowhere."""
    plans: list[dict[str, Any]] = []
    monkeypatch.setattr(audit, "write", lambda *_, **__: None)
    monkeypatch.setattr(live, "read_approval", lambda _arn: Approval(status="Approved"))
    monkeypatch.setattr(lock, "keep", lambda _endpoint, _execution, plan: plans.append(plan))
    return plans


def moves(plan: dict[str, Any], strategy: Strategy) -> list[dict[str, Any]]:
    """Every move to the end, at noon, at one, at two and so on."""
    made: list[dict[str, Any]] = [{"next": 0, "begun": "", "kind": ""}]
    while made[-1]["kind"] != "finish":
        before = made[-1]
        event = {"strategy": strategy.to_mapping(), "plan": plan, "metrics": {}, "endpoint_name": "e", "request": {}}
        at = {"next": before["next"], "begun": before["begun"], "now": f"{12 + len(made) - 1}:00"}
        made.append(shifting.advance({**event, **at, "execution_arn": "arn"}))
    return made[1:]


def test_green_is_measured_from_its_first_step_on() -> None:
    found = moves(BESIDE, Strategy.canary(20))

    assert [(one["kind"], one["begun"]) for one in found[:4]] == [
        ("beside", ""),
        ("shift", "13:00"),
        ("observe", "13:00"),
        ("shift", "13:00"),
    ]


def test_a_shadow_is_measured_and_green_anew_when_callers_reach_it() -> None:
    found = moves(BESIDE, Strategy.shadow(50))

    assert [(one["kind"], one["begun"]) for one in found[:4]] == [
        ("shadow", "12:00"),
        ("observe", "12:00"),
        ("beside", "12:00"),
        ("shift", "15:00"),
    ]


def test_without_blue_there_is_nothing_to_shift_from(kept: list[dict[str, Any]]) -> None:
    assert [one["kind"] for one in moves(FIRST, Strategy.linear())] == ["finish"]
    assert [one["finishing"] for one in kept] == [True]


def test_a_release_that_keeps_blue_is_completed_from_its_end_on(kept: list[dict[str, Any]]) -> None:
    moves(BESIDE, Strategy.canary(20))

    assert [one["finishing"] for one in kept] == [False, True]


def test_a_release_that_keeps_nothing_can_go_back_until_blue_is_gone(kept: list[dict[str, Any]]) -> None:
    moves(BESIDE, Strategy.canary(20, retention=timedelta(0)))

    assert [one["finishing"] for one in kept] == [False]


def test_the_lock_knows_when_callers_meet_green(kept: list[dict[str, Any]]) -> None:
    assert (BESIDE["shifted"], FIRST["shifted"]) == (False, True)

    moves(BESIDE, Strategy.linear(first=20, by=40, retention=timedelta(0)))

    assert [one["shifted"] for one in kept] == [True]
