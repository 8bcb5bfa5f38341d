"""The client's only door to the world: time, chance and connections. A test puts another world behind it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, as it is sent.

    :param url: with the path.
    :param headers: all but ``Host`` and ``Content-Length``.
    :param body: the content.
    :param method: of HTTP; default: POST.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole answer.

    :param status: of HTTP.
    :param headers: by names in lower case.
    :param body: the content.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """No whole answer.

    :param what: what the region did, such as ``refused the connection``.
    :param sent: whether the request may have reached it.
    """

    what: str
    sent: bool


class Exchange(Protocol):
    """A request under way."""

    def outcome(self) -> Reply | Fault | None:
        """What came of it; None: it still runs."""

    def cancel(self) -> None:
        """Break it off, and close its connection."""


class Wire(Protocol):
    """Where requests go out, and time passes."""

    def now(self) -> float:
        """Seconds of a clock that never goes back."""

    def chance(self) -> float:
        """A random number from 0 to 1."""

    def start(self, request: Request, *, connect_s: float, attempt_s: float) -> Exchange:
        """Send ``request``; return at once."""

    def wait(self, exchanges: Collection[Exchange], seconds: float) -> None:
        """Return when one of ``exchanges`` has its outcome, or after ``seconds``."""

    def close(self) -> None:
        """Close every connection."""
