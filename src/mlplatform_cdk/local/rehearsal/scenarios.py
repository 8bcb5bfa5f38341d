"""The scenarios of a rehearsal: a version, what happens to it from outside, and how its release must end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mlplatform_cdk.local.rehearsal import faults
from mlplatform_cdk.local.rehearsal.faults import Fault

Act = Literal["nothing", "alarm", "stop", "reject", "ignore"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One release.

    :param name: in a word, for the command line.
    :param title: for people.
    :param fault: what is wrong with the version.
    :param act: what happens from outside while it runs; a gate is approved unless this says otherwise.
    :param is_released: whether the version must end with all the traffic; False: with none, as if it had never been.
    :param is_rejected: whether the registry must reject a version that went back; a stop that nobody meant speaks
        against no version.
    :param needs_gate: whether it says nothing about a release that asks nobody.
    :param needs_window: whether it says nothing about a release that watches nobody.
    :param reaches_callers: whether green must have answered some callers before it goes back, or never may.
        None: either.
    :param counts_from: from when green's last request must come within seconds: the fault, which a few requests prove,
        or the verdict, where it takes hundreds of requests to tell a fault from bad luck.
    :param proof_within: how many of green's requests may lie between the fault and the verdict; None: any number.
    """

    name: str
    title: str
    fault: Fault = faults.NONE
    act: Act = "nothing"
    is_released: bool = False
    is_rejected: bool = True
    needs_gate: bool = False
    needs_window: bool = False
    reaches_callers: bool | None = None
    counts_from: Literal["fault", "verdict"] = "fault"
    proof_within: int | None = None


ALL: tuple[Scenario, ...] = (
    Scenario(name="good", title="a good version", is_released=True, reaches_callers=True),
    Scenario(name="wrong", title="green answers golden requests wrongly", fault=faults.WRONG, reaches_callers=False),
    Scenario(name="slow", title="green is slow only under load", fault=faults.SLOW, needs_window=True),
    Scenario(
        name="erring",
        title="green errs at 1 %",
        fault=faults.ERRING,
        needs_window=True,
        reaches_callers=True,
        counts_from="verdict",
        proof_within=2_000,
    ),
    Scenario(
        name="crashing", title="green crashes at 35 %", fault=faults.CRASHING, needs_window=True, reaches_callers=True
    ),
    Scenario(name="sick", title="green never becomes healthy", fault=faults.SICK, reaches_callers=False),
    Scenario(name="alarm", title="an alarm during a window", act="alarm", needs_window=True, reaches_callers=True),
    Scenario(name="rejected", title="a gate is rejected", act="reject", needs_gate=True),
    Scenario(name="unanswered", title="a gate times out", act="ignore", needs_gate=True),
    Scenario(
        name="stopped",
        title="the execution is stopped half-way",
        act="stop",
        is_rejected=False,
        needs_window=True,
        reaches_callers=True,
    ),
)
BY_NAME = {one.name: one for one in ALL}
