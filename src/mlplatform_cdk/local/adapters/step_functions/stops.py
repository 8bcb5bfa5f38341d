"""An execution that is stopped has ended at once, whatever its task still does.

In AWS a function that runs when its execution is stopped runs on, and nothing of it is in the history any more; moto
waits for it, and for a task with a token until that times out.
"""

from __future__ import annotations

import threading
import time
import weakref
from typing import Any

from moto.stepfunctions.parser.api import ExecutionAbortedEventDetails, ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.utils import TMP_THREADS

LOOK_SECONDS = 0.2

_evaluate = Program.eval
_add = EventManager.add_event
_set_error = Environment.set_error
_adding = threading.Lock()
_stopped: weakref.WeakSet[EventManager] = weakref.WeakSet()
_aborted: weakref.WeakSet[EventManager] = weakref.WeakSet()  # their histories have ended


def install() -> None:
    """Let no execution outlive its stop, and no event its history."""
    Program.eval = _evaluate_until_stopped
    EventManager.add_event = _add_until_stopped
    Environment.set_error = _set_error_unless_stopped


def interrupt(env: Environment) -> None:
    """Wake the tasks of a stopped execution that wait for a token: that they woke is not in its history.

    :param env: the execution's.
    """
    if isinstance(env.program_state(), ProgramStopped):
        with _adding:
            _stopped.add(env.event_manager)
    for endpoint in list(env.callback_pool_manager._pool.values()):
        endpoint.interrupt_all()


def _evaluate_until_stopped(program: Program, env: Environment) -> None:
    if env.is_frame():
        _evaluate(program, env)
        return
    seconds = program.timeout_seconds.timeout_seconds if program.timeout_seconds else float("inf")
    deadline = time.monotonic() + seconds
    env.next_state_name = program.start_at.start_at_name
    worker = threading.Thread(target=EvalComponent.eval, args=(program, env), daemon=True)
    TMP_THREADS.append(worker)
    worker.start()
    while worker.is_alive() and env.is_running():
        env.program_state_event.wait(LOOK_SECONDS)  # a change of state wakes it sooner
        if time.monotonic() > deadline:
            env.set_timed_out()
            return
    state = env.program_state()
    if not isinstance(state, ProgramStopped):
        worker.join()
        return
    env.event_history_context.source_event_id = 0
    details = ExecutionAbortedEventDetails(error=state.error, cause=state.cause)
    env.event_manager.add_event(
        context=env.event_history_context,
        event_type=HistoryEventType.ExecutionAborted,
        event_details=EventDetails(executionAbortedEventDetails=details),
    )


def _add_until_stopped(
    manager: EventManager, context: Any, event_type: HistoryEventType, *more: Any, **named: Any
) -> int:
    with _adding:
        aborts = event_type is HistoryEventType.ExecutionAborted
        if manager in _aborted or (manager in _stopped and not aborts):
            return int(context.last_published_event_id or 0)
        if aborts:
            _aborted.add(manager)
        return int(_add(manager, context, event_type, *more, **named))


def _set_error_unless_stopped(env: Environment, error: ExecutionFailedEventDetails) -> None:
    """What breaks in the task of a stopped execution is nobody's failure."""
    with env._state_mutex:
        if not isinstance(env._program_state, ProgramStopped):
            _set_error(env, error)
