"""The rules that are compared: ours, as the probe runs it, and two that are commonly written."""

from dataclasses import dataclass, field
from typing import Protocol

from mlplatform_cdk.runtimekit.region_health import (
    IN_SERVICE,
    Evidence,
    Golden,
    HealthState,
    Observation,
    Peer,
    RegionHealth,
)

_RESTED = HealthState(round=1, unsettled_ms=-1_000_000, well=True, good_in_a_row=5, in_service=True)


class Policy(Protocol):
    """One region's rule, with its memory."""

    in_service: bool
    peer: Peer

    def fold(self, own: Observation, peers: tuple[Peer, ...], others: int) -> float:
        """Decide; how many seconds until the next round."""

    @property
    def is_at_rest(self) -> bool:
        """Would a good round among good ones change nothing but its number."""


@dataclass(slots=True)
class Damped:
    """The rule of the library."""

    region: str
    core: RegionHealth = field(default_factory=RegionHealth)
    state: HealthState = _RESTED
    in_service: bool = True
    peer: Peer = field(init=False)

    def __post_init__(self) -> None:
        """Begin as a region that has been well for a while."""
        self.peer = Peer(self.region, in_service=True, golden=Golden.RIGHT, version="", well=True, steady=True, round=1)

    def fold(self, own: Observation, peers: tuple[Peer, ...], others: int) -> float:
        """Decide by the library."""
        self.state, verdict = self.core.fold(self.state, Evidence(own, peers, others))
        self.in_service = verdict.status == IN_SERVICE
        self.peer = Peer(
            self.region, self.in_service, own.golden, own.version, verdict.well, verdict.steady, verdict.round
        )
        return verdict.next_look_ms / 1000

    @property
    def is_at_rest(self) -> bool:
        """A penalty that does not hold decays by the clock alone."""
        state = self.state
        return state.in_service and state.well and not state.held and not state.bad and self.peer.golden is Golden.RIGHT


@dataclass(slots=True)
class Threshold:
    """So many bad rounds take a region out, and so many good ones bring it back, whatever the others do.

    :param region: its name.
    :param bad: one is the naive rule; three is what health checks are commonly set to.
    :param good: the same for the way back.
    """

    region: str
    bad: int
    good: int
    in_service: bool = True
    run: int = 0
    peer: Peer = field(init=False)

    def __post_init__(self) -> None:
        """Begin in service."""
        self.peer = Peer(self.region, in_service=True, golden=Golden.RIGHT, version="", well=True, steady=True, round=1)

    def fold(self, own: Observation, peers: tuple[Peer, ...], others: int) -> float:  # noqa: ARG002 - a policy's form
        """Count."""
        against = (own.golden is not Golden.RIGHT) == self.in_service
        self.run = self.run + 1 if against else 0
        if self.run >= (self.bad if self.in_service else self.good):
            self.in_service, self.run = not self.in_service, 0
        return 10.0

    @property
    def is_at_rest(self) -> bool:
        """In service, and nothing counted."""
        return self.in_service and not self.run
