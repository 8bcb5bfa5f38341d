"""Who watches the requests without standing in their way: the access log, the capture, the metrics in the log."""

import random
from collections.abc import Callable
from time import perf_counter

from mlplatform_cdk.runtimekit import logs
from mlplatform_cdk.serving.container import tracing
from mlplatform_cdk.serving.container.capture import Capture, Exchange
from mlplatform_cdk.serving.container.emf import Emf
from mlplatform_cdk.serving.container.messages import Answer, Request
from mlplatform_cdk.serving.container.metrics import Metrics
from mlplatform_cdk.serving.container.settings import Settings

_log = logs.logger("access")
_SUFFIX = "/invoke"


class Observers:
    """What the settings ask for.

    :param settings: of the container.
    :param metrics: what the lines of metrics tell.
    :param writes_metrics: whether this process writes them; of several that share their counters, one does.
    """

    def __init__(self, settings: Settings, metrics: Metrics, *, writes_metrics: bool = True) -> None:
        self._settings, self._metrics, self._writes_metrics = settings, metrics, writes_metrics
        self._share = settings.access_log_share
        self._capture = Capture.of(settings)
        self._emf: Emf | None = None

    def callbacks(self) -> list[Callable[[Request, Answer], None]]:
        """What is to be called with each request and its answer; nothing where nothing is asked for."""
        wanted: list[Callable[[Request, Answer], None]] = []
        if self._share > 0:
            wanted.append(self._log)
        if self._capture is not None:
            wanted.append(self._take)
        return wanted

    def start(self) -> None:
        """Write from threads; under Lambda, where nothing runs between events, ``flush`` writes instead."""
        if self._capture is not None:
            self._capture.start()

    def serving(self, model: str, run_id: str | None) -> None:
        """From now on, ``model`` is served.

        :param model: its name; a container of many models says so.
        :param run_id: the run that made it; ``None`` where there are many.
        """
        namespace = self._settings.metrics_namespace
        if namespace and self._writes_metrics:
            self._emf = Emf(self._metrics, namespace=namespace, model=model, run_id=run_id)

    def tick(self) -> None:
        """Write the metrics of the last second."""
        if self._emf is not None:
            self._emf.tick()

    def flush(self) -> None:
        """Write all that waits."""
        self.tick()
        if self._capture is not None:
            self._capture.flush()

    def close(self) -> None:
        """Write all that waits, and end."""
        self.tick()
        if self._capture is not None:
            self._capture.close()

    def _log(self, request: Request, answer: Answer) -> None:
        if random.random() >= self._share:  # noqa: S311 - a sample
            return
        told = {"method": request.method, "path": request.path, "status": answer.status}
        told |= {"bytes_in": len(request.body), "bytes_out": len(answer.body)}
        told |= {"milliseconds": round(1000 * (perf_counter() - request.arrived), 3)}
        if answer.run_id:
            told["run_id"] = answer.run_id
        _log.info("request", extra=told | tracing.log_fields(request.headers))

    def _take(self, request: Request, answer: Answer) -> None:
        assert self._capture is not None
        asks_a_model = request.path == "/invocations" or request.path.endswith(_SUFFIX)
        if not asks_a_model or answer.status != 200 or answer.stream is not None or not self._capture.wants():  # noqa: PLR2004
            return
        headers = request.headers
        self._capture.take(
            Exchange(
                (headers.get("content-type", "application/json"), request.body),
                (answer.content_type, answer.body),
                headers.get(tracing.INFERENCE_ID, ""),
                headers.get(tracing.ATTRIBUTES, ""),
            )
        )
