"""Refusals that another region may contradict: until then, nobody knows whether the request is wrong or the region."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from mlplatform_cdk.runtimekit.client import answers
from mlplatform_cdk.runtimekit.client.answers import Attempt, CallRefused
from mlplatform_cdk.runtimekit.client.regions import Regions, Ticket
from mlplatform_cdk.runtimekit.client.wire import Reply


@dataclass(slots=True)
class Refusals:
    """What regions refused in one call; ``regions`` are told what became of it."""

    _held: list[tuple[Ticket, Reply]] = field(default_factory=list)

    @property
    def by(self) -> set[str]:
        """The regions that refused."""
        return {ticket.region for ticket, _ in self._held}

    @property
    def are_final(self) -> bool:
        """Whether one of them is of the request itself, which no further region needs to be asked about."""
        return any(not answers.may_differ(reply) for _, reply in self._held)

    def __len__(self) -> int:
        """How many."""
        return len(self._held)

    def add(self, ticket: Ticket, reply: Reply) -> None:
        """Hold ``reply`` until another region has spoken."""
        self._held.append((ticket, reply))

    def contradicted(self, regions: Regions, now: float, *, answered: bool) -> None:
        """Another region let the request in; ``answered``: and gave the answer."""
        for ticket, reply in self._held:
            at_fault = answered or answers.may_differ(reply)
            regions.disputed(ticket, now, why=answers.said(reply), at_fault=at_fault)
        self._held.clear()

    def error(self, regions: Regions, now: float, attempts: Sequence[Attempt]) -> CallRefused:
        """The error by which the call ends: nobody contradicted the last one."""
        ticket, reply = self._held[-1]
        for other, _ in self._held:
            regions.answered(other, now, fully=False)
        self._held.clear()
        return CallRefused(reply, ticket.region, attempts)

    def drop(self, regions: Regions, now: float) -> None:
        """It was never known; no region is blamed."""
        for ticket, reply in self._held:
            regions.disputed(ticket, now, why=answers.said(reply), at_fault=False)
        self._held.clear()
