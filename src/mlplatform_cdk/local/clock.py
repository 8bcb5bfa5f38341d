"""The rehearsal's clock: waits that the templates ask for, shortened by the settings' factor."""

from __future__ import annotations

import time

from mlplatform_cdk.local import settings


def real_seconds(seconds: float) -> float:
    """How long a wait of ``seconds`` takes here."""
    return seconds * settings.current().clock_factor


def sleep(seconds: float) -> None:
    """Wait as long as ``seconds`` take here."""
    time.sleep(real_seconds(seconds))
