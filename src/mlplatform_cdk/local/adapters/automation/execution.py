"""One execution of a document: its steps, one after the other, in a thread of its own."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mlplatform_cdk.local.adapters.automation import actions
from mlplatform_cdk.local.adapters.automation.values import Wrong, filled, outputs

RUNNING = ("Pending", "InProgress", "Waiting")
SUCCESS, FAILED, CANCELLED = "Success", "Failed", "Cancelled"
_GO_TO = "step:"
_BRANCH = "aws:branch"


@dataclass(slots=True)
class StepRun:
    """One step, as it went."""

    name: str
    action: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    status: str = "InProgress"
    failure: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: datetime = field(default_factory=lambda: datetime.now(tz=UTC))
    ended: datetime | None = None

    def end(self, status: str, failure: str = "") -> None:
        """It is over."""
        self.status, self.failure, self.ended = status, failure, datetime.now(tz=UTC)


class Stopped(Exception):
    """Somebody stopped the execution."""


class Execution:
    """A document that runs.

    :param document: its name.
    :param content: what it says.
    :param version: which one of it.
    :param values: of its parameters.
    :param role: whose permissions its steps have.
    :param by: the ARN of whoever started it.
    """

    def __init__(
        self,
        *,
        document: str,
        content: Mapping[str, Any],
        version: str,
        values: Mapping[str, Any],
        role: str,
        by: str,
        place: tuple[str, str],
    ) -> None:
        self.id = str(uuid.uuid4())
        self.document, self.version, self.values, self.role, self.by = document, version, values, role, by
        self.account, self.region = place
        self.session = f"automation-{self.id}"
        self.status, self.failure = "Pending", ""
        self.outputs: dict[str, list[str]] = {}
        self.steps: list[StepRun] = []
        self.started = datetime.now(tz=UTC)
        self.ended: datetime | None = None
        self.approvers: Sequence[str] = ()
        self._content = content
        self._stopped, self._changed = threading.Event(), threading.Condition()
        self._answer: str | None = None

    def start(self) -> None:
        """Run in a thread of its own."""
        threading.Thread(target=self._run, name=self.session, daemon=True).start()

    def stop(self) -> None:
        """Go on with no further step, but for those of ``onCancel``."""
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()

    def answer(self, signal: str) -> None:
        """``Approve`` or ``Reject``, of somebody who may."""
        with self._changed:
            self._answer = signal
            self._changed.notify_all()

    def ask(self, approvers: Sequence[str], seconds: float) -> str | None:
        """Wait for an answer; None: there was none in time."""
        with self._changed:
            self.approvers, self._answer, self.status = approvers, None, "Waiting"
            self._changed.wait_for(lambda: self._answer is not None or self._stopped.is_set(), timeout=seconds)
            self.status = "InProgress"
        self._look_for_stop()
        return self._answer

    def pause(self, seconds: float) -> None:
        """Let time pass, or until somebody stops it."""
        self._stopped.wait(seconds)
        self._look_for_stop()

    @staticmethod
    def now() -> float:
        """Seconds, of a clock that is only compared with itself."""
        return time.monotonic()

    def _look_for_stop(self) -> None:
        if self._stopped.is_set():
            raise Stopped

    def _run(self) -> None:
        self.status = "InProgress"
        by_name = {step["name"]: step for step in self._content["mainSteps"]}
        name: str | None = next(iter(by_name))
        cancelled = False
        while name is not None:
            step = by_name[name]
            try:
                name = self._take(step, [*by_name])
            except Stopped:
                cancelled = True
                self._stopped.clear()  # what onCancel names runs to its end
                name = _goal(step.get("onCancel", "Abort"))
            except Wrong as wrong:
                name = self._after(step, str(wrong), [*by_name])
        if cancelled:
            self.status = CANCELLED
        elif not self.failure:
            self.status = SUCCESS
        else:
            self.status = FAILED
        self.outputs = {one: [self._told(one)] for one in self._content.get("outputs") or ()}
        self.ended = datetime.now(tz=UTC)

    def _take(self, step: Mapping[str, Any], order: Sequence[str]) -> str | None:
        """Do the step, as often as it may be tried; the name of the next one."""
        run = StepRun(step["name"], step["action"])
        self.steps.append(run)
        tries = int(step.get("maxAttempts", 1))
        for left in reversed(range(tries)):
            try:
                following = self._act(step, run, order)
            except Stopped:
                run.end(CANCELLED)
                raise
            except Wrong as wrong:
                if not left:
                    run.end(FAILED, str(wrong))
                    raise
            else:
                run.end(SUCCESS)
                return following
        raise AssertionError("a step is tried once at least")

    def _act(self, step: Mapping[str, Any], run: StepRun, order: Sequence[str]) -> str | None:
        self._look_for_stop()
        run.inputs = filled(step.get("inputs") or {}, self._look_up)
        if step["action"] == _BRANCH:
            return actions.chosen(run.inputs)
        act = actions.ACTIONS.get(step["action"])
        if act is None:
            raise Wrong(f"the embedded AWS has no action {step['action']}")
        run.outputs = outputs(step, act(self, run.inputs, step))
        return None if step.get("isEnd") else step.get("nextStep") or _next(step["name"], order)

    def _after(self, step: Mapping[str, Any], problem: str, order: Sequence[str]) -> str | None:
        """Where a step that failed leads."""
        way = step.get("onFailure", "Abort")
        if way != "Continue" or step.get("isCritical", True):
            self.failure = self.failure or f"step {step['name']} failed: {problem}"
        if way == "Continue":
            return None if step.get("isEnd") else step.get("nextStep") or _next(step["name"], order)
        return _goal(way)

    def _look_up(self, name: str) -> Any:
        known = {
            "automation:EXECUTION_ID": self.id,
            "global:REGION": self.region,
            "global:ACCOUNT_ID": self.account,
            "global:DATE": f"{self.started:%Y-%m-%d}",
            "global:DATE_TIME": f"{self.started:%Y-%m-%d_%H.%M.%S}",
        }
        if name in known:
            return known[name]
        if name in self.values:
            return self.values[name]
        step, _, output = name.partition(".")
        for run in reversed(self.steps):
            if run.name == step and output in run.outputs:
                return run.outputs[output]
        raise Wrong(f"nothing is known by the name {name}")

    def _told(self, name: str) -> str:
        try:
            return str(self._look_up(name))
        except Wrong:
            return "No output available yet because the step is not successfully executed"


def _goal(way: str) -> str | None:
    return way.removeprefix(_GO_TO) if way.startswith(_GO_TO) else None


def _next(name: str, order: Sequence[str]) -> str | None:
    at = order.index(name) + 1
    return order[at] if at < len(order) else None
