"""How long a task waits for its token: by the rehearsal's clock, since nobody works meanwhile.

The time-outs of other tasks stay real: work takes as long as it takes. And what is said about a token while the task
that handed it out still runs counts: moto refuses such a heartbeat, and with heartbeats misses such an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.stepfunctions.parser.asl.component.common.timeouts.heartbeat import Heartbeat
from moto.stepfunctions.parser.asl.component.common.timeouts.timeout import Timeout
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.resource import ResourceCondition
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task import StateTask
from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint, HeartbeatEndpoint

from mlplatform_cdk.local import clock

if TYPE_CHECKING:
    from moto.stepfunctions.parser.asl.component.state.state_props import StateProps
    from moto.stepfunctions.parser.asl.eval.environment import Environment

_from_props = StateTask.from_state_props
_set_up_heartbeat = CallbackEndpoint.setup_heartbeat_endpoint
_beat = CallbackEndpoint.notify_heartbeat


def install() -> None:
    """Shorten the time-out and the heartbeat of tasks with ``.waitForTaskToken``, and hear of their tokens early."""
    StateTask.from_state_props = _from_props_by_the_clock
    CallbackEndpoint.notify_heartbeat = _beat_at_any_time
    CallbackEndpoint.setup_heartbeat_endpoint = _set_up_with_what_came


def _beat_at_any_time(endpoint: CallbackEndpoint) -> bool:
    _beat(endpoint)
    return True


def _set_up_with_what_came(endpoint: CallbackEndpoint, heartbeat_seconds: int) -> HeartbeatEndpoint:
    heartbeat: HeartbeatEndpoint = _set_up_heartbeat(endpoint, heartbeat_seconds)
    if endpoint.get_outcome() is not None:
        heartbeat.notify()
    return heartbeat


class _ShorterTimeout(Timeout):
    """A time-out by the rehearsal's clock."""

    def __init__(self, asked: Timeout) -> None:
        self._asked = asked

    def is_default_value(self) -> bool:
        """Whether the definition says nothing."""
        return self._asked.is_default_value()

    def _eval_seconds(self, env: Environment) -> float:
        seconds = self._asked._eval_seconds(env)
        return seconds if self.is_default_value() else clock.real_answer_seconds(seconds)


class _ShorterHeartbeat(Heartbeat):
    """A heartbeat by the rehearsal's clock."""

    def __init__(self, asked: Heartbeat) -> None:
        self._asked = asked

    def _eval_seconds(self, env: Environment) -> float:
        return clock.real_answer_seconds(self._asked._eval_seconds(env))


def _from_props_by_the_clock(task: StateTask, state_props: StateProps) -> None:
    _from_props(task, state_props)
    if getattr(task.resource, "condition", None) is not ResourceCondition.WaitForTaskToken:
        return
    task.timeout = _ShorterTimeout(task.timeout)
    if task.heartbeat is not None:
        task.heartbeat = _ShorterHeartbeat(task.heartbeat)
