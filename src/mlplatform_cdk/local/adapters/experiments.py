"""Experiments of AWS FIS that run: documents of Systems Manager under the template's role, stopped by real alarms.

moto counts an experiment as completed when it is looked at. Actions that break machines of AWS itself stay with AWS.
https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#ssm-start-automation-execution
"""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from moto.cloudwatch.models import cloudwatch_backends
from moto.fis.models import Experiment, FISBackend

from mlplatform_cdk.local import clock, role_clients, roles
from mlplatform_cdk.local.adapters.automation.actions import seconds_in
from mlplatform_cdk.local.adapters.automation.execution import RUNNING, SUCCESS
from mlplatform_cdk.local.adapters.automation.values import Wrong

START_AUTOMATION = "aws:ssm:start-automation-execution"
_SERVICE, _ALARM = "fis.amazonaws.com", "aws:cloudwatch:alarm"
_POLL_S = 0.1
_HALTED = "Experiment halted by stop condition."

_make = Experiment.__init__
_start = FISBackend.start_experiment


def install() -> None:
    """Run experiments when they are started."""
    Experiment.__init__ = _make_still
    FISBackend.start_experiment = _start_and_run


def _make_still(self: Experiment, *arguments: Any, **named: Any) -> None:
    """Nothing but its run, and who stops it, changes its state."""
    _make(self, *arguments, **named)
    self._transitions = [("pending", "pending")]


def _start_and_run(self: FISBackend, *arguments: Any, **named: Any) -> Any:
    known = {*self.experiments}
    answer = _start(self, *arguments, **named)
    for id_ in {*self.experiments} - known:
        run = _Run(self.experiments[id_])
        threading.Thread(target=run.run, name=f"experiment-{id_}", daemon=True).start()
    return answer


class _Failed(Exception):
    """The experiment has failed."""


class _Run:
    """One experiment, as it goes."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._executions: list[str] = []
        self._until = float("inf")

    def run(self) -> None:
        """From its start to its end, whatever that is."""
        try:
            if self._must_stop():
                self._end("stopped", _HALTED)
                return
            self._begin()
            self._end(*self._follow())
        except (_Failed, Wrong, ClientError, BotoCoreError, roles.RoleCannotBeAssumed) as error:
            self._end("failed", str(error))

    def _begin(self) -> None:
        for action in self._experiment.actions.values():
            if action["actionId"] != START_AUTOMATION:
                raise _Failed(f"the embedded AWS has no action {action['actionId']}; it has {START_AUTOMATION}")
            given = action["parameters"]
            values = json.loads(given.get("documentParameters") or "{}")
            self._until = time.monotonic() + clock.real_seconds(seconds_in(given["maxDuration"]))
            started = self._ssm().start_automation_execution(
                DocumentName=given["documentArn"],
                Parameters={name: one if isinstance(one, list) else [one] for name, one in values.items()},
            )
            self._executions.append(started["AutomationExecutionId"])
        if self._experiment.status == "pending":  # else somebody has stopped it already
            self._experiment.status = "running"

    def _follow(self) -> tuple[str, str]:
        """Wait for the documents; how it ended and why."""
        ended, reason = "completed", "Experiment completed"
        while running := [one for one in self._executions if self._look(one) in RUNNING]:
            late = time.monotonic() > self._until
            if ended == "completed" and (late or self._experiment.status == "stopping" or self._must_stop()):
                by_hand = self._experiment.status == "stopping"
                ended, reason = "stopped", "Experiment stopped" if by_hand else _HALTED
                if late:
                    ended, reason = "failed", "the maximum duration is over"
                self._experiment.status = "stopping"
                for one in running:
                    self._ssm().stop_automation_execution(AutomationExecutionId=one)
            time.sleep(_POLL_S)
        statuses = [self._look(one) for one in self._executions]
        if ended == "completed" and any(one != SUCCESS for one in statuses):
            return "failed", f"the documents ended as {', '.join(statuses)}"
        return ended, reason

    def _must_stop(self) -> bool:
        """Does one of its alarms ring."""
        alarms = cloudwatch_backends[self._experiment.account_id][self._experiment.region_name].alarms
        names = [one["value"].rpartition(":")[2] for one in self._experiment.stop_conditions if one["source"] == _ALARM]
        return any(name in alarms and alarms[name].state_value == "ALARM" for name in names)

    def _look(self, execution: str) -> str:
        found = self._ssm().get_automation_execution(AutomationExecutionId=execution)
        return str(found["AutomationExecution"]["AutomationExecutionStatus"])

    def _ssm(self) -> Any:
        experiment = self._experiment
        return role_clients.client_for(
            "ssm",
            experiment.region_name,
            role_arn=experiment.role_arn,
            session_name=f"experiment-{experiment.id}",
            principal=_SERVICE,
        )

    def _end(self, status: str, reason: str) -> None:
        self._experiment.STATUS_REASONS = {**Experiment.STATUS_REASONS, status: reason}
        self._experiment.status = status
