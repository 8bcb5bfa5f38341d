"""A round's golden requests, all at once, and over at a set time: whatever hangs by then has not answered."""

import json
import time
from collections.abc import Sequence
from concurrent.futures import Executor, wait
from dataclasses import dataclass, field
from typing import Any

from mlplatform_cdk.routing.health_probe.runtime.judging import Asked
from mlplatform_cdk.routing.health_probe.runtime.sending import Answer, Authorize, Sender
from mlplatform_cdk.runtimekit import own_requests
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.runtimekit.manifest import GoldenRequest

INFERENCE_ID = "x-amzn-sagemaker-inference-id"


class NotSent(KnownError):
    """A request that its probe did not get ready in time: that says nothing about the region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Asks a region.

    :param url: of the region's own API, without a slash at the end.
    :param authorize: lets a request in.
    :param sender: sends it.
    :param pool: where it waits for the answer.
    """

    url: str
    authorize: Authorize
    sender: Sender
    pool: Executor

    def ask(self, goldens: Sequence[GoldenRequest]) -> "Asking":
        """Send all requests, and wait for none."""
        asking = Asking(goldens)
        asking.answers = [self.pool.submit(self._send, asking, place) for place in range(len(goldens))]
        return asking

    def _send(self, asking: "Asking", place: int) -> Answer:
        def authorize(request: Any) -> None:
            self.authorize(request)
            asking.let_in.add(place)

        body = json.dumps(asking.goldens[place].body()).encode()
        mark = {INFERENCE_ID: own_requests.new_id()}  # no release takes it for a caller's, and replays it
        return self.sender.send("POST", f"{self.url}/invocations", body, authorize=authorize, more=mark)


@dataclass(slots=True)
class Asking:
    """Requests on their way.

    A time-out of HTTP counts anew for the connection and for each piece of an answer; this one does not.
    """

    goldens: Sequence[GoldenRequest]
    answers: list[Any] = field(default_factory=list)
    let_in: set[int] = field(default_factory=set)
    _began: float = field(default_factory=time.monotonic)

    def over(self, timeout_s: float) -> list[Asked]:
        """Each request with its answer, ``timeout_s`` seconds after they were sent at the latest.

        :raises NotSent: when one was not even on its way by then.
        """
        wait(self.answers, timeout=max(0.0, self._began + timeout_s - time.monotonic()))
        late = Answer(status=0, latency_ms=timeout_s * 1000, problem=f"no answer within {timeout_s:g} s")
        asked = []
        for place, (golden, answer) in enumerate(zip(self.goldens, self.answers, strict=True)):
            if not answer.done() and place not in self.let_in:
                raise NotSent(f"{golden.name} was not let in within {timeout_s:g} s")
            asked.append(Asked(golden, answer.result() if answer.done() else late))
        return asked
