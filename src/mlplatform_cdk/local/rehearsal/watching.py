"""One release as it goes: watched from outside as a person would, and disturbed where the scenario says so."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.local.rehearsal.people import LONGEST_SECONDS, NothingHappened

if TYPE_CHECKING:
    from collections.abc import Callable

    from mlplatform_cdk.local.rehearsal.disturbances import Disturbance
    from mlplatform_cdk.local.rehearsal.ledger import Ledger
    from mlplatform_cdk.local.rehearsal.people import People
    from mlplatform_cdk.local.rehearsal.scenarios import Scenario

LOOK_SECONDS = 0.1
LOOK_AT_GREEN_SECONDS = 1.0
SETTLED_SECONDS = 15.0  # after the end, for what the end starts: events take their time


@dataclass(slots=True, kw_only=True)
class Release:
    """What is known of one release while it runs.

    :param version: the ARN of the version that comes.
    :param blue: the variant that was live.
    :param green: the variant that comes.
    :param execution: the ARN of the execution that releases it.
    :param began: when, in seconds since 1970.
    """

    version: str
    blue: str
    green: str
    execution: str
    began: float
    shares: list[tuple[float, float]] = field(default_factory=list)
    moments: list[tuple[float, str]] = field(default_factory=list)
    disturbed: float | None = None

    def note(self, what: str) -> None:
        """Write down that something happens now."""
        self.moments.append((time.time(), what))


def watch(
    release: Release,
    scenario: Scenario,
    people: People,
    ledger: Ledger,
    disturbance: Disturbance,
    tell: Callable[[str], None],
) -> dict[str, Any]:
    """Follow a release until it and all that it started have ended: the description of its execution.

    :param release: what is known; it learns here.
    :param scenario: what is to happen.
    :param people: who looks and acts.
    :param ledger: the callers' requests.
    :param disturbance: what happens from outside.
    :param tell: told what is seen.
    """
    longest = LONGEST_SECONDS + LOOK_AT_GREEN_SECONDS * people.target.most_looks
    deadline = time.monotonic() + longest
    quiet = None
    while time.monotonic() < deadline:
        share = round(100 * people.weights().get(release.green, 0.0), 1)
        if not release.shares or release.shares[-1][1] != share:
            release.shares.append((time.time(), share))
            tell(f"{scenario.name}: green has {share:g} %")
        disturbance.look(release, people, ledger)
        execution = people.execution(release.execution)
        quiet = (quiet or time.monotonic()) if _is_quiet(people) else None
        is_over = quiet is not None and execution["status"] != "RUNNING"
        is_settled = quiet is not None and time.monotonic() - quiet > SETTLED_SECONDS
        if is_over and (is_settled or _is_as_expected(release, scenario, people, execution["status"])):
            return execution
        time.sleep(LOOK_SECONDS)
    raise NothingHappened(f"the release of {release.version} did not end within {longest:.0f} s")


def _is_quiet(people: People) -> bool:
    """Whether nothing of the release moves any more; blue's retirement may wait for its time."""
    if people.running():
        return False
    endpoint = people.endpoint()
    return endpoint is None or endpoint["EndpointStatus"] == "InService"


def _is_as_expected(release: Release, scenario: Scenario, people: People, status: str) -> bool:
    """Whether there is nothing left to wait for: one version has the traffic, and the registry knows of the other."""
    if scenario.is_released:
        return people.weights().get(release.green) == 1.0
    if status == "ABORTED" and not people.recovered(release.execution):
        return False
    approval = people.package(release.version)["ModelApprovalStatus"]
    return (approval == "Rejected" or not scenario.is_rejected) and people.weights().get(release.blue) == 1.0
