"""What became of each request: when it was sent, how long it took, who answered, and what."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request.

    :param number: in the order of sending.
    :param sent: when, in seconds since 1970.
    :param seconds: until the whole answer was there.
    :param status: of HTTP; 0: no answer came.
    :param variant: who answered, or failed to; None where nobody said so.
    :param text: the answer, or the error's message.
    """

    number: int
    sent: float
    seconds: float
    status: int
    variant: str | None
    text: str

    @property
    def answered(self) -> bool:
        """Whether the caller got a prediction."""
        return self.status == OK

    @property
    def ended(self) -> float:
        """When the answer was there, in seconds since 1970."""
        return self.sent + self.seconds


@dataclass(slots=True)
class Ledger:
    """The requests of one scenario, in the order of their answers."""

    requests: list[Request] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, request: Request) -> None:
        """Write one down."""
        with self._lock:
            self.requests.append(request)

    def so_far(self) -> tuple[Request, ...]:
        """All that were answered, or failed, until now."""
        with self._lock:
            return tuple(self.requests)
