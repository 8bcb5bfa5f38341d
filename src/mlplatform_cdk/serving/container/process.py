"""The life of a serving process: listen at once, load and prove the model meanwhile, answer, drain, end."""

import asyncio
import gc
import signal
import socket
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from mlplatform_cdk.runtimekit import job, logs
from mlplatform_cdk.runtimekit.errors import KnownError
from mlplatform_cdk.serving.container import siblings
from mlplatform_cdk.serving.container.metrics import Metrics
from mlplatform_cdk.serving.container.server import Server, listening_sockets
from mlplatform_cdk.serving.container.service import Service
from mlplatform_cdk.serving.container.settings import Settings

_GARBAGE_THRESHOLD = 20_000  # new objects between collections: a request leaves none that need one
_log = logs.logger("serving")


def serve(settings: Settings) -> int:
    """Serve until told to stop; the exit code is 1 when the model could not be loaded.

    :param settings: of the container.
    """
    count = settings.processes or siblings.tuned_processes(job.model_dir())
    metrics = Metrics(count)
    listeners = listening_sockets(settings.host, settings.port, count)
    _log.info("listening", extra={"port": listeners[0].getsockname()[1]})
    if count == 1:
        return run(_Process(settings, metrics, listeners[0]).live())

    def work(number: int) -> int:
        metrics.attach(number)
        for other, listener in enumerate(listeners):
            if other != number:
                listener.close()
        return run(_Process(settings, metrics, listeners[number]).live())

    return siblings.run(count, work)


def run(main: Coroutine[Any, Any, int]) -> int:
    """Run ``main`` on uvloop, or on asyncio's own loop where there is none."""
    loops: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    with suppress(ImportError):
        from uvloop import new_event_loop as loops
    with asyncio.Runner(loop_factory=loops) as runner:
        return runner.run(main)


class _Process:
    """Ends on SIGTERM, or when the model cannot be served."""

    def __init__(self, settings: Settings, metrics: Metrics, listener: socket.socket) -> None:
        self._settings, self._metrics, self._listener = settings, metrics, listener

    async def live(self) -> int:
        """Serve; the exit code."""
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = loop.create_future()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, 0)
        service = Service(self._settings, self._metrics)
        server = Server(service, self._settings)
        await server.listen(self._listener)
        self._start_loading(loop, service)
        code = await self._ended
        answered = await server.drain()
        _log.info("stopped", extra={"all_requests_answered": answered})
        return code

    def _start_loading(self, loop: asyncio.AbstractEventLoop, service: Service) -> None:
        def later(call: Callable[..., None], *arguments: Any) -> None:
            loop.call_soon_threadsafe(call, *arguments)

        threading.Thread(target=self._load, args=(service, later), daemon=True).start()

    def _load(self, service: Service, later: Callable[..., None]) -> None:
        try:
            # The numerical libraries are imported here, while the process listens already.
            from mlplatform_cdk.serving.container import predictor
            from mlplatform_cdk.serving.container.model import Model

            model = Model.load(job.model_dir(), self._settings)
            gc.collect()
            gc.freeze()  # what the warm-up has made lives as long as the process: collections need not look at it
            gc.set_threshold(_GARBAGE_THRESHOLD)
            later(service.serve, model)
            manifest, engine = model.manifest, model.engine
            told = {"run_id": manifest.run_id, "golden_requests": len(manifest.golden_requests)}
            told |= {"engine": engine.name, "precision": engine.precision, "max_batch_size": model.max_batch_size}
            told |= {"milliseconds": round(1000 * model.run_seconds, 3)}
            told |= {"inline": model.run_seconds < predictor.INLINE_SECONDS}
            _log.info("ready", extra=told)
        except KnownError as error:
            self._fail(str(error), later)
        except Exception as error:  # noqa: BLE001 - the last place that can still tell the reason
            _log.exception("unexpected")
            self._fail(f"the model could not be loaded, with an unexpected {type(error).__name__}: {error}", later)

    def _fail(self, reason: str, later: Callable[..., None]) -> None:
        _log.error(reason)
        later(self._end, 1)

    def _end(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code)
