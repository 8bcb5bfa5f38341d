"""What the container answers, apart from how HTTP or Lambda carry it: ready or not, metrics, predictions, models."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Protocol

from mlplatform_cdk.serving.container.errors import MethodNotAllowed, NotFound, NotReady, RequestError
from mlplatform_cdk.serving.container.messages import Answer, Reply, Request, known, problem
from mlplatform_cdk.serving.container.metrics import TEXT_FORMAT, Metrics
from mlplatform_cdk.serving.container.settings import Settings

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.cache import ResponseCache
    from mlplatform_cdk.serving.container.fast_path import FastPath
    from mlplatform_cdk.serving.container.lanes import Lanes
    from mlplatform_cdk.serving.container.model import Model
    from mlplatform_cdk.serving.container.predictor import Predictor

_LONGEST_SHOWN = 80


class Held(Protocol):
    """A model that stays loaded for as long as a request needs it."""

    @property
    def model(self) -> "Model":
        """The model."""

    def release(self) -> None:
        """Say that the request has been answered, to the end of its stream."""


class Models(Protocol):
    """The models of a multi-model container."""

    def hold(self, path: str) -> Held | None:
        """The model that ``path`` invokes, ``None`` where it invokes none; ``NotFound`` where that is not loaded."""

    def answer(self, request: Request) -> Awaitable[Answer]:
        """The answer to whatever else ``/models`` is asked."""


class Service:
    """Answers requests once a model is in place; every method belongs to the event loop's thread.

    :param settings: of the container.
    :param metrics: counts what happens.
    :param cache: of answers; default: none, every request is computed.
    """

    def __init__(self, settings: Settings, metrics: Metrics, cache: "ResponseCache | None" = None) -> None:
        self._settings, self._metrics, self._cache = settings, metrics, cache
        self._loop = asyncio.get_running_loop()
        self._single: Predictor | None = None
        self._models: Models | None = None
        self._predictors: dict[Model, Predictor] = {}
        self._lanes: Lanes | None = None
        self._tasks: set[asyncio.Future[Answer]] = set()
        self.draining = False
        self.fast_path: FastPath | None = None
        self.observers: list[Callable[[Request, Answer], None]] = []

    @property
    def ready(self) -> bool:
        """Whether traffic may come: every process has proved a model (or can load many), and none was asked to end.

        One that dies ends the others (see ``siblings``), which then say so.
        """
        return self._metrics.all_ready

    @property
    def under_way(self) -> int:
        """Requests that are not answered yet."""
        fast = len(self.fast_path) if self.fast_path is not None else 0
        return fast + len(self._tasks) + sum(one.under_way for one in self._predictors.values())

    def serve(self, model: "Model") -> None:
        """From now on, answer ``/invocations`` with ``model``."""
        tuned = model.manifest.serving
        self._single = self._predictor(model, tuned.lanes if tuned else None)
        if self._cache is None and not self.observers:  # which see every request
            self.fast_path = self._single.fast_path(self._settings.limits())
        self._metrics.say_ready(ready=not self.draining)

    def hold_ready(self, model: "Model") -> None:
        """From now on, ``model`` is one of the loaded ones, asked or not."""
        self._predictor(model)

    def serve_many(self, models: Models) -> None:
        """From now on, answer ``/models``."""
        self._models = models
        self._metrics.say_ready(ready=not self.draining)

    def forget(self, model: "Model") -> None:
        """Keep nothing of ``model``, which nobody asks any more."""
        predictor = self._predictors.pop(model, None)
        if predictor is not None:
            predictor.close()
        self._metrics.drop(model)

    def count_refused(self, status: int) -> None:
        """Count an answer that a carrier gave by itself, since there was no request; most were to be predictions."""
        self._metrics.count(status)

    def tick(self) -> None:
        """Bring the gauges up to date; called once a second."""
        predictors = self._predictors.values()
        waiting, under_way = sum(one.waiting for one in predictors), self.under_way
        self._metrics.gauge(waiting=waiting, under_way=under_way, models=len(predictors))

    def drain(self) -> None:
        """From now on, be no longer ready; requests that still arrive are answered."""
        self.draining = True
        self._metrics.say_ready(ready=False)
        if self.fast_path is not None:
            self.fast_path.give_all_back()
            self.fast_path = None  # the last answer of a connection says so now

    async def ask(self, request: Request) -> Answer:
        """The answer to ``request``, for carriers that wait for one at a time."""
        answered: asyncio.Future[Answer] = self._loop.create_future()
        self.handle(request, lambda answer: answer.drop() if answered.done() else answered.set_result(answer))
        return await answered

    def handle(self, request: Request, reply: Reply) -> None:
        """Answer ``request``, once; this never blocks.

        :param request: what is asked.
        :param reply: takes the answer, at once or later, on the event loop's thread.
        """
        if self.observers:
            reply = self._observed(request, reply)
        try:
            if request.path == "/invocations":
                if request.method != "POST":
                    _require(request, "POST")
                if self._single is None:
                    raise _not_ready()
                if self._cache is None:
                    self._single.ask(request, reply)
                else:
                    self._ask(self._single, request, reply)
            elif self._models is not None and (held := _held(self._models, request.path)) is not None:
                self._handle_held(held, request, reply)
            else:
                self._handle_other(request, reply)
        except RequestError as error:
            answer = problem(error)
            self._metrics.count(answer.status)
            reply(answer)

    def _handle_held(self, held: Held, request: Request, reply: Reply) -> None:
        def release(answer: Answer) -> None:
            answer.run_id = held.model.run_id
            if answer.stream is None:
                held.release()
            else:
                answer.stream.when_closed(held.release)
            reply(answer)

        try:
            _require(request, "POST")
            self._ask(self._predictor(held.model), request, release)
        except RequestError as error:
            answer = problem(error)
            self._counters(held.model).count(answer.status)
            release(answer)

    def _handle_other(self, request: Request, reply: Reply) -> None:
        if self._models is not None and (request.path + "/").startswith("/models/"):
            task = asyncio.ensure_future(self._models.answer(request))
            self._tasks.add(task)
            task.add_done_callback(lambda done: self._finish_task(done, reply))
            return
        try:
            answer = self._other(request)
        except RequestError as error:
            answer = problem(error)
        self._finish_other(answer, reply)

    def _other(self, request: Request) -> Answer:
        path = request.path
        if path == "/ping":
            _require(request, "GET", "HEAD")
            if not self.ready:
                raise _not_ready()
            return Answer(200)
        if path == "/metrics":
            _require(request, "GET", "HEAD")
            self.tick()
            models = [one.model for one in self._predictors.values()]
            return Answer(200, self._metrics.render(models), TEXT_FORMAT)
        shown = path[:_LONGEST_SHOWN]
        raise NotFound(f"the path must be /ping, /invocations or /metrics, got {shown!r}")

    def _ask(self, predictor: "Predictor", request: Request, reply: Reply) -> None:
        if self._cache is None:
            predictor.ask(request, reply)
        else:
            from mlplatform_cdk.serving.container import cached

            cached.ask(self._cache, predictor, self._counters(predictor.model), request, reply)

    def _finish_task(self, task: "asyncio.Future[Answer]", reply: Reply) -> None:
        self._tasks.discard(task)
        error = task.exception()
        self._finish_other(task.result() if error is None else problem(known(error)), reply)

    def _finish_other(self, answer: Answer, reply: Reply) -> None:
        self._metrics.count_other(answer.status)
        reply(answer)

    def _observed(self, request: Request, reply: Reply) -> Reply:
        def tell(answer: Answer) -> None:
            reply(answer)
            for observer in self.observers:
                observer(request, answer)

        return tell

    def _predictor(self, model: "Model", lanes: int | None = None) -> "Predictor":
        predictor = self._predictors.get(model)
        if predictor is None:
            from mlplatform_cdk.serving.container.lanes import Lanes
            from mlplatform_cdk.serving.container.predictor import Predictor

            self._lanes = self._lanes or Lanes(self._settings.lanes or lanes)
            predictor = Predictor(model, self._settings, self._lanes, self._counters(model))
            self._predictors[model] = predictor
        return predictor

    def _counters(self, model: "Model") -> Metrics:
        return self._metrics if self._models is None else self._metrics.of(model)


def _held(models: Models, path: str) -> Held | None:
    return models.hold(path) if path.startswith("/models/") else None


def _require(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise MethodNotAllowed(f"{request.path} must be called by {methods[0]}, got {request.method}", methods)


def _not_ready() -> NotReady:
    return NotReady("the model must be loaded and proved first, got a container that is not ready")
