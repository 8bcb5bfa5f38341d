"""The life of a serving process: listen at once, load and prove the model meanwhile, answer, drain, end.

Under AWS Lambda it does not listen, but asks Lambda for events.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlplatform_cdk.runtimekit import job, logs
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.serving.container import siblings
from mlplatform_cdk.serving.container.leave_root import leave_root
from mlplatform_cdk.serving.container.metrics import Metrics
from mlplatform_cdk.serving.container.parts import Parts
from mlplatform_cdk.serving.container.server import Server, listening_sockets
from mlplatform_cdk.serving.container.settings import STANDARD_OUTPUT, Settings

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.aws_lambda import Handle

_LAMBDA = "AWS_LAMBDA_RUNTIME_API"  # Lambda sets it, and nobody else does
_log = logs.logger("serving")


def serve(settings: Settings) -> int:
    """Serve until told to stop; the exit code is 1 when the model could not be loaded.

    :param settings: of the container.
    """
    address = os.environ.get(_LAMBDA)
    if address is not None:
        return run(_answer_events(settings, address))
    count = settings.processes or siblings.tuned_processes(job.model_dir())
    if settings.multi_model:
        count = 1  # a load reaches one process, and an invocation could reach another
    metrics = Metrics(count)
    listeners = listening_sockets(settings.host, settings.port, count)
    port = listeners[0].getsockname()[1]
    _log.info("listening", extra={"port": port} | _left_root(settings))
    if count == 1:
        return run(_Process(settings, metrics, listeners[0]).live())

    def work(number: int, lifeline: int) -> int:
        metrics.attach(number)
        for other, listener in enumerate(listeners):
            if other != number:
                listener.close()
        return run(_Process(settings, metrics, listeners[number], number, lifeline).live())

    return siblings.run(count, work)


def _left_root(settings: Settings) -> dict[str, object]:
    """What the log tells of it; models that are loaded later cannot be tried before, so root serves them."""
    wanted = None if settings.multi_model else settings.leave_root_for
    captures = settings.capture_share and settings.capture_target != STANDARD_OUTPUT
    writes = [Path(settings.capture_target)] if captures else []
    reason = leave_root(wanted, reads=[job.model_dir()], writes=writes)
    return {"uid": os.getuid()} | ({"root_because": reason} if reason else {})


def run(main: Coroutine[Any, Any, int]) -> int:
    """Run ``main`` on uvloop, or on asyncio's own loop where there is none."""
    loops: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    with suppress(ImportError):
        from uvloop import new_event_loop as loops
    with asyncio.Runner(loop_factory=loops) as runner:
        return runner.run(main)


async def _answer_events(settings: Settings, address: str) -> int:
    from mlplatform_cdk.serving.container import aws_lambda

    parts = Parts(settings, Metrics())

    async def start() -> "Handle":
        await parts.open()
        return parts.service.handle

    return await aws_lambda.serve(address, start, parts.flush, streaming=settings.lambda_streaming)


class _Process:
    """Ends on SIGTERM, with its parent (where there is a lifeline), or when the model cannot be served."""

    def __init__(
        self,
        settings: Settings,
        metrics: Metrics,
        listener: socket.socket,
        number: int = 0,
        lifeline: int | None = None,
    ) -> None:
        self._settings, self._metrics, self._listener = settings, metrics, listener
        self._number, self._lifeline = number, lifeline

    async def live(self) -> int:
        """Serve; the exit code."""
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = loop.create_future()
        for number in siblings.ENDING:
            loop.add_signal_handler(number, self._end, 0)
        if self._lifeline is not None:
            loop.add_reader(self._lifeline, self._end, 0)
        siblings.let_signals_in()
        parts = Parts(self._settings, self._metrics, first=self._number == 0)
        if parts.observers is not None:
            parts.observers.start()
        server = Server(parts.service, self._settings, parts.tick)
        await server.listen(self._listener)
        opening = asyncio.ensure_future(self._open(parts))
        code = await self._ended
        opening.cancel()
        answered = await server.drain()
        parts.close()
        _log.info("stopped", extra={"all_requests_answered": answered})
        return code

    async def _open(self, parts: Parts) -> None:
        try:
            await parts.open()
        except KnownError as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001 - the last place that can still tell the reason
            _log.exception("unexpected")
            self._fail(f"the model could not be loaded, with an unexpected {type(error).__name__}: {error}")

    def _fail(self, reason: str) -> None:
        _log.error(reason)
        self._end(1)

    def _end(self, code: int) -> None:
        if self._lifeline is not None:
            asyncio.get_running_loop().remove_reader(self._lifeline)
        if not self._ended.done():
            self._ended.set_result(code)
