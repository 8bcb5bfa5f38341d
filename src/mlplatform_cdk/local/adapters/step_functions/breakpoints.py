"""Breakpoints, which AWS does not have: executions that wait before a state where somebody wants to stop them.

``PUT /_embedded/breakpoints`` with ``["BeginWindow"]`` lets each execution that starts from now on wait before it
enters the state BeginWindow, whatever the clock, until it is stopped. ``POST`` lets those go on that wait, and wait no
more. ``GET`` says which executions wait, and where. The definition stays as it was deployed.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

PATH = "/_embedded/breakpoints"

StartResponse = Callable[[str, list[tuple[str, str]]], object]
_make = ExecutionWorker.__init__
_program_of = ExecutionWorker._get_evaluation_entrypoint
_state_of = Program._get_state
_POLL_SECONDS = 0.05
_set: set[str] = set()
_waiting: dict[str, str] = {}
_free: set[str] = set()


@dataclass(frozen=True, slots=True)
class _Held:
    """A state, and the wait before it."""

    name: str
    state: CommonStateField

    def eval(self, env: Environment) -> None:
        """Wait, and go on unless the execution was stopped meanwhile."""
        execution = env.states.context_object.context_object_data["Execution"]["Id"]
        if execution not in _free:
            _waiting[execution] = self.name
        while env.is_running() and execution in _waiting:
            env.program_state_event.wait(_POLL_SECONDS)
        _waiting.pop(execution, None)
        if env.is_running():
            self.state.eval(env)


def install() -> None:
    """Let executions keep the breakpoints that they started with, and answer who asks for them."""
    ExecutionWorker.__init__ = _make_with_breakpoints
    ExecutionWorker._get_evaluation_entrypoint = _program_with_breakpoints
    Program._get_state = _state_or_wait
    inner = DomainDispatcherApplication.__call__
    if getattr(inner, "has_breakpoints", False):
        return

    @functools.wraps(inner)
    def answering(application: Any, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == PATH:
            return _answer(environ, start_response)
        passed_on: Iterable[bytes] = inner(application, environ, start_response)
        return passed_on

    answering.has_breakpoints = True  # type: ignore[attr-defined]
    DomainDispatcherApplication.__call__ = answering


def _make_with_breakpoints(worker: ExecutionWorker, *positional: Any, **named: Any) -> None:
    _make(worker, *positional, **named)
    worker.breakpoints = frozenset(_set)


def _program_with_breakpoints(worker: ExecutionWorker) -> Program:
    program = _program_of(worker)
    program.breakpoints = worker.breakpoints
    return program


def _state_or_wait(program: Program, name: str) -> CommonStateField | _Held:
    state = _state_of(program, name)
    return _Held(name, state) if name in getattr(program, "breakpoints", ()) else state


def _answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    if environ["REQUEST_METHOD"] == "PUT":
        told = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        _set.clear()
        _set.update(told)
    elif environ["REQUEST_METHOD"] == "POST":
        _free.update(_waiting)
        _waiting.clear()
    body = json.dumps(dict(_waiting)).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(f"{HTTPStatus.OK.value} {HTTPStatus.OK.phrase}", headers)
    return [body]
