"""Wait states and retries by the rehearsal's clock; see tokens for the only time-outs that are shortened."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service_callback
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

from mlplatform_cdk.local import clock

if TYPE_CHECKING:
    from moto.stepfunctions.parser.asl.eval.environment import Environment

POLL_SECONDS = 0.2


class _UtcClock(datetime):
    """A definition's timestamps are UTC; moto compares them with the machine's own time."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override] # noqa: ARG003 -- datetime's signature
        """The time in UTC, without a zone."""
        return datetime.now(tz=UTC).replace(tzinfo=None)


def install() -> None:
    """Put the rehearsal's clock under waits, retries and polls."""
    WaitFunction._wait_interval = _wait
    retrier_decl.time = SimpleNamespace(sleep=clock.sleep)
    timestamp.datetime = SimpleNamespace(datetime=_UtcClock)
    state_task_service_callback._DELAY_SECONDS_SYNC_CONDITION_CHECK = POLL_SECONDS


def _wait(_function: WaitFunction, env: Environment, wait_seconds: float) -> None:
    wait(env, wait_seconds)


def wait(env: Environment, seconds: float) -> None:
    """Let an execution wait by the rehearsal's clock, or until it is stopped.

    :param env: the execution's.
    :param seconds: of the definition.
    """
    deadline = time.monotonic() + clock.real_seconds(max(seconds, 0))
    while env.is_running() and (left := deadline - time.monotonic()) > 0:
        env.program_state_event.wait(left)
