"""How long does the event loop stay awake after an answer?"""

from collections.abc import Callable
from typing import Any

import pytest

from mlplatform_cdk.serving.container import busy_poll
from mlplatform_cdk.serving.container.busy_poll import BusyPoll


class Loop:
    """An event loop whose turns a test takes."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []
        self.now = 0.0

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.soon.append(callback)

    def turns(self, seconds: float) -> int:
        """How many callbacks waited for a turn ``seconds`` later, which it takes."""
        self.now += seconds
        waiting, self.soon = self.soon, []
        for callback in waiting:
            callback()
        return len(waiting)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    made = Loop()
    monkeypatch.setattr(busy_poll, "perf_counter", lambda: made.now)
    return made


def test_the_loop_stays_awake_until_the_time_after_the_last_answer_is_over(loop: Any) -> None:
    poll = BusyPoll(loop, 0.5)

    poll.answered()
    assert loop.turns(0.4) == 1
    poll.answered()
    assert loop.turns(0.4) == 1
    assert loop.turns(0.2) == 1
    assert loop.turns(0.1) == 0
    poll.answered()
    assert loop.turns(0.1) == 1


def test_by_default_it_sleeps_at_once(loop: Any) -> None:
    poll = BusyPoll(loop, 0.0)

    poll.answered()

    assert loop.turns(0.0) == 0
