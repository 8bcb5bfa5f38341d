"""What happens to a release from outside: an alarm, a person at a gate, somebody who stops it."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlplatform_cdk.local.settings import client_environment

if TYPE_CHECKING:
    from mlplatform_cdk.local.rehearsal.ledger import Ledger
    from mlplatform_cdk.local.rehearsal.people import People
    from mlplatform_cdk.local.rehearsal.scenarios import Act
    from mlplatform_cdk.local.rehearsal.watching import Release

# Half-way: callers have been answered by green.
ENOUGH_ANSWERS = 5


class CannotAct(Exception):
    """What should happen from outside cannot happen here."""


@dataclass(slots=True)
class Disturbance:
    """One act, done once, when its moment has come; and the person whom gates ask.

    :param act: what is done.
    """

    act: Act
    _done: bool = False
    _answered: set[str] = field(default_factory=set)

    def look(self, release: Release, people: People, ledger: Ledger) -> None:
        """Do what is due now."""
        self._answer(release, people)
        if self._done or self.act not in ("alarm", "stop"):
            return
        if sum(one.answered and one.variant == release.green for one in ledger.so_far()) < ENOUGH_ANSWERS:
            return
        self._done = True
        release.disturbed = time.time()
        if self.act == "stop":
            people.stop(release.execution, "OperatorError", "rehearsal: somebody stopped the wrong execution")
            release.note("the execution is stopped")
        else:
            release.note(f"the alarm {people.raise_alarm(release.green)} goes off")

    def _answer(self, release: Release, people: People) -> None:
        """Let a gate that has opened be passed, be closed, or wait in vain."""
        gate = people.open_gate(release.execution)
        if gate is None or gate in self._answered:
            return
        self._answered.add(gate)
        release.note("a gate asks")
        if self.act == "ignore":
            return
        verb, reason = ("reject", "not like this") if self.act == "reject" else ("approve", "looks good")
        answer(people, verb, reason)
        release.note(f"the gate is {verb.removesuffix('e')}ed")


def answer(people: People, verb: str, reason: str) -> None:
    """Answer the open gate by the command line, as a person does."""
    program = [sys.executable, "-c", "from mlplatform_cdk.cli import main; main()"]
    ended = subprocess.run(
        [*program, "release", verb, people.target.endpoint, "--reason", reason],
        env=client_environment(people.aws.settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise CannotAct(f"mlplatform release {verb} must work, got: {ended.stderr.strip() or ended.stdout.strip()}")
