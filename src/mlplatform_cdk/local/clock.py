"""The rehearsal's clock: waits that the templates ask for, shortened by the settings' factor and its limits."""

from __future__ import annotations

import time

from mlplatform_cdk.local import settings


def real_seconds(seconds: float) -> float:
    """How long a wait of ``seconds`` takes here."""
    current = settings.current()
    return _limited(seconds * current.clock_factor, current.longest_wait_s)


def real_answer_seconds(seconds: float) -> float:
    """How long a task that may wait ``seconds`` for its token waits here."""
    current = settings.current()
    return _limited(seconds * current.clock_factor, current.longest_answer_s or current.longest_wait_s)


def sleep(seconds: float) -> None:
    """Wait as long as ``seconds`` take here."""
    time.sleep(real_seconds(seconds))


def _limited(seconds: float, most: float | None) -> float:
    return seconds if most is None else min(seconds, most)
