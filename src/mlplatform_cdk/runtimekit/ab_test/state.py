"""A test as it stands: its arms and their shares, read by router and client, written by the analysis."""

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from mlplatform_cdk.runtimekit.ab_test import items
from mlplatform_cdk.runtimekit.ab_test.plan import TestPlan

RUNNING, ENDED = "running", "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One variant of a test.

    :param variant: its name on the endpoint.
    :param version: the model package that it runs; empty: not known.
    :param share: of the requests, 0 to 1.
    :param out: why it is out of the test; empty: it is in.
    """

    variant: str
    version: str
    share: float
    out: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestState:
    """A test of this table.

    :param name: the test's name.
    :param run: tells this run from earlier ones of the same name; also the salt of the assignment.
    :param status: ``running`` or ``ended``.
    :param arms: the variants, the control first.
    :param plan: by which rules it is decided.
    :param looks: how many looks there were.
    :param started: when it began, ISO-8601.
    """

    __test__ = False  # pytest reads its name

    name: str
    run: str
    status: str
    arms: tuple[Arm, ...]
    plan: TestPlan
    looks: int = 0
    started: str = ""

    @property
    def shares(self) -> dict[str, float]:
        """Variant to share."""
        return {arm.variant: arm.share for arm in self.arms}

    @property
    def salt(self) -> str:
        """Of the assignment: another run divides the callers anew, so that no run carries over to the next."""
        return self.run

    def to_json(self) -> str:
        """As the table holds it."""
        return json.dumps(asdict(self) | {"plan": self.plan.to_mapping()})

    @classmethod
    def from_json(cls, text: str) -> "TestState":
        """What ``to_json`` gave."""
        value: dict[str, Any] = json.loads(text)
        arms = tuple(Arm(**one) for one in value["arms"])
        return cls(**{**value, "arms": arms, "plan": TestPlan.from_mapping(value["plan"])})


def read(table: str, name: str) -> TestState | None:
    """The test ``name`` of the table, or None: it has never run."""
    item = items.get(table, *_key(name))
    return None if item is None else TestState.from_json(item["state"])


def write(table: str, state: TestState) -> None:
    """Make ``state`` what router, client and analysis see."""
    partition, sort = _key(state.name)
    items.put(table, {"pk": partition, "sk": sort, "state": state.to_json(), "at": int(time.time())})


def _key(name: str) -> tuple[str, str]:
    return f"test#{name}", "state"
