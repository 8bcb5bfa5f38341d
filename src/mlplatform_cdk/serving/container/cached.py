"""The response cache in front of a model: whose answer it was is taken off what is kept, and put on what is given."""

from typing import TYPE_CHECKING

from mlplatform_cdk.serving.container import tracing
from mlplatform_cdk.serving.container.cache import ResponseCache, key_of
from mlplatform_cdk.serving.container.deadlines import allowed_seconds
from mlplatform_cdk.serving.container.errors import RequestError
from mlplatform_cdk.serving.container.messages import Answer, Reply, Request, problem
from mlplatform_cdk.serving.container.metrics import Metrics

if TYPE_CHECKING:
    from mlplatform_cdk.serving.container.predictor import Predictor

_ATTRIBUTES = tracing.HANDED_BACK[tracing.ATTRIBUTES]
_PERSONAL = frozenset(tracing.HANDED_BACK.values())


def ask(cache: ResponseCache, predictor: "Predictor", metrics: Metrics, request: Request, reply: Reply) -> None:
    """Answer ``request`` from ``cache``, or else by the model.

    :param cache: of answers.
    :param predictor: the model's.
    :param metrics: count what the model does not see.
    :param request: what is asked.
    :param reply: takes the answer, once.
    :raises RequestError: when the deadline is no number of milliseconds.
    """
    # A kept answer comes in time, but a deadline that is none is refused all the same.
    due = request.arrived + allowed_seconds(request.headers, predictor.allowed)
    hooks = predictor.model.hooks
    if hooks is not None and hooks.streams:
        predictor.ask(request, reply)
        return
    # Hooks see the custom attributes and may write them: then they are part of question and answer alike.
    personal = _PERSONAL - {_ATTRIBUTES} if hooks is not None else _PERSONAL
    computed = False

    def compute(done: Reply) -> None:
        nonlocal computed
        try:
            predictor.ask(request, lambda answer: done(_without(answer, personal)))
            computed = True
        except RequestError as error:
            done(problem(error))

    def give(answer: Answer) -> None:
        if not computed:
            metrics.count(answer.status)
        names = {name for name, _ in answer.headers}
        own = tuple(pair for pair in tracing.handed_back(request.headers) if pair[0] not in names)
        reply(Answer(answer.status, answer.body, answer.content_type, answer.headers + own))

    key = key_of(predictor.model.version, request.headers, request.body, attributes=hooks is not None)
    cache.ask(key, give, compute, due)


def _without(answer: Answer, names: frozenset[str]) -> Answer:
    kept = tuple(pair for pair in answer.headers if pair[0] not in names)
    return Answer(answer.status, answer.body, answer.content_type, kept, answer.stream)
