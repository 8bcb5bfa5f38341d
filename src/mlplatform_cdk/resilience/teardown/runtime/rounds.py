"""What one round of a teardown gives: nothing is left, or what it waits for."""

from collections.abc import Callable
from dataclasses import dataclass

# What changes by itself is looked at this often.
PAUSE_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How a round ended.

    :param waits_for: what is still there, in words; empty: nothing is.
    :param pause_s: until the next round, in seconds; default: 15.
    """

    waits_for: str = ""
    pause_s: int = PAUSE_S


DONE = Round()
# The seconds that are left of a call.
SecondsLeft = Callable[[], float]
Work = Callable[[SecondsLeft], Round]
