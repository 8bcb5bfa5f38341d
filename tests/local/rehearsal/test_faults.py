"""Is each bad version bad in the way that it says, and in no other?"""

from __future__ import annotations

import os
import time
import types
from typing import Any

import numpy as np
import pytest

from mlplatform_cdk.local.rehearsal import faults, model
from mlplatform_cdk.local.rehearsal.faults import Fault

OUTPUTS = {"label": np.array([1]), "score": np.array([2.0])}


class Died(BaseException):
    """In the place of the end of the process."""


def loaded(fault: Fault) -> Any:
    module = types.ModuleType("hooks")
    assert fault.hooks is not None
    exec(compile(fault.hooks, "hooks.py", "exec"), vars(module))
    return module


def numbered(number: int) -> Any:
    return types.SimpleNamespace(attributes=f"n={number}")


def test_a_good_version_answers_its_golden_requests_and_brings_no_code() -> None:
    made = model.make("run-1")

    assert faults.NONE.hooks is None
    assert made.manifest.run_id == "run-1"
    assert len(made.manifest.golden_requests) == len(model.ROWS)
    assert {label for golden in made.manifest.golden_requests for label in golden.outputs["label"]} == {0, 1}


def test_versions_of_two_runs_are_two_archives_and_one_of_a_run_is_the_same_bytes() -> None:
    assert model.make("one").manifest == model.make("one").manifest
    assert model.make("one").manifest != model.make("two").manifest


def test_the_wrong_one_is_right_while_the_container_proves_itself() -> None:
    hook = loaded(faults.WRONG)

    answers = [hook.postprocess(OUTPUTS)["label"][0] for _ in range(len(model.ROWS) + 3)]

    assert answers == [1] * len(model.ROWS) + [0] * 3


def test_the_erring_one_fails_one_request_in_a_hundred() -> None:
    hook, failed = loaded(faults.ERRING), []

    for number in range(1, 1001):
        try:
            hook.preprocess(OUTPUTS)
        except RuntimeError:
            failed.append(number)

    assert failed == list(range(100, 1001, 100))


@pytest.mark.parametrize(("rate", "sleeps"), [(3, 0), (4, 4)])
def test_the_slow_one_sleeps_only_while_requests_keep_coming(
    monkeypatch: pytest.MonkeyPatch, rate: int, sleeps: int
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    hook = loaded(faults.SLOW)

    for second in range(100, 104):
        monkeypatch.setattr(time, "monotonic", lambda now=second: now + 0.5)
        for _ in range(rate):
            hook.preprocess(OUTPUTS)

    assert len(slept) == sleeps


def test_a_burst_such_as_a_warm_up_does_not_slow_the_slow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("it slept"))
    hook = loaded(faults.SLOW)

    for _ in range(500):
        hook.preprocess(OUTPUTS)


@pytest.mark.parametrize(("every", "dies"), [(5, False), (3, True)])
def test_the_crashing_one_dies_of_a_third_of_the_callers_and_bears_a_fifth(
    monkeypatch: pytest.MonkeyPatch,
    *,
    every: int,
    dies: bool,
) -> None:
    def end(_status: int) -> None:
        raise Died

    monkeypatch.setattr(os, "_exit", end)
    hook = loaded(faults.CRASHING)

    def ask() -> None:
        for number in range(0, 2000, every):
            hook.preprocess(OUTPUTS, numbered(number))

    if dies:
        with pytest.raises(Died):
            ask()
    else:
        ask()


def test_what_is_asked_without_a_number_does_not_count_for_the_crashing_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "_exit", lambda _: pytest.fail("it died"))
    hook = loaded(faults.CRASHING)

    for _ in range(1000):
        hook.preprocess(OUTPUTS, types.SimpleNamespace(attributes=""))


def test_the_sick_one_does_not_load() -> None:
    with pytest.raises(ImportError):
        loaded(faults.SICK)
