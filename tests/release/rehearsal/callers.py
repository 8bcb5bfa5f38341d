"""Somebody who asks the endpoint all the time, while it changes."""

import threading
from collections import Counter
from typing import Self

from botocore.exceptions import ClientError

from tests.release.rehearsal.conftest import Rehearsal


class Callers:
    """Somebody always asks the endpoint; each answer must be right."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.outcomes: Counter[str] = Counter()
        self._rehearsal, self._stop = rehearsal, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            try:
                self._rehearsal.ask()
                self.outcomes["answered"] += 1
            except (ClientError, AssertionError) as failure:
                self.outcomes[str(failure)] += 1
