"""What a serving process is made of, whatever carries its requests: the model or the models, and who watches them."""

import asyncio
import gc
import importlib
from typing import TYPE_CHECKING

from mlplatform_cdk.runtimekit import job, logs
from mlplatform_cdk.serving.container import memory
from mlplatform_cdk.serving.container.metrics import Metrics
from mlplatform_cdk.serving.container.service import Service
from mlplatform_cdk.serving.container.settings import Settings
from mlplatform_cdk.serving.container.threads import begin

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.cache import ResponseCache
    from mlplatform_cdk.serving.container.model import Model
    from mlplatform_cdk.serving.container.observers import Observers
    from mlplatform_cdk.serving.container.shared_cache import SharedCache

MODELS = "models"  # the folder of the models, beside the one named model
_GARBAGE_THRESHOLD = 20_000  # new objects between collections: a request leaves none that need one
_log = logs.logger("serving")


class Parts:
    """The parts, put together; what no setting asks for is not even imported.

    :param settings: of the container.
    :param metrics: what it counts.
    :param first: whether this process speaks for all that share the port; default: yes.
    """

    def __init__(self, settings: Settings, metrics: Metrics, *, first: bool = True) -> None:
        self._settings = settings
        self._shared = _shared_cache(settings)
        self.service = Service(settings, metrics, _cache(settings, self._shared))
        self.observers = _observers(settings, metrics, writes_metrics=first)
        if self.observers is not None:
            self.service.observers = self.observers.callbacks()

    async def open(self) -> None:
        """Serve the model, once it is loaded and proved; a container of many models serves none yet.

        :raises KnownError: when the model cannot be served.
        """
        if self._settings.multi_model:
            await asyncio.to_thread(importlib.import_module, "onnxruntime")  # so that no model is taken for its memory
            memory.keep_freed()
            self._open_many()
            return
        # In a thread, the imports of the numerical libraries too: the process answers its health checks meanwhile.
        model = await begin(self._load, "load")
        memory.keep_freed()
        self._prepare(model)
        self.service.serve(model)
        manifest, engine = model.manifest, model.engine
        self._tell(manifest.model_name, manifest.run_id)
        told = {"run_id": manifest.run_id, "golden_requests": len(manifest.golden_requests)}
        told |= {"engine": engine.name, "precision": engine.precision, "max_batch_size": model.max_batch_size}
        _log.info("ready", extra=told | {"milliseconds": round(1000 * model.run_seconds, 3)})

    def tick(self) -> None:
        """Do what is due once a second."""
        if self.observers is not None:
            self.observers.tick()

    def flush(self) -> None:
        """Write all that waits to be written."""
        if self.observers is not None:
            self.observers.flush()

    def close(self) -> None:
        """Write all that waits to be written, and end."""
        if self.observers is not None:
            self.observers.close()
        if self._shared is not None:
            self._shared.close()

    def _load(self) -> "Model":
        from mlplatform_cdk.serving.container import predictor  # noqa: F401 - imported here, not at the first request
        from mlplatform_cdk.serving.container.model import Model

        model = Model.load(job.model_dir(), self._settings)
        gc.collect()
        gc.freeze()  # what the warm-up has made lives as long as the process: collections need not look at it
        gc.set_threshold(_GARBAGE_THRESHOLD)
        return model

    def _open_many(self) -> None:
        from mlplatform_cdk.serving.container.model import Model
        from mlplatform_cdk.serving.container.models_api import ModelsApi
        from mlplatform_cdk.serving.container.store import ModelStore

        settings = self._settings
        store = ModelStore(
            lambda folder: Model.load(folder, settings),
            memory_bytes=settings.model_memory_bytes or memory.machine_bytes() // 2,
            evict=settings.evict_models,
            opened=self._opened,
            closing=self.service.forget,
        )
        root = job.base_dir() / MODELS
        self.service.serve_many(ModelsApi(store, root))
        self._tell(MODELS, None)
        _log.info("ready", extra={"models": str(root)})

    def _opened(self, model: "Model") -> None:
        self._prepare(model)
        self.service.hold_ready(model)

    def _prepare(self, model: "Model") -> None:
        if self._shared is not None and model.hooks is not None:
            from mlplatform_cdk.serving.container.shared_cache import Features

            model.hooks.features = Features(self._shared, model.manifest.run_id)

    def _tell(self, model: str, run_id: str | None) -> None:
        logs.bind(run_id=run_id)
        if self.observers is not None:
            self.observers.serving(model, run_id)


def _shared_cache(settings: Settings) -> "SharedCache | None":
    if settings.cache_url is None:
        return None
    from mlplatform_cdk.serving.container.shared_cache import SharedCache

    seconds, timeout_ms = settings.cache_seconds, settings.cache_timeout_ms
    return SharedCache.connect(settings.cache_url, seconds=seconds, timeout_ms=timeout_ms)


def _cache(settings: Settings, shared: "SharedCache | None") -> "ResponseCache | None":
    if not settings.cache_bytes:
        return None
    from mlplatform_cdk.serving.container.cache import ResponseCache

    return ResponseCache(settings, shared)


def _observers(settings: Settings, metrics: Metrics, *, writes_metrics: bool) -> "Observers | None":
    if not (settings.access_log_share or settings.capture_share or settings.metrics_namespace):
        return None
    from mlplatform_cdk.serving.container.observers import Observers

    return Observers(settings, metrics, writes_metrics=writes_metrics)
