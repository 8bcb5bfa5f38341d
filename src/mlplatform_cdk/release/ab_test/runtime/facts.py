"""What every step of a test stands on: what the template says, how the test began, the lock, the records."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlplatform_cdk.release.ab_test.runtime import lock
from mlplatform_cdk.release.ab_test.runtime.errors import TestFailed
from mlplatform_cdk.release.ab_test.runtime.preparation import Preparation
from mlplatform_cdk.runtimekit import release_records
from mlplatform_cdk.runtimekit.ab_test import items
from mlplatform_cdk.runtimekit.ab_test.plan import TestPlan

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """What the template says of a test.

    :param name: its name.
    :param endpoint: the endpoint's name.
    :param table: of its outcomes.
    :param plan: by which rules it is decided.
    :param variants: those of the template, the control first; empty: releases own the endpoint.
    :param group: of whose versions the challengers are; empty where the template owns the endpoint.
    :param alarms: the names of the alarms that end it.
    :param reports: where its reports go, a URI.
    :param releases: is a winner approved and released at once.
    :param environment: variables that the endpoint adds to each challenger's container.
    """

    __test__ = False  # pytest reads its name

    name: str
    endpoint: str
    table: str
    plan: TestPlan
    variants: tuple[str, ...] = ()
    group: str = ""
    alarms: tuple[str, ...] = ()
    reports: str = ""
    releases: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, event: Event) -> "Test":
        """The test of ``event``."""
        value = event["test"]
        lists = {name: tuple(value[name]) for name in ("variants", "alarms")}
        return cls(**{**value, **lists, "plan": TestPlan.from_mapping(value["plan"])})


def must_hold(test: Test, event: Event) -> None:
    """Touch nothing unless the endpoint's lock is this execution's."""
    if not lock.is_held(test.endpoint, event["execution_arn"]):
        raise TestFailed(f"the test must hold the lock of {test.endpoint} to change it, and has lost it")


def keep(test: Test, made: Preparation) -> None:
    """Write down how a run began."""
    value = {"pk": f"test#{test.name}", "sk": f"preparation#{made.run}", "preparation": json.dumps(made.to_mapping())}
    items.put(test.table, value)


def kept(test: Test, run: str) -> Preparation | None:
    """How the run ``run`` began, or None: it never did."""
    item = items.get(test.table, f"test#{test.name}", f"preparation#{run}")
    return None if item is None else Preparation.from_mapping(json.loads(item["preparation"]))


def preparation_of(event: Event) -> Preparation:
    """How the run of ``event`` began."""
    made = kept(Test.of(event), event["run"])
    if made is None:
        raise TestFailed(f"the table must hold how the run {event['run']} began, and does not")
    return made


def record(
    test: Test,
    event: Event,
    made: Preparation,
    step: str,
    decision: str,
    reason: str = "",
    *,
    version: str = "",
    sequence: int = 0,
) -> None:
    """Write an audit record."""
    release_records.record(
        release_records.table_name(),
        endpoint=test.endpoint,
        release=event["execution_arn"],
        version=version or made.arms[0].version,
        step=f"ABTest{step}",
        who=f"A/B test {test.name}",
        decision=decision,
        reason=reason,
        sequence=sequence,
    )
