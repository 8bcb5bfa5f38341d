"""Callers that never pause: what they were answered, by which variant, while something else happens."""

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from botocore.exceptions import BotoCoreError, ClientError

PAUSE_SECONDS = 0.02


@dataclass
class Traffic:
    """One caller after another, for the block.

    :param runtime: a ``sagemaker-runtime`` client that tries once.
    :param endpoint_name: whom to ask.
    :param body: what to ask, as JSON.
    """

    runtime: Any
    endpoint_name: str
    body: str
    variants: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join(timeout=10)
        assert not self._thread.is_alive()

    def wait_for_answers(self, count: int, patience: float = 10.0) -> None:
        """Go on until ``count`` more requests were answered."""
        enough, deadline = len(self.variants) + count, time.monotonic() + patience
        while len(self.variants) < enough:
            assert time.monotonic() < deadline, f"only {len(self.variants)} answers; failures: {self.failures[:3]}"
            time.sleep(PAUSE_SECONDS)

    def _ask(self) -> None:
        while not self._over.wait(PAUSE_SECONDS):
            try:
                answer = self.runtime.invoke_endpoint(
                    EndpointName=self.endpoint_name, ContentType="application/json", Body=self.body
                )
                answer["Body"].read()
                self.variants.append(answer["InvokedProductionVariant"])
            except (BotoCoreError, ClientError) as failure:
                self.failures.append(str(failure))
