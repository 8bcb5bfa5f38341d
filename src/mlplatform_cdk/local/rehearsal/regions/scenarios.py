"""The scenarios: what happens to one of two regions, or to the version that both of them serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from mlplatform_cdk.local.rehearsal.regions.faults import Kind

# All regions serve one version, and that becomes wrong: no fault of a region.
BAD_VERSION: Literal["bad-version"] = "bad-version"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One fault, and its end.

    :param name: in a word, for the command line.
    :param title: for people.
    :param needs_rest: whether it is one that says nothing before all regions were at rest for three minutes.
    """

    name: Kind | Literal["bad-version"]
    title: str
    needs_rest: bool = False


ALL: tuple[Scenario, ...] = (
    Scenario(name="killed", title="a region refuses every connection"),
    Scenario(name="hanging", title="a region takes connections and never answers"),
    Scenario(name="slow", title="a region answers 0.8 s late", needs_rest=True),
    Scenario(name="wrong", title="a region's model answers wrongly"),
    Scenario(name=BAD_VERSION, title="a version becomes wrong everywhere during its release"),
)
