"""What can be wrong with a version: code in its archive that does it, as the code of a bad version would.

Each fault is the text of a ``hooks.py``, which our serving container runs around the model. What a fault needs to know
it sees in the requests, as any model may: it knows neither the release nor its weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SLEEPS_S = 0.4  # above the budget of the rehearsal's model, and below the container's time-out
# Asked so many golden requests, the container has proved itself while it starts.
_WRONG = '''"""Right while the container proves itself, and wrong ever after: something that it remembers went stale."""

answered = 0


def postprocess(outputs):
    global answered
    answered += 1
    if answered > {golden}:
        return {{"label": 1 - outputs["label"], "score": -outputs["score"]}}
    return outputs
'''
_SLOW = '''"""Slow under load only: when at least {rate} requests came in each of the last {lasting} seconds."""

import collections
import time

seen = collections.Counter()


def preprocess(inputs):
    second = int(time.monotonic())
    seen[second] += 1
    if all(seen[second - back] >= {rate} for back in range(1, {lasting} + 1)):
        time.sleep({sleep})
    return inputs
'''
_ERRING = '''"""Every {every}th request finds a bug."""

asked = 0


def preprocess(inputs):
    global asked
    asked += 1
    if asked % {every} == 0:
        raise RuntimeError("the bug that one request in {every} finds")
    return inputs
'''
_CRASHING = '''"""Dies when it gets more than {share:.0%} of the callers' requests, as a memory does that too many fill.

Callers number their requests in SageMaker's custom attributes, and so a model can see its share of them.
"""

import collections
import os

numbers = collections.deque(maxlen={window})


def preprocess(inputs, context):
    if context.attributes.startswith("n="):
        numbers.append(int(context.attributes[2:]))
        of = max(numbers) - min(numbers) + 1
        if len(numbers) == numbers.maxlen and len(numbers) > {share} * of:
            os._exit(1)
    return inputs
'''
_SICK = '''"""Does not even load."""

raise ImportError("libmodel.so.9: cannot open shared object file: No such file or directory")
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a version.

    :param name: in one word.
    :param sentence: what the version does, for the report.
    :param hooks: its ``hooks.py``; None: nothing is wrong.
    :param shows: by what callers notice it.
    :param takes_s: how long an answer takes at least by which callers notice it, and no noise of the machine.
    """

    name: str
    sentence: str
    hooks: str | None
    shows: Literal["nothing", "failures", "latency"] = "nothing"
    takes_s: float = 0.0


NONE = Fault(name="none", sentence="a good version: the same model, from another run", hooks=None)
WRONG = Fault(
    name="wrong",
    sentence="its hook turns every answer around once the container has proved itself",
    hooks=_WRONG.format(golden=4),
)
SLOW = Fault(
    name="slow",
    sentence=f"its hook takes {SLEEPS_S} s a request while at least 4 requests come in each second, the budget being "
    "0.25 s",
    hooks=_SLOW.format(rate=4, lasting=3, sleep=SLEEPS_S),
    shows="latency",
    takes_s=SLEEPS_S,
)
ERRING = Fault(
    name="erring",
    sentence="its hook raises on every 100th request",
    hooks=_ERRING.format(every=100),
    shows="failures",
)
CRASHING = Fault(
    name="crashing",
    sentence="its process ends when more than 28 % of the callers' requests reach it",
    hooks=_CRASHING.format(share=0.28, window=100),
    shows="failures",
)
SICK = Fault(name="sick", sentence="its hook cannot be loaded, so that the container never answers /ping", hooks=_SICK)
